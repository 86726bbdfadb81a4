// Searches over moves: single ones first, then combinations, a beam of the most promising networks at a time.
#include "core/refine/describe.h"
#include "core/refine/search.h"

namespace fovea {

bool needsRefinement(const Report& report) { return !refine::scoreOf(report).clean(); }

namespace {

std::set<NodeId> keptLayers(const Graph& graph, const std::vector<std::string>& names)
{
    std::set<NodeId> out;
    for (const std::string& name : names) {
        const std::size_t known = out.size();
        for (const auto& node : graph.nodes())
            if (node->name == name || node->group == name || node->group.starts_with(name + ".")) out.insert(node->id);
        if (out.size() == known && !graph.findByName(name))
            throw Error(ErrorCode::Usage, "There is no layer or group '" + name + "' to keep in this network.");
    }
    return out;
}

Plan planFrom(const refine::State& state, const Graph& graph, const Report& before, const PlanRequest& request)
{
    Plan plan;
    plan.id = refine::planId(state.edits);
    plan.title = refine::titleOf(state.edits, graph);
    plan.edits = state.edits;
    plan.graph = state.graph;
    const Report after = analyze(plan.graph, request.analysis);
    plan.reason = refine::reasonOf(state.edits, before, after);
    plan.before = before.summary;
    plan.after = after.summary;
    plan.memoryBefore = memoryOf(before, request.memory).training;
    plan.memoryAfter = memoryOf(after, request.memory).training;
    plan.weights = planTransfer(graph, plan.graph);
    return plan;
}

}  // namespace

std::vector<Plan> propose(const Graph& graph, const PlanRequest& request, std::vector<Loosening>* loosen)
{
    const std::set<NodeId> keep = keptLayers(graph, request.keep);
    const Report before = analyze(graph, request.analysis);
    if (!needsRefinement(before)) return {};
    refine::Search search(graph, before, keep, request);
    std::vector<Plan> plans;
    for (const refine::State& state : search.run()) {
        if (search.cancelled()) return {};
        plans.push_back(planFrom(state, graph, before, request));
    }
    if (plans.empty() && loosen && !search.cancelled()) *loosen = search.loosenings();
    return plans;
}

}  // namespace fovea
