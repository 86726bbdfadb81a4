#include "app/studio/training/plan_timing.h"

#include "app/studio/look/words.h"

namespace fovea::studio {

PlanTiming::PlanTiming(Latencies& latencies, QObject* parent) : QObject(parent), m_latencies(latencies)
{
    connect(&latencies, &Latencies::changed, this, &PlanTiming::onChanged);
}

void PlanTiming::onChanged()
{
    const auto wanted = m_latencies.next();
    if (m_job && wanted && wanted->plan == m_measured.plan && (wanted->plan || wanted->graph == m_measured.graph))
        return;
    if (m_job) {
        m_job->kill();
        end();
    }
    if (wanted) start(*wanted);
}

void PlanTiming::start(const Latencies::Wanted& wanted)
{
    m_measured = wanted;
    // Weights cost the same whatever they are.
    m_job = {new EngineJob(EngineNetwork{{wanted.graph, nullptr}, true, {}}, QStringLiteral("auto")),
             [](EngineJob* job) { job->deleteLater(); }};
    const auto failed = [this](const QString& why) {
        end();
        m_latencies.fail(why);
    };
    connect(m_job.get(), &EngineJob::refused, this, failed);
    connect(m_job.get(), &EngineJob::died, this, failed);
    connect(m_job.get(), &EngineJob::finished, this, [this](const Json& result) {
        const Latencies::Wanted measured = m_measured;
        end();
        try {
            m_latencies.take(measured, messageFrom<CostReply>(result).median);
        } catch (const Error& error) {
            m_latencies.fail(QString::fromUtf8(error.what()));
        }
    });
    CostRequest request;
    request.batch = 1;
    request.training = false;
    m_job->start(request);
    m_latencies.tell(wanted.count > 1 ? tr("Measuring latency: %1 of %2\u2026").arg(wanted.number).arg(wanted.count)
                                      : tr("Measuring latency\u2026"));
}

void PlanTiming::end()
{
    m_measured = {};
    m_job.reset();
}

}  // namespace fovea::studio
