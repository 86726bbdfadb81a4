// Measures what Latencies asks for, one network after the other, each in an engine of its own.
#pragma once

#include "app/studio/document/latencies.h"
#include "app/studio/training/engine_job.h"

#include <QObject>

namespace fovea::studio {

class PlanTiming : public QObject {
    Q_OBJECT
public:
    explicit PlanTiming(Latencies& latencies, QObject* parent = nullptr);

private:
    void onChanged();
    void start(const Latencies::Wanted& wanted);
    void end();

    Latencies& m_latencies;
    std::shared_ptr<EngineJob> m_job;
    Latencies::Wanted m_measured;  // by the job
};

}  // namespace fovea::studio
