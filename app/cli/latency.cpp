#include "app/cli/latency.h"

#include "app/cli/engine_work.h"
#include "core/base/error.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>

namespace fovea::cli {

namespace {

constexpr int kMostSearches = 3;

class Stopwatch {
public:
    Stopwatch(std::int64_t batch, std::string device, std::ostream& notes)
        : m_batch(batch), m_device(std::move(device)), m_engine(startEngine()), m_tell(tellTo(notes))
    {}

    // Seconds of an inference step, the median of several.
    double measure(const Graph& graph)
    {
        loadInto(*m_engine, graph, {}, m_device);
        CostRequest request;
        request.batch = m_batch;
        request.training = false;
        const CostReply reply = m_engine->ask<CostReply>(request, m_tell);
        m_measuredOn = reply.device;
        return reply.median;
    }

    const std::string& measuredOn() const { return m_measuredOn; }

private:
    std::int64_t m_batch;
    std::string m_device, m_measuredOn;
    std::unique_ptr<EngineClient> m_engine;
    EngineClient::Heard m_tell;
};

std::int64_t microseconds(double seconds) { return static_cast<std::int64_t>(std::ceil(seconds * 1e6)); }

}  // namespace

std::optional<LatencyLimit> latencyLimit(const Arguments& arguments)
{
    const auto text = arguments.value("--max-latency");
    if (!text) return std::nullopt;
    static const std::map<std::string, double> kUnits = {{"us", 1e-6}, {"ms", 1e-3}, {"s", 1}, {"x", 1}};
    double value = 0;
    const auto [end, code] = std::from_chars(text->data(), text->data() + text->size(), value);
    const auto unit = kUnits.find(std::string(end, text->data() + text->size()));
    if (code != std::errc() || !std::isfinite(value) || value <= 0 || unit == kUnits.end())
        throw Error(ErrorCode::Usage,
                    "Option '--max-latency' takes a time such as 12ms or 0.05s, or a multiple such as 1.5x, but got '" +
                        *text + "'.");
    return LatencyLimit{value * unit->second, unit->first == "x"};
}

std::vector<Plan> proposeWithin(const LatencyLimit& limit, const Graph& graph, PlanRequest request,
                                const std::string& device, std::vector<Loosening>& loosen, std::ostream& notes)
{
    std::vector<Plan> plans = propose(graph, request, &loosen);
    if (plans.empty()) return plans;
    Stopwatch watch(request.memory.batch, device, notes);
    const double now = watch.measure(graph);
    const double most = limit.isMultiple ? limit.amount * now : limit.amount;
    double fastest = std::numeric_limits<double>::infinity(), fastestSide = fastest;  // of those that change only the side
    for (int search = 0; search < kMostSearches && !plans.empty(); ++search) {
        std::int64_t cheapest = plans.front().after.macs;
        for (Plan& plan : plans) {
            plan.latency = {now, watch.measure(plan.graph), request.memory.batch, watch.measuredOn()};
            double& least = isSideChange(plan.edits) ? fastestSide : fastest;
            least = std::min(least, plan.latency->after);
            cheapest = std::min(cheapest, plan.after.macs);
        }
        std::erase_if(plans, [&](const Plan& plan) { return plan.latency->after > most; });
        if (!plans.empty()) return plans;
        // Few multiply-accumulates are no promise of a fast network, but what there is to go by.
        request.maxMacs = cheapest - 1;
        plans = propose(graph, request);
    }
    loosen = {loosenedLatency(microseconds(most), microseconds(std::isfinite(fastest) ? fastest : fastestSide))};
    return {};
}

}  // namespace fovea::cli
