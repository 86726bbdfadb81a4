#include "app/studio/training/training_runs.h"

#include "app/studio/document/background.h"
#include "app/studio/look/words.h"
#include "app/studio/training/trained_network.h"
#include "core/base/files.h"

#include <QDir>
#include <QFileInfo>
#include <QRegularExpression>
#include <QStandardPaths>

#include <algorithm>

namespace fovea::studio {

namespace {

constexpr int kFollowMs = 2'000;

bool isElsewhere(const RunPtr& run) { return run->state == TrainingRun::State::Elsewhere; }

struct Found {
    std::vector<RunPtr> runs;
};

Found runsIn(const QString& folder)
{
    Found out;
    for (const QString& name : QDir(folder).entryList(QDir::Dirs | QDir::NoDotAndDotDot, QDir::Name)) {
        const std::filesystem::path path = QFile::encodeName(QDir(folder).filePath(name)).toStdString();
        if (!isRunFolder(path)) continue;
        try {
            out.runs.push_back(readRun(path));
        } catch (const std::exception&) {
            // Half a run, or another program's: it cannot be shown, and the next one can.
        }
    }
    return out;
}

// As a part of a file's name.
QString plain(QString name)
{
    static const QRegularExpression others(QStringLiteral("[^\\w.,=+ -]+"));
    return name.replace(others, QStringLiteral("_")).left(80).trimmed();
}

}  // namespace

TrainingRuns::TrainingRuns(Document& document, QObject* parent) : QObject(parent), m_document(document)
{
    connect(&document, &Document::changed, this, [this](const Change& change) {
        if (change.reset && !m_document.isEmpty()) look(folder());
    });
    m_follow.setSingleShot(true);
    m_follow.setInterval(kFollowMs);
    connect(&m_follow, &QTimer::timeout, this, &TrainingRuns::follow);
}

TrainingRuns::~TrainingRuns() = default;

RunPtr TrainingRuns::live() const { return m_live; }

QString TrainingRuns::folder() const
{
    const QString source = m_document.path().isEmpty() ? m_document.source() : m_document.path();
    const QFileInfo file(source);
    if (!source.startsWith(QLatin1String("zoo:")) && file.exists() && QFileInfo(file.absolutePath()).isWritable())
        return QDir(file.absolutePath()).filePath(file.completeBaseName() + QStringLiteral(".runs"));
    const QString documents = QStandardPaths::writableLocation(QStandardPaths::DocumentsLocation);
    return QDir(documents).filePath(QStringLiteral("Fovea runs/") + plain(m_document.title()));
}

void TrainingRuns::look(const QString& folder)
{
    inBackground(
        this, [folder] { return runsIn(folder); },
        [this](const Found& found) {
            bool any = false;
            for (const RunPtr& run : found.runs) {
                const bool known = std::ranges::any_of(
                    m_runs, [&](const RunPtr& old) { return old->folder.root == run->folder.root; });
                if (known) continue;
                // Found ones are older than what was started here.
                m_runs.insert(m_live ? m_runs.end() - 1 : m_runs.end(), run);
                any = true;
            }
            if (any) emit listChanged();
            if (std::ranges::any_of(m_runs, isElsewhere)) m_follow.start();
        });
}

void TrainingRuns::follow()
{
    std::vector<RunPtr> followed;
    std::ranges::copy_if(m_runs, std::back_inserter(followed), isElsewhere);
    if (followed.empty()) return;
    const auto read = [followed] {
        std::vector<RunPtr> out;
        for (const RunPtr& run : followed) {
            try {
                out.push_back(readRun(run->folder.root));
            } catch (const std::exception&) {
                out.push_back(nullptr);  // written just now, or taken away
            }
        }
        return out;
    };
    inBackground(this, read, [this, followed](const std::vector<RunPtr>& now) {
        for (std::size_t i = 0; i < followed.size(); ++i)
            if (now[i] && isElsewhere(followed[i])) take(followed[i], *now[i]);
        m_follow.start();
    });
}

// What a run's folder says now. Views hold the old object, so that is what changes.
void TrainingRuns::take(const RunPtr& known, const TrainingRun& now)
{
    const bool hasGrown = now.metrics.size() != known->metrics.size(), hasEnded = now.state != known->state;
    const QString added = now.log.startsWith(known->log) ? now.log.mid(known->log.size()).trimmed() : QString();
    *known = now;
    if (!added.isEmpty()) emit logged(known, added);
    if (hasGrown) emit measured(known);
    if (hasGrown || hasEnded) emit changed(known);
}

RunFolder TrainingRuns::nextFolder(const QString& parent, const QString& preset) const
{
    int last = 0;
    for (const QString& name : QDir(parent).entryList(QDir::AllEntries | QDir::NoDotAndDotDot))
        last = std::max(last, name.section(QLatin1Char('-'), 0, 0).toInt());
    const QString name = QStringLiteral("%1-%2").arg(last + 1, 3, 10, QLatin1Char('0')).arg(preset);
    return {QFile::encodeName(QDir(parent).filePath(name)).toStdString()};
}

EngineNetwork TrainingRuns::networkToTrain(bool newWeights, const Recipe& recipe) const
{
    return {m_document.network(), newWeights, m_document.report()->side,
            newWeights ? static_cast<std::uint64_t>(recipe.seed) : 0};
}

void TrainingRuns::start(const TrainingStart& asked)
{
    if (m_live || m_document.isEmpty()) return;
    auto run = std::make_shared<TrainingRun>();
    const QString parent = asked.folder.isEmpty() ? folder() : asked.folder;
    run->folder = nextFolder(parent, asked.preset);
    run->recipe = asked.recipe;
    run->refined = isRefined(m_document);
    run->info.name = runTitle(m_document.title(), run->refined).toStdString();
    run->info.data = asked.data.toStdString();
    run->info.from = asked.newWeights ? "" : m_document.source().toStdString();
    const EngineNetwork network = networkToTrain(asked.newWeights, asked.recipe);
    run->info.size = {network.side.h, network.side.w};
    run->progress.epochs = asked.recipe.epochs;

    TrainRequest request;
    request.run = run->folder.root.string();
    request.data = run->info.data;
    request.recipe = asked.recipe;
    request.name = run->info.name;
    request.from = run->info.from;
    try {
        std::filesystem::create_directories(run->folder.root);
        writeRole(run->folder, run->refined);
    } catch (const std::exception& error) {
        emit failed(tr("The run has no place"), QString::fromUtf8(error.what()));
        return;
    }
    m_runs.push_back(run);
    launch(run, network, asked.device, request);
    emit listChanged();
    emit started(run);
}

void TrainingRuns::resume(const RunPtr& run, std::optional<std::int64_t> epochs)
{
    if (m_live || !(epochs ? run->canGoFurther() : run->canResume())) return;
    TrainRequest request;
    request.run = run->folder.root.string();
    request.resume = true;
    if (epochs) request.epochs = run->recipe.epochs = run->progress.epochs = *epochs;
    run->state = TrainingRun::State::Preparing;
    run->sentence.clear();
    launch(run, {}, text(run->info.device), request);
    emit changed(run);
    emit started(run);
}

void TrainingRuns::launch(const RunPtr& run, std::optional<EngineNetwork> network, const QString& device,
                          const TrainRequest& request)
{
    m_live = run;
    m_job = new EngineJob(std::move(network), device, this);
    connect(m_job, &EngineJob::began, this, [this, run, device] {
        if (run->state == TrainingRun::State::Preparing) run->state = TrainingRun::State::Running;
        if (device != QLatin1String("auto") && device != m_job->device())
            tell(run, tr("The device %1 is not here any more: it goes on with %2.").arg(device, m_job->device()));
        run->info.device = m_job->device().toStdString();
        emit changed(run);
    });
    connect(m_job, &EngineJob::progressed, this, [this, run](const Progress& progress) {
        run->add(progress);
        emit changed(run);
    });
    connect(m_job, &EngineJob::measured, this, [this, run](const MetricsLine& line) {
        run->add(line);
        if (line.kind == MetricsLine::Kind::Epoch) {
            readFiles(*run);
            emit changed(run);
        }
        emit measured(run);
    });
    connect(m_job, &EngineJob::logged, this, [this, run](const QString& text) { tell(run, text); });
    connect(m_job, &EngineJob::finished, this, [this, run](const Json& result) {
        try {
            finish(run, messageFrom<TrainReply>(result));
        } catch (const Error& error) {
            end(run, TrainingRun::State::Failed, QString::fromUtf8(error.what()));
        }
    });
    connect(m_job, &EngineJob::stoppedEarly, this,
            [this, run] { end(run, TrainingRun::State::Stopped, tr("It had not begun.")); });
    connect(m_job, &EngineJob::refused, this, [this, run](const QString& why) {
        end(run, TrainingRun::State::Failed, why);
        emit broke(run);
    });
    connect(m_job, &EngineJob::died, this, [this, run](const QString& how) {
        end(run, TrainingRun::State::Died, how);
        emit broke(run);
    });
    m_job->start(request);
}

void TrainingRuns::finish(const RunPtr& run, const TrainReply& reply)
{
    const bool paused = run->state == TrainingRun::State::Pausing;
    TrainingRun::State state = TrainingRun::State::Done;
    if (reply.state == "stopped") state = paused ? TrainingRun::State::Paused : TrainingRun::State::Stopped;
    if (reply.broken.count > 0) {
        tell(run, tr("Images that could not be read: %1.").arg(reply.broken.count));
        for (const BrokenName& broken : reply.broken.named)
            tell(run, QStringLiteral("  %1: %2").arg(text(broken.name), text(broken.why)));
    }
    end(run, state, text(reply.reason));
}

void TrainingRuns::end(const RunPtr& run, TrainingRun::State state, const QString& sentence)
{
    run->state = state;
    run->sentence = sentence;
    readFiles(*run);
    removeEmpty(run->folder);
    m_live.reset();
    m_job->deleteLater();
    m_job = nullptr;
    tell(run, stateText(*run));
    emit changed(run);
    emit measured(run);
    emit ended();
}

void TrainingRuns::tell(const RunPtr& run, const QString& text)
{
    run->log += (run->log.isEmpty() ? QString() : QStringLiteral("\n")) + text;
    emit logged(run, text);
}

void TrainingRuns::pause() { halt(TrainingRun::State::Pausing); }

void TrainingRuns::stop() { halt(TrainingRun::State::Stopping); }

void TrainingRuns::halt(TrainingRun::State state)
{
    if (!m_live) return;
    const RunPtr run = m_live;
    run->state = state;
    emit changed(run);
    m_job->stop();
}

void TrainingRuns::useBest(const RunPtr& run)
{
    const Network now = m_document.network();
    const auto read = [folder = run->folder, now] { return trainedNetwork(folder, now); };
    inBackground(this, read, [this, run, now](const TrainedNetwork& result) {
        if (m_document.network().graph != now.graph || m_document.network().weights != now.weights) {
            emit failed(tr("The weights were not used"), tr("The network was changed while they were read."));
            return;
        }
        if (!result.error.isEmpty()) {
            emit failed(tr("The weights could not be used"), result.error);
            return;
        }
        try {
            m_document.replace(tr("Weights of %1").arg(run->name()), result.network);
        } catch (const std::exception& error) {
            emit failed(tr("The weights could not be used"), QString::fromUtf8(error.what()));
            return;
        }
        emit noted(tr("The network now has the best weights of %1 (%2 tensors). Undo brings the old ones back.")
                       .arg(run->name())
                       .arg(result.tensors));
    });
}

bool isRefined(const Document& document)
{
    Graph original = *document.original().graph;
    const PerAxis<std::int64_t> side = document.report()->side;
    if (imageInput(original)) original = withSide(original, side.h, side.w);
    original.setPreprocessing(document.graph()->preprocessing());
    return !diff(original, *document.graph()).empty();
}

}  // namespace fovea::studio
