#include "app/studio/document/latencies.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace fovea::studio {

void Latencies::setNetwork(const GraphPtr& graph)
{
    if (m_graph == graph) return;
    m_graph = graph;
    m_plans.clear();
    m_measured.clear();
    m_now.reset();
    m_state.clear();
    m_asked = m_stopped = false;
    emit changed();
}

void Latencies::setPlans(std::vector<PlanPtr> plans)
{
    m_plans = std::move(plans);
    emit changed();
}

void Latencies::setLimit(Microseconds limit)
{
    if (m_limit == limit) return;
    m_limit = limit;
    if (std::exchange(m_stopped, false)) m_state.clear();
    emit changed();
}

void Latencies::ask()
{
    m_asked = true;
    m_stopped = false;
    emit changed();
}

void Latencies::stop()
{
    m_stopped = true;
    m_asked = false;
    m_state = tr("The measurement was stopped.");
    emit changed();
}

Latencies::Microseconds Latencies::of(const Plan& plan) const
{
    const auto it = m_measured.find(plan.id);
    return it == m_measured.end() ? std::nullopt : Microseconds(it->second);
}

Latencies::Microseconds Latencies::fastest() const
{
    Microseconds out;
    for (const auto& [id, time] : m_measured) out = std::min(out.value_or(time), time);
    return out;
}

bool Latencies::isOver(const Plan& plan) const
{
    const Microseconds time = of(plan);
    return m_limit && time && *time > *m_limit;
}

std::optional<Latencies::Wanted> Latencies::next() const
{
    if (m_stopped || !m_graph || m_graph->nodes().empty() || !(m_asked || m_limit)) return std::nullopt;
    const int count = 1 + (m_limit ? static_cast<int>(m_plans.size()) : 0);
    if (!m_now) return Wanted{m_graph, nullptr, 1, count};
    if (!m_limit) return std::nullopt;
    for (std::size_t i = 0; i < m_plans.size(); ++i)
        if (!m_measured.contains(m_plans[i]->id))
            return Wanted{GraphPtr(m_plans[i], &m_plans[i]->graph), m_plans[i], static_cast<int>(i) + 2, count};
    return std::nullopt;
}

void Latencies::tell(const QString& state)
{
    m_state = state;
    emit changed();
}

void Latencies::take(const Wanted& wanted, double seconds)
{
    const auto time = static_cast<std::int64_t>(std::ceil(seconds * 1e6));
    if (wanted.plan) m_measured[wanted.plan->id] = time;
    else m_now = time;
    m_state.clear();
    emit changed();
}

void Latencies::fail(const QString& why)
{
    m_stopped = true;
    m_asked = false;
    m_state = why;
    emit changed();
}

}  // namespace fovea::studio
