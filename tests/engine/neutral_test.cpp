// What refinements add starts so that the network computes what it did: run by LibTorch, with one set of weights.
#include "core/refine/catalogue.h"
#include "core/refine/widths.h"
#include "core/train/module.h"
#include "tests/support/text_graph.h"

#include <gtest/gtest.h>

#include <cmath>

namespace fovea::test {
namespace {

using refine::Candidate;
using refine::Scene;

// A residual network with gates; after 12 pixels every path has seen all of the image, so its tail can be cut. The
// number of channels is the same throughout, so a cut leaves the head's weights alone.
const char* const kResidual =
    "input 3x12x12 > conv:stem k=3 p=1 c=8 > bn:n0 > relu:r0;"
    "@r0 > conv:a1 k=3 p=1 c=8 bias=0 > bn:n1 > relu:r1 > conv:a2 k=3 p=1 c=8 bias=0 > bn:n2 > add:s1 @r0 > relu:e1;"
    "@e1 > conv:down k=3 s=2 p=1 c=8 bias=0 > bn:n3 > relu:e2;"
    "@e2 > conv:dw k=3 p=1 c=8 g=8 > relu:r2 > conv:pw k=1 c=8 > add:s2 @e2 > relu:e3;"
    "@e3 > conv:b1 k=3 s=2 p=1 c=8 > relu:e4 > conv:b2 k=3 p=1 c=8 > relu:e5 > conv:b3 k=3 p=1 c=8 > relu:e6 >"
    "gap:g > flatten:f > linear:fc c=5";

const char* const kChain =
    "input 3x12x12 > conv:a k=3 p=1 c=8 > relu:ra > conv:b k=3 p=1 c=8 > relu:rb > maxpool:p k=2 >"
    "conv:c k=3 p=1 c=8 > relu:rc > maxpool:q k=2 > conv:d k=3 p=1 c=8 > relu:rd > conv:e k=3 p=1 c=8 > relu:re >"
    "gap:g > flatten:f > linear:fc c=5";

double largestDifference(const Graph& a, const Graph& b, const Weights& trained)
{
    const Module first(a, materialise(a, trained, 7)), second(b, materialise(b, trained, 7));
    const NamedTensors input = first.randomInputs(3);
    const Tensor mine = first.forward(input).begin()->second, theirs = second.forward(input).begin()->second;
    EXPECT_EQ(mine.dims, theirs.dims);
    double difference = 0, size = 0;
    for (std::int64_t i = 0; i < mine.elements(); ++i) {
        difference = std::max(difference, std::abs(mine.real(i) - theirs.real(i)));
        size = std::max(size, std::abs(mine.real(i)));
    }
    EXPECT_GT(size, 1e-3);
    return difference / size;
}

bool removesSame(const Candidate& a, const Candidate& b)
{
    const auto removed = [](const Candidate& candidate) {
        std::set<NodeId> out;
        for (const auto& change : candidate.changes)
            if (change.edit.op == Edit::Op::Remove) out.insert(change.layer);
        return out;
    };
    return removed(a) == removed(b);
}

TEST(Neutral, aSkipAroundABlockChangesNothing)
{
    const Graph graph = graphOf(kResidual);
    const Report report = analyze(graph);
    const std::set<NodeId> keep;
    const std::vector<Candidate> skips = refine::addSkips(Scene(graph, report, keep));
    ASSERT_FALSE(skips.empty());
    EXPECT_LT(analyze(skips.front().appliedTo(graph)).summary.iMin->h, report.summary.iMin->h);
    for (const Candidate& skip : skips) {
        const Graph refined = skip.appliedTo(graph);
        EXPECT_LT(largestDifference(graph, refined, materialise(graph, {}, 1)), 1e-5);
    }
}

TEST(Neutral, moreChannelsChangeNothing)
{
    for (const char* network : {kResidual, kChain}) {
        const Graph graph = graphOf(network);
        const Report report = analyze(graph);
        const std::set<NodeId> keep;
        const Graph wide = Candidate{refine::Widths(Scene(graph, report, keep)).times(2)}.appliedTo(graph);
        EXPECT_GT(analyze(wide).summary.parameters, 3 * report.summary.parameters);
        EXPECT_LT(largestDifference(graph, wide, materialise(graph, {}, 1)), 1e-5);
    }
}

TEST(Neutral, newChannelsCanLearnBecauseOnlyWhatReadsThemIsZero)
{
    const Graph graph = graphOf(kChain);
    const Report report = analyze(graph);
    const std::set<NodeId> keep;
    const Graph wide = Candidate{refine::Widths(Scene(graph, report, keep)).times(2)}.appliedTo(graph);
    const Weights weights = materialise(wide, materialise(graph, {}, 1), 7);
    const Tensor& a = *weights.find("a.weight");  // 16 x 3 x 3 x 3
    EXPECT_NE(a.real(8 * 27), 0);
    const Tensor& b = *weights.find("b.weight");  // 16 x 16 x 3 x 3
    EXPECT_EQ(b.real(8 * 9), 0);                  // an old channel reads a new one
}

TEST(Neutral, blocksThatComeAgainInEarlierStagesChangeNothing)
{
    for (const char* network : {kResidual, kChain}) {
        const Graph graph = graphOf(network);
        const Report report = analyze(graph);
        const std::set<NodeId> keep;
        const Scene scene(graph, report, keep);
        const Weights trained = materialise(graph, {}, 1);
        int compared = 0, repeated = 0;
        for (const Candidate& cut : refine::cutTail(scene))
            for (const Candidate& spread : refine::spreadTail(scene)) {
                if (!removesSame(cut, spread)) continue;
                ++compared;
                repeated += spread.appliedTo(graph).nodes().size() > cut.appliedTo(graph).nodes().size();
                EXPECT_LT(largestDifference(cut.appliedTo(graph), spread.appliedTo(graph), trained), 1e-4);
            }
        EXPECT_GE(compared, 2);
        EXPECT_GE(repeated, 1);
    }
}

}  // namespace
}  // namespace fovea::test
