#include "app/studio/training/evaluation.h"

#include "app/studio/document/background.h"
#include "app/studio/look/words.h"
#include "app/studio/training/broken_images.h"
#include "core/io/safetensors/safetensors.h"

#include <QFile>

#include <algorithm>

namespace fovea::studio {

namespace {

bool isSame(const Network& a, const Network& b)
{
    return a.weights == b.weights && (a.graph == b.graph || diff(*a.graph, *b.graph).empty());
}

struct Norms {
    WeightsPtr weights;
    QString error;
};

Norms withNorms(const WeightsPtr& before, const std::string& file)
{
    Norms out;
    try {
        auto weights = std::make_shared<Weights>(*before);
        const Weights read = readSafetensors(file);
        for (const auto& [name, tensor] : read.tensors()) weights->set(name, tensor);
        out.weights = std::move(weights);
    } catch (const std::exception& error) {
        out.error = QString::fromUtf8(error.what());
    }
    return out;
}

QString percent(double share) { return QStringLiteral("%1 %").arg(share * 100, 0, 'f', 1); }

}  // namespace

Evaluation::Evaluation(Document& document, QObject* parent) : QObject(parent), m_document(document)
{
    connect(&document, &Document::changed, this, &Evaluation::onDocumentChanged);
}

void Evaluation::onDocumentChanged(const Change& change)
{
    if (change.reset) {
        stop();
        m_state.clear();
    }
    if (change.reset || m_side != m_document.report()->side) m_results[Original].reset();
    m_results[Now].reset();
    if (!m_probes.empty()) {
        m_probes.clear();
        emit probesChanged();
    }
    emit changed();
}

void Evaluation::evaluate(const DataUse& data, const QString& device)
{
    if (isBusy() || m_document.isEmpty()) return;
    m_data = data;
    m_side = m_document.report()->side;
    m_device = device;
    m_results[Now].reset();
    m_results[Original].reset();
    m_wanted = {Now};
    if (!isSame(m_document.network(), m_document.original())) m_wanted.push_back(Original);
    next();
}

// The job is deleted when it has ended, from the event loop: it is what tells of its end.
EngineJob& Evaluation::launch(const Network& network, const QString& device)
{
    m_job = {new EngineJob(EngineNetwork{network, false, m_document.report()->side}, device),
             [](EngineJob* job) { job->deleteLater(); }};
    connect(m_job.get(), &EngineJob::refused, this, [this](const QString& why) { end(why); });
    connect(m_job.get(), &EngineJob::died, this, [this](const QString& how) { end(how); });
    connect(m_job.get(), &EngineJob::stoppedEarly, this, [this] { end(tr("Stopped.")); });
    connect(m_job.get(), &EngineJob::progressed, this, [this](const Progress& progress) {
        const QString phase = text(progress.phase);
        m_state = progress.total > 0 ? tr("%1: %2 of %3").arg(phase).arg(progress.done).arg(progress.total) : phase;
        emit changed();
    });
    return *m_job;
}

void Evaluation::next()
{
    if (m_wanted.empty()) {
        end(brokenText(m_results[Now]->broken).trimmed());
        return;
    }
    const Which which = m_wanted.front();
    m_wanted.pop_front();
    EngineJob& job = launch(which == Now ? m_document.network() : m_document.original(), m_device);
    m_state = which == Now ? tr("Loading the network\u2026") : tr("Loading the network as it was opened\u2026");
    connect(&job, &EngineJob::finished, this, [this, which](const Json& result) { take(which, result); });
    EvaluateRequest request;
    request.data = m_data;
    job.start(request);
    emit changed();
}

void Evaluation::take(Which which, const Json& result)
{
    try {
        m_results[which] = messageFrom<EvaluateReply>(result);
    } catch (const Error& error) {
        end(QString::fromUtf8(error.what()));
        return;
    }
    next();
}

void Evaluation::recalibrate(const DataUse& data, const QString& device)
{
    if (isBusy() || m_document.isEmpty()) return;
    const Network before = m_document.network();
    EngineJob& job = launch(before, device);
    m_state = tr("Loading the network\u2026");
    const QString file = job.folder() + QStringLiteral("/norms.safetensors");
    RecalibrateRequest request;
    request.data = data;
    request.out = QFile::encodeName(file).toStdString();
    connect(&job, &EngineJob::finished, this, [this, before, file](const Json& result) {
        try {
            useNorms(messageFrom<RecalibrateReply>(result), m_job, before, file);
        } catch (const Error& error) {
            end(QString::fromUtf8(error.what()));
        }
    });
    job.start(request);
    emit changed();
}

void Evaluation::probe(const DataUse& data, const QString& device)
{
    if (isBusy() || m_document.isEmpty()) return;
    const Network of = m_document.network();
    EngineJob& job = launch(of, device);
    m_state = tr("Loading the network\u2026");
    ProbeRequest request;
    request.data = data;
    connect(&job, &EngineJob::finished, this, [this, of](const Json& result) {
        try {
            ProbeReply reply = messageFrom<ProbeReply>(result);
            if (m_document.network().graph != of.graph) {
                end(tr("The network was changed meanwhile, so its layers are not those that were probed."));
                return;
            }
            m_probes = std::move(reply.rows);
            const auto best = std::ranges::max_element(m_probes, {}, &ProbeRow::top1);
            end(m_probes.empty() ? tr("No layer was probed.")
                                 : tr("%1 layers probed, drawn over the receptive fields; best %2 with top-1 %3.")
                                       .arg(m_probes.size())
                                       .arg(moduleName(best->layer), percent(best->top1)) +
                                       brokenText(reply.broken));
            emit probesChanged();
        } catch (const Error& error) {
            end(QString::fromUtf8(error.what()));
        }
    });
    job.start(request);
    emit changed();
}

// `job` keeps the file.
void Evaluation::useNorms(const RecalibrateReply& reply, const std::shared_ptr<EngineJob>& job, const Network& before,
                          const QString& file)
{
    m_reading = true;
    const auto read = [weights = before.weights, path = QFile::encodeName(file).toStdString()] {
        return withNorms(weights, path);
    };
    inBackground(this, read, [this, reply, job, before](const Norms& norms) {
        m_reading = false;
        if (!norms.error.isEmpty()) {
            end(norms.error);
            return;
        }
        if (m_document.network().graph != before.graph || m_document.network().weights != before.weights) {
            end(tr("The network was changed meanwhile; its norms stay as they are."));
            return;
        }
        try {
            // Images prepared otherwise would have other statistics.
            auto graph = std::make_shared<Graph>(*before.graph);
            graph->setPreprocessing(reply.preprocessing);
            m_document.replace(tr("Recalibrate norms"), {std::move(graph), norms.weights});
        } catch (const std::exception& error) {
            end(QString::fromUtf8(error.what()));
            return;
        }
        // Of other classes than the network's there is no top-1.
        if (std::isnan(reply.top1Before))
            end(tr("%1 norms recalibrated on %2 images.").arg(reply.norms).arg(reply.images) +
                brokenText(reply.broken));
        else
            end(tr("%1 norms recalibrated: top-1 %2 before, %3 after; loss %4 before, %5 after.")
                    .arg(reply.norms)
                    .arg(percent(reply.top1Before), percent(reply.top1After))
                    .arg(reply.lossBefore, 0, 'f', 3)
                    .arg(reply.lossAfter, 0, 'f', 3) +
                brokenText(reply.broken));
    });
}

void Evaluation::end(const QString& state)
{
    m_state = state;
    m_wanted.clear();
    m_job.reset();
    emit changed();
}

void Evaluation::stop()
{
    m_wanted.clear();
    if (!m_job) return;
    m_state = tr("Stopping\u2026");
    m_job->stop();
    emit changed();
}

}  // namespace fovea::studio
