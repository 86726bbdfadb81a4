// The search against trying everything, and against fresh analyses, on many small networks.
#include "core/refine/differences.h"
#include "core/refine/search.h"
#include "tests/refine/edit_text.h"
#include "tests/support/text_graph.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <iostream>
#include <optional>
#include <random>
#include <sstream>
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

// A tail that is cut is one decision, however many layers it has; poolings are called p and q here.
int decisions(const std::vector<Edit>& edits)
{
    const auto cut = std::count_if(edits.begin(), edits.end(), [](const Edit& edit) {
        return edit.op == Edit::Op::Remove && edit.layer[0] != 'p' && edit.layer[0] != 'q';
    });
    return static_cast<int>(edits.size()) - static_cast<int>(cut) + (cut > 0);
}

// The numbers by which the planner ranks, counted here once more.
Score scoreOf(const Report& before, const Report& after, const std::vector<Edit>& edits)
{
    Score out = refine::scoreOf(after);
    out.edits = decisions(edits);
    for (const LayerReport& old : before.layers) {
        const LayerReport* now = after.find(old.id);
        if (!now || now->parameters != old.parameters) out.reshaped += old.parameters.value_or(0);
        const bool productive = old.verdict == Verdict::Productive && old.op->opClass != OpClass::Pooling;
        out.lost += productive && (!now || now->verdict != Verdict::Productive);
    }
    return out;
}

// A network that moves lead to.
struct Reached {
    Report report;
    std::vector<Edit> edits;
    refine::Reshaped reshaped = {};
};

// What the planner never offers: what was added is not changed again, and a pooling that is moved keeps its stride.
bool isOffered(const std::vector<Edit>& before, const Candidate& candidate, const std::vector<Edit>& merged)
{
    const auto touches = [&](const Edit& added) {
        return added.op == Edit::Op::Add &&
               std::any_of(candidate.changes.begin(), candidate.changes.end(), [&](const refine::Change& change) {
                   return change.edit.layer == added.layer || change.edit.after == added.layer;
               });
    };
    const auto inVain = [&](const Edit& move) {
        return move.op == Edit::Op::Move && std::any_of(merged.begin(), merged.end(), [&](const Edit& set) {
                   return set.op == Edit::Op::Set && set.layer == move.layer;
               });
    };
    return std::none_of(before.begin(), before.end(), touches) && std::none_of(merged.begin(), merged.end(), inVain);
}

constexpr Want kWants[] = {Want::Accuracy, Want::Efficiency, Want::Balance};
constexpr std::size_t kMostStates = 3'000;

// Everything that sequences of moves reach, shorter ones first, up to kMostStates networks, each by the path that
// leads to it first. Another side of the image is left out: it comes last whatever it does.
class Exhaustion {
public:
    explicit Exhaustion(const Graph& graph)
        : m_before(analyze(graph)), m_start(refine::scoreOf(m_before)), m_validity(m_before), m_order(graph)
    {
        std::deque<Reached> open{{m_before, {}}};
        std::unordered_set<std::string> seen{fingerprint(graph)};
        bool first = true;
        while (!open.empty() && m_complete) {
            expand(open.front(), first, seen, open);
            open.pop_front();
            first = false;
        }
    }

    const Report& before() const { return m_before; }
    const Score& start() const { return m_start; }
    // Whether there is nothing beyond kMostStates.
    bool isComplete() const { return m_complete; }
    // By the planner's own order; null where nothing relieves.
    const std::pair<Score, std::vector<Edit>>* best(std::size_t want) const
    {
        return m_best[want] ? &*m_best[want] : nullptr;
    }

private:
    void expand(const Reached& at, bool first, std::unordered_set<std::string>& seen, std::deque<Reached>& open)
    {
        const std::set<NodeId> nothing;
        const Scene scene(at.report.graph, at.report, nothing);
        for (const Candidate& candidate : refine::movesFor(scene, {.first = first, .grow = m_start.shortfall > 0})) {
            const std::vector<Edit> edits = candidate.edits();
            Reached next{{}, m_order.merged(at.edits, edits), at.reshaped};
            if (edits.front().attribute == "shape" || !isOffered(at.edits, candidate, next.edits)) continue;
            Graph graph = candidate.appliedTo(at.report.graph);
            if (!seen.insert(fingerprint(graph)).second) continue;
            if (seen.size() > kMostStates) {
                m_complete = false;
                return;
            }
            next.report = analyze(graph);
            next.reshaped.add(candidate.reshaped);
            if (!m_validity.holds(next.report, next.reshaped)) continue;
            judge(next);
            open.push_back(std::move(next));
        }
    }

    void judge(const Reached& reached)
    {
        const Score score = scoreOf(m_before, reached.report, reached.edits);
        if (!relieves(score, m_start) || score.parameters > m_start.parameters) return;
        // Accuracy keeps the parameters, to a hundredth.
        const bool keeps = 100 * score.parameters >= 99 * m_start.parameters;
        for (std::size_t want = 0; want < std::size(kWants); ++want)
            if (kWants[want] == Want::Accuracy && !keeps) continue;
            else if (!m_best[want] || ranksBefore(score, m_best[want]->first, kWants[want], m_start))
                m_best[want] = {score, reached.edits};
    }

    Report m_before;
    Score m_start;
    refine::Validity m_validity;
    refine::EditOrder m_order;
    std::optional<std::pair<Score, std::vector<Edit>>> m_best[std::size(kWants)];
    bool m_complete = true;
};

std::string text(const Score& s, const std::vector<Edit>& edits)
{
    std::ostringstream out;
    out << editText(edits) << ": " << s.wasted << " wasted, " << s.critical << " critical, over " << s.over << ", gap "
        << s.gap << ", " << s.macs << " MACs, " << s.edits << " edits, " << s.reshaped << " reshaped, " << s.lost
        << " lost";
    return out.str();
}

// Networks of at most this many layers, the head's three among them.
constexpr std::size_t kMostLayers = 12;
// Under the sanitizers, which take ten times as long, a quarter of the networks.
#ifdef __SANITIZE_ADDRESS__
constexpr std::uint64_t kShare = 4;
#else
constexpr std::uint64_t kShare = 1;
#endif
constexpr std::uint64_t kParts = 8, kNetworks = 160 / kShare;

// One of kParts parts, so that they run side by side.
class Exhaustive : public testing::TestWithParam<std::uint64_t> {};

// For every wish: no network that exhaustive search reaches comes before the first plan in the planner's own order, in
// nothing, not even where it is the last tie that decides. Where there are more than kMostStates networks, those of
// the shortest sequences of moves are tried: all that take two moves, and most that take three.
TEST_P(Exhaustive, onNetworksOfUpToTwelveLayersTheFirstPlanIsNeverWorse)
{
    int complete = 0, judged = 0;
    for (std::uint64_t seed = 1 + GetParam(); seed <= kNetworks; seed += kParts) {
        const std::string network = randomNetwork(5000 + seed, 2 + seed % 7);
        SCOPED_TRACE(std::to_string(seed) + ": " + network);
        const Graph graph = graphOf(network);
        if (const Report report = analyze(graph); report.layers.size() > kMostLayers || !needsRefinement(report))
            continue;
        const Exhaustion all(graph);
        ++judged;
        complete += all.isComplete();
        for (std::size_t want = 0; want < std::size(kWants); ++want) {
            SCOPED_TRACE("want " + std::to_string(want));
            const auto* best = all.best(want);
            if (!best) continue;
            const std::vector<Plan> plans = propose(graph, {.want = kWants[want]});
            if (plans.empty() || plans.front().edits.front().attribute == "shape") {
                ADD_FAILURE() << "no plan, yet " << text(best->first, best->second);
                continue;
            }
            const Plan& plan = plans.front();
            const Score found = scoreOf(all.before(), analyze(plan.graph), plan.edits);
            EXPECT_FALSE(ranksBefore(best->first, found, kWants[want], all.start()))
                << "found:  " << text(found, plan.edits) << "\nbetter: " << text(best->first, best->second);
        }
    }
    std::cout << judged << " networks, " << complete << " of them exhausted\n";
    EXPECT_GE(judged, 6 / static_cast<int>(kShare));
    // A part of a part is too few to count on.
    if (kShare == 1) {
        EXPECT_GE(3 * complete, judged);
    }
}

INSTANTIATE_TEST_SUITE_P(Parts, Exhaustive, testing::Range(std::uint64_t{0}, kParts));

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
    if (!addsLayers(plan.edits)) {
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

constexpr std::uint64_t kRandomParts = 20;

class RandomNetworks : public testing::TestWithParam<std::uint64_t> {};

TEST_P(RandomNetworks, everyPlanFitsPredictsItsReportAndKeepsTheWeightsItSaysItKeeps)
{
    int plans = 0;
    for (std::uint64_t seed = 1 + GetParam(); seed <= 500 / kShare; seed += kRandomParts) {
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
    EXPECT_GE(plans, 50 / static_cast<int>(kShare));
}

// A pooling is moved, and then layers are taken away: no plan names one that is gone as the place of another.
TEST(Combine, namesNoLayerThatIsGoneAsThePlaceOfAnother)
{
    const auto has = [](const Plan& plan, Edit::Op op) {
        return std::any_of(plan.edits.begin(), plan.edits.end(), [&](const Edit& edit) { return edit.op == op; });
    };
    int combined = 0;
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        const std::string network = randomNetwork(3000 + seed, 4 + seed % 7);
        SCOPED_TRACE(network);
        const Graph graph = graphOf(network);
        const std::vector<Plan> moves = listMoves(graph);
        for (const Plan& first : moves) {
            if (!has(first, Edit::Op::Move)) continue;
            for (const Plan& second : moves) {
                if (!has(second, Edit::Op::Remove)) continue;
                try {
                    const Plan both = combine(graph, {first.id, second.id});
                    for (const Edit& edit : both.edits) {
                        if (edit.op != Edit::Op::Move) continue;
                        EXPECT_TRUE(both.graph.findByName(edit.after)) << both.title;
                        ++combined;
                    }
                } catch (const Error& error) {
                    EXPECT_EQ(error.code(), ErrorCode::Usage);
                }
            }
        }
    }
    EXPECT_GE(combined, 20);
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

TEST_P(RandomNetworks, noPlanIsBeatenByAnotherUnlessUsersLookForIt)
{
    int judged = 0;
    for (std::uint64_t seed = 1 + GetParam(); seed <= 100; seed += kRandomParts) {
        const Graph graph = graphOf(randomNetwork(2000 + seed, 2 + seed % 8));
        const std::vector<Plan> plans = propose(graph);
        const auto values = [](const Plan& plan) {
            const Score score = refine::scoreOf(analyze(plan.graph));
            const std::int64_t kept = plan.weights.total(Transfer::Copied).parameters;
            return std::array<std::int64_t, 9>{score.wasted,
                                               score.critical,
                                               score.over,
                                               score.gap,
                                               plan.after.macs,
                                               plan.memoryAfter.training,
                                               plan.after.parameters,
                                               -kept,
                                               decisions(plan.edits)};
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
    EXPECT_GE(judged, 3);
}

INSTANTIATE_TEST_SUITE_P(Parts, RandomNetworks, testing::Range(std::uint64_t{0}, kRandomParts));

}  // namespace
}  // namespace fovea::test
