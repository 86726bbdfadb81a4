#include "app/studio/training/cost_measurement.h"

#include "app/studio/look/words.h"
#include "app/studio/training/training_runs.h"

namespace fovea::studio {

CostMeasurement::CostMeasurement(Document& document, QObject* parent) : QObject(parent), m_document(document)
{
    connect(&document, &Document::changed, this, &CostMeasurement::onDocumentChanged);
}

void CostMeasurement::onDocumentChanged(const Change& change)
{
    if (isBusy())
        cancel(change.reset ? QString() : tr("The network was changed while it was measured. Measure it again."));
    else m_state.clear();
    const bool otherSide = m_side != m_document.report()->side;
    for (int which = 0; which < kWhich; ++which)
        if (which == Now || change.reset || otherSide)
            for (auto& result : m_results[which]) result.reset();
    emit changed();
}

void CostMeasurement::measure(std::int64_t batch, const QString& device)
{
    if (isBusy() || m_document.isEmpty()) return;
    m_batch = batch;
    m_device = device;
    m_side = m_document.report()->side;
    for (auto& results : m_results)
        for (auto& result : results) result.reset();
    m_whyNoTraining.clear();
    m_wanted = {{Now, Training}, {Now, Inference}};
    // Weights cost the same whatever they are.
    if (isRefined(m_document)) m_wanted.insert(m_wanted.end(), {{Original, Training}, {Original, Inference}});
    next();
}

// An engine of its own for each. It is deleted when it has ended, from the event loop: it is what tells of its end.
void CostMeasurement::next()
{
    if (m_wanted.empty()) {
        end(summary());
        return;
    }
    const auto [which, what] = m_wanted.front();
    m_wanted.pop_front();
    const Network& network = which == Now ? m_document.network() : m_document.original();
    m_job = {new EngineJob(EngineNetwork{network, false, m_side}, m_device),
             [](EngineJob* job) { job->deleteLater(); }};
    const QString title = which == Now ? (what == Training ? tr("training, network now") : tr("inference, network now"))
                          : what == Training ? tr("training, as opened")
                                             : tr("inference, as opened");
    m_state = tr("Loading the network: %1\u2026").arg(title);
    if (what == Training) connect(m_job.get(), &EngineJob::refused, this, &CostMeasurement::skipTraining);
    else connect(m_job.get(), &EngineJob::refused, this, &CostMeasurement::end);
    connect(m_job.get(), &EngineJob::died, this, &CostMeasurement::end);
    connect(m_job.get(), &EngineJob::progressed, this, [this, title](const Progress& progress) {
        m_state = tr("Measuring %1: step %2 of %3").arg(title).arg(progress.done).arg(progress.total);
        emit changed();
    });
    connect(m_job.get(), &EngineJob::finished, this,
            [this, which = which, what = what](const Json& result) { take(which, what, result); });
    CostRequest request;
    request.batch = m_batch;
    request.training = what == Training;
    m_job->start(request);
    emit changed();
}

void CostMeasurement::take(Which which, What what, const Json& result)
{
    try {
        m_results[which][what] = messageFrom<CostReply>(result);
    } catch (const Error& error) {
        end(QString::fromUtf8(error.what()));
        return;
    }
    next();
}

// A network that cannot be trained, such as one without weights, takes its time nevertheless.
void CostMeasurement::skipTraining(const QString& why)
{
    m_whyNoTraining = why;
    next();
}

QString CostMeasurement::summary() const
{
    if (!m_results[Now][Training])
        return tr("Inference of %1 images of %2 px on %3. Training was not measured: %4")
            .arg(m_batch)
            .arg(axisText(m_side.h, m_side.w), text(m_results[Now][Inference]->device), m_whyNoTraining);
    const CostReply& training = *m_results[Now][Training];
    return tr("A step of %1 images of %2 px on %3: median of %4 steps, and the memory of all tensors at its most.")
        .arg(m_batch)
        .arg(axisText(m_side.h, m_side.w), text(training.device))
        .arg(training.seconds.size());
}

void CostMeasurement::end(const QString& state)
{
    m_state = state;
    m_wanted.clear();
    m_job.reset();
    emit changed();
}

void CostMeasurement::cancel(const QString& why)
{
    m_job->kill();
    end(why);
}

void CostMeasurement::stop()
{
    if (m_job) cancel(tr("The measurement was stopped."));
}

}  // namespace fovea::studio
