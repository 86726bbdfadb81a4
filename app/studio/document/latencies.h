// What inference of one image takes, of the document's network and of plans, and the limit that it sets. Who can
// measure is asked for one number at a time; views read them here.
#pragma once

#include "app/studio/document/document.h"
#include "core/refine/plan.h"

#include <QObject>

#include <map>
#include <optional>

namespace fovea::studio {

class Latencies : public QObject {
    Q_OBJECT
public:
    using PlanPtr = std::shared_ptr<const Plan>;
    using Microseconds = std::optional<std::int64_t>;

    explicit Latencies(QObject* parent = nullptr) : QObject(parent) {}

    // The network that all numbers are of; another one drops them.
    void setNetwork(const GraphPtr& graph);
    // The plans that are to be measured while there is a limit.
    void setPlans(std::vector<PlanPtr> plans);

    Microseconds limit() const { return m_limit; }
    void setLimit(Microseconds limit);
    void ask();   // measures the network, without which no limit can be chosen as a multiple
    void stop();  // what was not measured stays so until it is asked for again

    Microseconds now() const { return m_now; }
    Microseconds of(const Plan& plan) const;
    Microseconds fastest() const;         // of all plans measured for this network
    bool isOver(const Plan& plan) const;  // surely: it was measured
    bool isMeasuring() const { return bool(next()); }
    // A sentence on what is being measured or why it was not; empty where there is nothing to say.
    const QString& state() const { return m_state; }

    // For who measures: what is to be next, and its answer. `plan` is null for the network itself.
    struct Wanted {
        GraphPtr graph;
        PlanPtr plan;
        int number = 0, count = 0;  // of those that are asked for
    };
    std::optional<Wanted> next() const;
    void tell(const QString& state);
    void take(const Wanted& wanted, double seconds);
    void fail(const QString& why);

signals:
    void changed();

private:
    GraphPtr m_graph;
    std::vector<PlanPtr> m_plans;
    std::map<std::string, std::int64_t> m_measured;  // by the plan's id
    Microseconds m_limit, m_now;
    QString m_state;
    bool m_asked = false, m_stopped = false;
};

}  // namespace fovea::studio
