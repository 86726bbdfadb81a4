// The search against trying everything, and against fresh analyses, on many small networks.
#include "core/refine/differences.h"
#include "core/refine/search.h"
#include "tests/refine/edit_text.h"
#include "tests/support/text_graph.h"

#include <gtest/gtest.h>

#include <cmath>
#include <deque>
#include <optional>
#include <random>
#include <tuple>
#include <unordered_set>

namespace fovea::test {
namespace {

using refine::Candidate;
using refine::Scene;
using refine::Score;

std::string text(std::uint64_t number) { return std::to_string(number); }

// A chain with blocks whose branches meet again, of `layers` windows at most, at a side from 8 to 40.
std::string randomNetwork(std::uint64_t seed, std::size_t layers)
{
    std::mt19937_64 random(seed);
    const auto pick = [&](std::uint64_t count) { return random() % count; };
    std::string out = "input 3x" + text(8 + pick(33)) + "x" + text(8 + pick(33)) + ":i";
    for (std::size_t i = 0; i < layers; ++i) {
        const std::string n = text(i);
        const std::uint64_t kernel = 3 + 2 * pick(3);
        switch (pick(6)) {
        case 0: out += " > maxpool:p" + n + " k=2"; break;
        case 1: out += " > maxpool:q" + n + " k=3 s=2 p=1"; break;
        case 2: out += " > conv:s" + n + " k=" + text(kernel) + " s=2 p=" + text(kernel / 2) + " c=4"; break;
        case 3:
            out += " > conv:r" + n + " k=1 c=4; @r" + n + " > conv:m" + n + " k=3 s=2 p=1 c=4; @r" + n + " > conv:w" +
                   n + " k=1 s=2 c=4; @m" + n + " > add:a" + n + " @w" + n;
            break;
        default: out += " > conv:c" + n + " k=" + text(kernel) + " p=" + text(kernel / 2) + " c=4"; break;
        }
    }
    return out + " > gap:g > flatten:f > linear:l c=10";
}

bool fits(const Report& report, const Report& before)
{
    for (const Issue& issue : report.issues)
        if (issue.severity == Severity::Error) return false;
    return report.outputs == before.outputs;
}

// How good a network is, by the aims of the accuracy plan: what is wasted, whether i_min is within the side, how many
// quarters of the parameters change shape, and the cost in quarter octaves.
using Worth = std::tuple<int, bool, std::int64_t, long>;

Worth worth(const Report& report, const Report& before)
{
    const Score score = refine::scoreOf(report);
    std::int64_t reshaped = 0;
    for (const LayerReport& old : before.layers) {
        const LayerReport* now = report.find(old.id);
        if (!now || now->parameters != old.parameters) reshaped += old.parameters.value_or(0);
    }
    const std::int64_t parameters = before.summary.parameters;
    const double octaves = std::log2(static_cast<double>(score.macs) / static_cast<double>(before.summary.macs));
    return {score.wasted, score.over > 0, (4 * reshaped + parameters - 1) / std::max<std::int64_t>(1, parameters),
            std::lround(4 * std::max(0.0, octaves))};
}

const Worth kNothingBetter{0, false, 0, 0};

std::string fingerprint(const Graph& graph)
{
    std::string out;
    for (const NodeId id : executionOrder(graph)) {
        const Node& node = graph.at(id);
        out += node.name + "(";
        for (const Port& port : node.inputs) out += std::to_string(port.node) + ",";
        for (const auto& [name, value] : node.attrs.entries()) out += name + "=" + toText(value) + ",";
        out += ")";
    }
    return out;
}

constexpr std::size_t kMostStates = 4'000;

// The best that any sequence of strides relaxed, poolings and strides moved, kernels and dilations changed and cuts
// reaches without adding parameters; nullopt where there are too many to try them all.
std::optional<std::pair<Worth, Graph>> bestOfAll(const Graph& graph, const Report& before)
{
    const std::set<NodeId> nothing;
    std::pair<Worth, Graph> best{worth(before, before), graph};
    std::unordered_set<std::string> seen{fingerprint(graph)};
    std::deque<Graph> open{graph};
    while (!open.empty() && best.first != kNothingBetter) {
        if (seen.size() > kMostStates) return std::nullopt;
        const Graph at = std::move(open.front());
        open.pop_front();
        const Report report = analyze(at);
        const Scene scene(at, report, nothing);
        for (const auto move :
             {refine::relaxStrides, refine::movePoolings, refine::moveStrides, refine::shrinkStem,
              refine::smallImageStem, refine::changeKernels, refine::changeDilations, refine::cutTail})
            for (const Candidate& candidate : move(scene)) {
                Graph next = candidate.appliedTo(at);
                if (!seen.insert(fingerprint(next)).second) continue;
                const Report after = analyze(next);
                if (!fits(after, before)) continue;
                if (after.summary.parameters <= before.summary.parameters && worth(after, before) < best.first)
                    best = {worth(after, before), next};
                open.push_back(std::move(next));
            }
    }
    return best;
}

TEST(Exhaustive, onNetworksOfUpToTwelveLayersNoCombinationBeatsTheBestPlan)
{
    int exhausted = 0;
    for (std::uint64_t seed = 1; seed <= 160; ++seed) {
        const std::string network = randomNetwork(seed, 2 + seed % 5);
        SCOPED_TRACE(std::to_string(seed) + ": " + network);
        const Graph graph = graphOf(network);
        const Report before = analyze(graph);
        if (std::get<0>(worth(before, before)) == 0 && !std::get<1>(worth(before, before))) continue;
        const auto best = bestOfAll(graph, before);
        if (!best) continue;  // claims nothing of a network whose combinations were not all tried
        ++exhausted;
        Worth found = worth(before, before);
        for (const Plan& plan : propose(graph))
            if (plan.edits.front().attribute != "shape") found = std::min(found, worth(analyze(plan.graph), before));
        EXPECT_LE(found, best->first) << editText(differences(graph, best->second));
    }
    EXPECT_GE(exhausted, 40);
}

std::int64_t tensorsKept(const Plan& plan) { return plan.weights.total(Transfer::Copied).parameters; }

void expectSound(const Plan& plan, const Graph& graph, const Report& before)
{
    SCOPED_TRACE(plan.title);
    const Report fresh = analyze(plan.graph);
    EXPECT_TRUE(fits(fresh, before));
    EXPECT_EQ(plan.after.iMin, fresh.summary.iMin);
    EXPECT_EQ(plan.after.iMax, fresh.summary.iMax);
    EXPECT_EQ(plan.after.verdicts, fresh.summary.verdicts);
    EXPECT_EQ(plan.after.parameters, fresh.summary.parameters);
    EXPECT_EQ(plan.after.macs, fresh.summary.macs);
    EXPECT_EQ(plan.memoryAfter.training, memoryOf(fresh).training);
    EXPECT_EQ(plan.memoryAfter.inference, memoryOf(fresh).inference);
    EXPECT_FALSE(plan.title.empty());
    EXPECT_FALSE(plan.reason.empty());
    if (std::none_of(plan.edits.begin(), plan.edits.end(), [](const Edit& e) { return e.op == Edit::Op::Add; })) {
        // The edits alone, as a script would make them, give the same network.
        const Report scripted = analyze(applied(graph, plan.edits));
        EXPECT_EQ(scripted.summary.iMin, fresh.summary.iMin);
        EXPECT_EQ(scripted.summary.macs, fresh.summary.macs);
        EXPECT_EQ(scripted.summary.parameters, fresh.summary.parameters);
    }
    if (plan.weights.total(Transfer::Sliced).tensors + plan.weights.total(Transfer::Padded).tensors +
            plan.weights.total(Transfer::Dropped).tensors ==
        0) {
        EXPECT_EQ(tensorsKept(plan), before.summary.parameters);
    }
    EXPECT_EQ(plan.weights.total(Transfer::Fresh).tensors, 0);
}

TEST(RandomNetworks, everyPlanFitsPredictsItsReportAndKeepsTheWeightsItSaysItKeeps)
{
    int plans = 0;
    for (std::uint64_t seed = 1; seed <= 500; ++seed) {
        const std::string network = randomNetwork(1000 + seed, 2 + seed % 10);
        SCOPED_TRACE(network);
        const Graph graph = graphOf(network);
        const Report before = analyze(graph);
        if (!fits(before, before)) continue;
        for (const Plan& plan : propose(graph)) {
            ++plans;
            expectSound(plan, graph, before);
        }
    }
    EXPECT_GE(plans, 1000);
}

// A tail that is cut is one decision, however many layers it has; poolings are called p and q here.
std::int64_t decisions(const Plan& plan)
{
    std::int64_t cut = 0;
    for (const Edit& edit : plan.edits)
        cut += edit.op == Edit::Op::Remove && edit.layer[0] != 'p' && edit.layer[0] != 'q';
    return static_cast<std::int64_t>(plan.edits.size()) - cut + (cut > 0);
}

// Only the first stride relaxed (with its partners) or the stem for small images.
bool isStemChange(const Plan& plan, const Graph& graph)
{
    const std::string& name = plan.edits.front().layer;
    if (plan.edits.front().op != Edit::Op::Set && plan.edits.front().op != Edit::Op::Remove) return false;
    for (const NodeId id : executionOrder(graph)) {
        if (graph.at(id).name == name) return true;
        if (graph.at(id).attrs.at("stride", 0, 1) > 1) return false;
    }
    return false;
}

TEST(RandomNetworks, noPlanIsBeatenByAnotherUnlessUsersLookForIt)
{
    int judged = 0;
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        const Graph graph = graphOf(randomNetwork(2000 + seed, 2 + seed % 8));
        const std::vector<Plan> plans = propose(graph);
        const auto values = [](const Plan& plan) {
            const Score score = refine::scoreOf(analyze(plan.graph));
            const std::int64_t kept = plan.weights.total(Transfer::Copied).parameters;
            return std::array<std::int64_t, 9>{
                score.wasted,     score.critical,        score.over, score.gap,      plan.after.macs,
                plan.memoryAfter.training, plan.after.parameters, -kept,      decisions(plan)};
        };
        for (const Plan& plan : plans) {
            const Edit& first = plan.edits.front();
            // The first stride, the stem for small images and another side are always offered.
            if (first.attribute == "shape" || isStemChange(plan, graph)) continue;
            ++judged;
            for (const Plan& other : plans) {
                if (&other == &plan || other.edits.front().attribute == "shape") continue;
                const auto a = values(other), b = values(plan);
                bool beats = a != b;
                for (std::size_t i = 0; i < a.size(); ++i) beats = beats && a[i] <= b[i];
                EXPECT_FALSE(beats) << other.title << " beats " << plan.title;
            }
        }
    }
    EXPECT_GE(judged, 200);
}

}  // namespace
}  // namespace fovea::test
