#include "app/studio/training/training_run.h"

#include "app/studio/look/words.h"
#include "core/base/files.h"
#include "core/recipe/run_lock.h"

#include <QCoreApplication>
#include <QFile>

#include <algorithm>
#include <cmath>

namespace fovea::studio {

namespace {

constexpr std::size_t kMaxRole = 1u << 16;
constexpr qint64 kMaxLog = 1 << 18;  // bytes, from the end

struct Words {
    Q_DECLARE_TR_FUNCTIONS(TrainingRun)
};

std::filesystem::path roleFile(const RunFolder& folder) { return folder.root / "studio.json"; }

bool readRole(const RunFolder& folder)
{
    try {
        const Json json = parseJson(readText(roleFile(folder), kMaxRole));
        return JsonAt(json).at("refined").boolean();
    } catch (const Error&) {
        return false;  // the command line writes none
    }
}

QString endOfFile(const std::filesystem::path& path)
{
    QFile file(QString::fromStdString(path.string()));
    if (!file.open(QIODevice::ReadOnly)) return {};
    file.seek(std::max<qint64>(0, file.size() - kMaxLog));
    return QString::fromUtf8(file.readAll()).trimmed();
}

bool isFile(const std::filesystem::path& path)
{
    std::error_code none;
    return std::filesystem::is_regular_file(path, none);
}

TrainingRun::State stateFrom(const std::string& word, const RunFolder& folder)
{
    if (word == "running" && RunLock::isHeld(folder)) return TrainingRun::State::Elsewhere;
    if (word == "done") return TrainingRun::State::Done;
    if (word == "stopped") return TrainingRun::State::Stopped;
    // "running" on the disk, and none of ours: whoever trained it is gone.
    return word == "failed" ? TrainingRun::State::Failed : TrainingRun::State::Died;
}

QString withReason(const QString& state, const QString& reason)
{
    return reason.isEmpty() ? state : QStringLiteral("%1 %2").arg(state, reason);
}

}  // namespace

bool TrainingRun::isLive() const
{
    return state == State::Preparing || state == State::Running || state == State::Pausing || state == State::Stopping;
}

void TrainingRun::add(const MetricsLine& line)
{
    // What a resumed run does again replaces what it did before its last checkpoint.
    const auto isAgain = [&](const MetricsLine& old) {
        return old.step > line.step || (old.step == line.step && old.kind == line.kind);
    };
    while (!metrics.empty() && isAgain(metrics.back())) metrics.pop_back();
    metrics.push_back(line);
}

void TrainingRun::add(const Progress& told)
{
    const Progress before = progress;
    progress = told;
    if (told.epochs > 0) {
        if (told.total > 0) share = static_cast<double>(told.done) / static_cast<double>(told.total);
        return;
    }
    // A validation counts its own batches; how far the run is stays what it was.
    progress.epoch = before.epoch;
    progress.epochs = before.epochs;
    progress.secondsLeft = before.secondsLeft;
}

std::optional<MetricsLine> TrainingRun::best() const
{
    std::optional<MetricsLine> out;
    for (const MetricsLine& line : metrics)
        if (line.top1 && (!out || *line.top1 > *out->top1)) out = line;
    return out;
}

QString runTitle(const QString& network, bool refined)
{
    return refined ? Words::tr("%1, refined").arg(network) : network;
}

QString networkTitle(const TrainingRun& run)
{
    const QString name = text(run.info.name), suffix = runTitle({}, run.refined);
    return name.endsWith(suffix) ? name.chopped(suffix.size()) : name;
}

QString runLabel(const TrainingRun& run, const QFontMetrics& metrics, std::optional<int> width)
{
    const QString role = run.refined ? Words::tr("refined") : Words::tr("original");
    const auto label = [&](const QString& network) {
        return Words::tr("%1  %2, %3", "run, network, role").arg(run.name(), network, role);
    };
    QString whole = label(networkTitle(run));
    if (!width || metrics.horizontalAdvance(whole) <= *width) return whole;
    const int room = *width - metrics.horizontalAdvance(label({}));
    const QString title = metrics.elidedText(networkTitle(run), Qt::ElideMiddle, std::max(room, 0));
    return metrics.elidedText(label(title), Qt::ElideMiddle, *width);  // where the run's own name is as long
}

QString stateText(const TrainingRun& run)
{
    switch (run.state) {
    case TrainingRun::State::Preparing: return Words::tr("Starting the engine and loading the network\u2026");
    case TrainingRun::State::Running: return Words::tr("Training.");
    case TrainingRun::State::Pausing: return Words::tr("Pausing after this batch\u2026");
    case TrainingRun::State::Stopping: return Words::tr("Stopping after this batch\u2026");
    case TrainingRun::State::Paused: return Words::tr("Paused. Resume goes on where it stood.");
    case TrainingRun::State::Stopped: return withReason(Words::tr("Stopped."), run.sentence);
    case TrainingRun::State::Done: return withReason(Words::tr("Done."), run.sentence);
    case TrainingRun::State::Elsewhere:
        return Words::tr("Training in another process.");
    case TrainingRun::State::Failed: return withReason(Words::tr("Failed."), run.sentence);
    case TrainingRun::State::Died: break;
    }
    const QString how = run.sentence.isEmpty() ? Words::tr("Whoever trained it is gone.") : run.sentence;
    return withReason(Words::tr("Interrupted."), how);
}

QString durationText(double seconds)
{
    const auto whole = static_cast<qint64>(std::ceil(std::min(seconds, 1e9)));
    if (whole < 60) return Words::tr("%1 s").arg(whole);
    if (whole < 600) return Words::tr("%1 min %2 s").arg(whole / 60).arg(whole % 60);
    if (whole < 3'600) return Words::tr("%1 min").arg(whole / 60);
    return Words::tr("%1 h %2 min").arg(whole / 3'600).arg(whole % 3'600 / 60);
}

QString progressText(const TrainingRun& run)
{
    const Progress& now = run.progress;
    QStringList stand, effort;
    if (now.epochs > 0) stand << Words::tr("epoch %1 of %2").arg(std::min(now.epoch + 1, now.epochs)).arg(now.epochs);
    if (now.secondsLeft >= 0 && run.isLive()) stand << Words::tr("%1 left").arg(durationText(now.secondsLeft));
    if (now.imagesPerSecond > 0) effort << Words::tr("%L1 images/s").arg(now.imagesPerSecond, 0, 'f', 0);
    if (now.memory > 0) effort << bytesText(now.memory);
    QStringList lines;
    for (const QStringList& parts : {stand, effort})
        if (!parts.isEmpty()) lines << parts.join(QStringLiteral(" \u00b7 "));
    return lines.join(QLatin1Char('\n'));
}

RunPtr readRun(const std::filesystem::path& folder)
{
    auto run = std::make_shared<TrainingRun>();
    run->folder.root = folder;
    run->info = readRunInfo(run->folder);
    if (isFile(run->folder.recipe())) run->recipe = readRecipe(run->folder.recipe());
    if (isFile(run->folder.metrics())) run->metrics = readMetrics(run->folder.metrics());
    run->log = endOfFile(run->folder.log());
    run->refined = readRole(run->folder);
    run->state = stateFrom(run->info.state, run->folder);
    run->sentence = text(run->info.reason);
    readFiles(*run);
    if (!run->metrics.empty()) {
        const MetricsLine& last = run->metrics.back();
        run->progress.epoch = last.epoch;
        run->progress.epochs = run->recipe.epochs;
        run->progress.memory = last.memory;
        const bool whole = last.kind == MetricsLine::Kind::Epoch;
        if (run->recipe.epochs > 0)
            run->share = static_cast<double>(last.epoch + (whole ? 1 : 0)) / static_cast<double>(run->recipe.epochs);
    }
    return run;
}

void writeRole(const RunFolder& folder, bool refined)
{
    writeAtomically(roleFile(folder), jsonLine(Json{{"refined", refined}}) + "\n");
}

void removeEmpty(const RunFolder& folder)
{
    if (isRunFolder(folder.root)) return;
    std::error_code none;
    std::filesystem::remove(roleFile(folder), none);
    std::filesystem::remove(folder.root, none);  // only where nothing is in it
}

void readFiles(TrainingRun& run)
{
    run.hasBest = isFile(run.folder.best());
    run.hasLast = isFile(run.folder.last());
}

}  // namespace fovea::studio
