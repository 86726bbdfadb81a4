// Searches over moves: single ones first, then combinations, a beam of the most promising networks at a time.
#include "core/graph/names.h"
#include "core/refine/catalogue.h"
#include "core/refine/describe.h"
#include "core/refine/search.h"

#include <algorithm>

namespace fovea {

bool needsRefinement(const Report& report) { return !refine::scoreOf(report).clean(); }

const Issue* firstError(const Report& report)
{
    const auto error = std::find_if(report.issues.begin(), report.issues.end(),
                                    [](const Issue& issue) { return issue.severity == Severity::Error; });
    return error == report.issues.end() ? nullptr : &*error;
}

std::int64_t leastParameters(const PlanRequest& request, std::int64_t now)
{
    if (request.minParameters) return *request.minParameters;
    return request.want == Want::Accuracy ? now - now / 100 : 0;
}

std::int64_t outputStrideOf(const Report& report)
{
    const PerAxis<std::int64_t> jump = refine::coarsestJump(report);
    return std::max(jump.h, jump.w);
}

namespace {

std::set<NodeId> keptLayers(const Graph& graph, const std::vector<std::string>& names)
{
    std::set<NodeId> out;
    for (const std::string& name : names) {
        bool known = false;
        for (const auto& node : graph.nodes()) {
            if (node->name != name && moduleName(node->name) != name && node->group != name &&
                !node->group.starts_with(name + "."))
                continue;
            out.insert(node->id);
            known = true;
        }
        if (!known) throw Error(ErrorCode::Usage, "There is no layer or group '" + name + "' to keep in this network.");
    }
    return out;
}

MemoryNeed needOf(const Report& report, const MemoryOptions& options)
{
    const MemoryReport memory = memoryOf(report, options);
    return {memory.training, memory.inference};
}

std::vector<NodeId> relieved(const Report& before, const Report& after)
{
    std::vector<NodeId> out;
    for (const LayerReport& old : before.layers) {
        if (!old.window || !old.finite || old.verdict == Verdict::Productive) continue;
        const LayerReport* now = after.find(old.id);
        if (now && now->verdict == Verdict::Productive) out.push_back(old.id);
    }
    return out;
}

// Makes plans of one network, which it analyses once.
class PlanMaker {
public:
    PlanMaker(const Graph& graph, const Report& before, const PlanRequest& request)
        : m_graph(graph), m_before(before), m_request(request), m_memory(needOf(before, request.memory)),
          m_titles(graph), m_transfer(graph, request.weights.get()), m_outputs(before)
    {}

    Plan make(const std::vector<Edit>& edits, const Report& after) const
    {
        Plan plan;
        plan.id = refine::planId(edits);
        plan.title = m_titles.of(edits, std::pair(m_before.side, after.side));
        plan.edits = edits;
        plan.graph = after.graph;
        plan.issues = m_outputs.changes(after);
        plan.reason = refine::reasonOf(edits, m_before, after);
        for (const Issue& issue : plan.issues) plan.reason += " " + issue.message;
        plan.before = m_before.summary;
        plan.after = after.summary;
        plan.memoryBefore = m_memory;
        plan.memoryAfter = needOf(after, m_request.memory);
        plan.relieved = relieved(m_before, after);
        plan.weights = m_transfer.to(plan.graph);
        return plan;
    }

private:
    const Graph& m_graph;
    const Report& m_before;
    const PlanRequest& m_request;
    MemoryNeed m_memory;
    refine::Titles m_titles;
    TransferFrom m_transfer;
    refine::Outputs m_outputs;
};

// Where the network has errors already, a move that leaves one may still mend it together with others.
bool isOffered(const Report& after, const PlanRequest& request)
{
    return !request.accepts || firstError(after) || request.accepts(after.graph);
}

bool changesLayers(const Plan& plan) { return !isSideChange(plan.edits); }

// Where nothing can be done while these layers stay: the one to let go, or all, and what else is in the way then. Empty
// where that does not help either.
std::vector<Loosening> keptInTheWay(const Graph& graph, const PlanRequest& request)
{
    constexpr std::size_t kMostTried = 8;  // each is a search
    const auto count = static_cast<std::int64_t>(request.keep.size());
    if (count == 0) return {};
    const auto plansWith = [&](std::vector<std::string> keep, std::vector<Loosening>* loosen = nullptr) {
        PlanRequest other = request;
        other.keep = std::move(keep);
        return propose(graph, other, loosen);
    };
    std::vector<Loosening> out;
    const std::vector<Plan> free = plansWith({}, &out);
    if (free.empty() && out.empty()) return {};
    const bool more = std::any_of(free.begin(), free.end(), changesLayers);  // than the side
    for (std::size_t i = 0; !free.empty() && count > 1 && i < std::min(request.keep.size(), kMostTried); ++i) {
        std::vector<std::string> keep = request.keep;
        keep.erase(keep.begin() + static_cast<std::ptrdiff_t>(i));
        const std::vector<Plan> plans = plansWith(std::move(keep));
        if (more ? std::any_of(plans.begin(), plans.end(), changesLayers) : !plans.empty())
            return {{Loosening::Limit::Keep, count, count - 1, request.keep[i]}};
    }
    out.insert(out.begin(), {Loosening::Limit::Keep, count, 0, count == 1 ? request.keep[0] : std::string()});
    return out;
}

}  // namespace

std::vector<Loosening> exceededBy(const Plan& plan, const PlanRequest& request)
{
    refine::Score score;
    score.macs = plan.after.macs;
    score.parameters = plan.after.parameters;
    score.memory = plan.memoryAfter.training;
    score.inference = plan.memoryAfter.inference;
    if (request.outputStride) score.outputStride = outputStrideOf(analyze(plan.graph, request.analysis));
    return refine::exceeded(score, request);
}

Picks picksOf(const std::vector<Plan>& plans)
{
    Picks out;
    const auto take = [&plans](const Plan*& best, auto&& key) {
        for (const Plan& plan : plans) {
            if (plan.places[0] < 0 || isSideChange(plan.edits)) continue;
            if (!best || key(plan) < key(*best)) best = &plan;
        }
    };
    const auto place = [](Want want) {
        return [want](const Plan& plan) { return plan.places[static_cast<std::size_t>(want)]; };
    };
    take(out.cheapest, [](const Plan& plan) { return std::pair(plan.after.macs, plan.places[0]); });
    take(out.balanced, place(Want::Balance));
    take(out.productive, place(Want::Accuracy));
    return out;
}

Loosening loosenedLatency(std::int64_t from, std::int64_t fastest)
{
    return {Loosening::Limit::Latency, from, fastest + fastest / 10};
}

std::vector<Plan> propose(const Graph& graph, const PlanRequest& request, std::vector<Loosening>* loosen)
{
    const std::set<NodeId> keep = keptLayers(graph, request.keep);
    const Report before = analyze(graph, request.analysis);
    if (!needsRefinement(before)) return {};
    refine::Search search(graph, before, keep, request);
    const PlanMaker maker(graph, before, request);
    std::vector<Plan> plans;
    const std::vector<refine::State> states = search.run();
    for (const refine::State& state : states) {
        if (search.cancelled()) return {};
        plans.push_back(maker.make(state.edits, analyze(state.graph, request.analysis)));
    }
    for (const Want want : {Want::Accuracy, Want::Efficiency, Want::Balance}) {
        const std::vector<std::size_t> order = search.ranked(states, want);
        for (std::size_t place = 0; place < order.size(); ++place)
            plans[order[place]].places[static_cast<std::size_t>(want)] = static_cast<int>(place);
    }
    if (!plans.empty() || !loosen || search.cancelled()) return plans;
    *loosen = search.loosenings();
    if (loosen->empty()) *loosen = keptInTheWay(graph, request);
    return plans;
}

std::vector<Plan> listMoves(const Graph& graph, const PlanRequest& request)
{
    const std::set<NodeId> keep = keptLayers(graph, request.keep);
    const Report before = analyze(graph, request.analysis);
    const refine::Validity validity(before);
    const refine::EditOrder order(graph);
    const PlanMaker maker(graph, before, request);
    std::vector<Plan> out;
    std::set<std::string> ids;
    for (const refine::Candidate& candidate : refine::everyMove(refine::Scene(graph, before, keep))) {
        if (request.isCancelled()) return {};
        const std::vector<Edit> edits = order.merged({}, candidate.edits());
        if (edits.empty() || !ids.insert(refine::planId(edits)).second) continue;
        const Report after = analyze(candidate.appliedTo(graph), request.analysis);
        if (validity.holds(after, candidate.reshaped) && isOffered(after, request))
            out.push_back(maker.make(edits, after));
    }
    return out;
}

Plan combine(const Graph& graph, const std::vector<std::string>& ids, const PlanRequest& request)
{
    const std::set<NodeId> keep = keptLayers(graph, request.keep);
    const Report before = analyze(graph, request.analysis);
    const refine::Validity validity(before);
    const refine::EditOrder order(graph);
    Report now = before;
    std::vector<Edit> edits;
    refine::Reshaped reshaped;
    for (const std::string& id : ids) {
        const std::vector<refine::Candidate> all = refine::everyMove(refine::Scene(now.graph, now, keep));
        const auto it = std::find_if(all.begin(), all.end(), [&](const refine::Candidate& candidate) {
            return refine::planId(order.merged({}, candidate.edits())) == id;
        });
        const auto impossible = [&] {
            return Error(ErrorCode::Usage, edits.empty()
                                               ? "There is no move '" + id + "' in this network."
                                               : "After the moves before it, '" + id +
                                                     "' can no longer be made; choose other moves or another order.");
        };
        if (it == all.end()) throw impossible();
        edits = order.merged(edits, it->edits());
        reshaped.add(it->reshaped);
        now = analyze(it->appliedTo(now.graph), request.analysis);
        if (!validity.holds(now, reshaped) || !isOffered(now, request)) throw impossible();
    }
    return PlanMaker(graph, before, request).make(edits, now);
}

}  // namespace fovea
