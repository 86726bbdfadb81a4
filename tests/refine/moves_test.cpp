// Strides, stem kernels and sides; poolings have a file of their own.
#include "tests/refine/edit_text.h"
#include "tests/support/text_graph.h"

#include <gtest/gtest.h>

namespace fovea::test {
namespace {

using refine::changeSide;
using refine::relaxStrides;
using refine::shrinkStem;
using Texts = std::vector<std::string>;

const char* const kResidual =
    "input 3x32x32 > conv:stem k=3 p=1 c=8; @stem > conv:main k=3 s=2 p=1 c=16 > relu > conv:second k=3 p=1 c=16;"
    "@stem > conv:skip k=1 s=2 c=16; @second > add:sum @skip > gap > flatten > linear c=10";

TEST(RelaxStride, aStrideOfAChainBecomesOneAndNothingElseChanges)
{
    const Graph graph = graphOf("input 3x32x32 > conv:a k=7 s=2 p=3 c=8 > conv:b k=3 s=3x2 p=1 c=8 > gap");
    const auto found = listed(relaxStrides, graph);
    EXPECT_EQ(editTexts(found), (Texts{"set a.stride 2x2 1x1", "set b.stride 3x2 1x1"}));
    EXPECT_EQ(layer(found[0].graph, "a").attrs.at("stride", 0, 0), 1);
    EXPECT_EQ(layer(found[0].graph, "b").attrs.at("stride", 0, 0), 3);
    EXPECT_EQ(diff(graph, found[0].graph).changed, (std::vector<NodeId>{layer(graph, "a").id}));
}

TEST(RelaxStride, aBlockAndItsShortcutAreRelaxedTogether)
{
    const auto found = listed(relaxStrides, graphOf(kResidual));
    ASSERT_EQ(editTexts(found), (Texts{"set main.stride 2x2 1x1; set skip.stride 2x2 1x1"}));
    EXPECT_EQ(analyze(found[0].graph).find(layer(found[0].graph, "sum").id)->out[0].shape.text(), "1x16x32x32");
}

// Every second row and column of the block's input, as in networks for CIFAR-10.
TEST(RelaxStride, aShortcutWithoutParametersIsRelaxedWithItsBlock)
{
    const auto network = [](const std::string& start) {
        return "input 3x16x16 > conv:stem k=3 p=1 c=8; @stem > conv:main k=3 s=2 p=1 c=8 > relu;"
               "@stem > slice:every dim=2x3 end=100x100 step=2x2 start=" +
               start + "; @relu > add:sum @every > gap";
    };
    const auto found = listed(relaxStrides, graphOf(network("0x0")));
    ASSERT_EQ(editTexts(found), (Texts{"set main.stride 2x2 1x1; set every.step 2x2 1x1"}));
    EXPECT_EQ(analyze(found[0].graph).find(layer(found[0].graph, "sum").id)->out[0].shape.text(), "1x8x16x16");
    EXPECT_EQ(editTexts(listed(relaxStrides, graphOf(network("0x0")), {"every"})), Texts{});
    EXPECT_EQ(editTexts(listed(relaxStrides, graphOf(network("1x1")))), Texts{});
}

TEST(RelaxStride, aBlockWhoseShortcutIsKeptIsNotRelaxed)
{
    EXPECT_EQ(editTexts(listed(relaxStrides, graphOf(kResidual), {"skip"})), Texts{});
    EXPECT_EQ(editTexts(listed(relaxStrides, graphOf(kResidual), {"main"})), Texts{});
}

TEST(RelaxStride, theStrideThatIsMissingOnTheOtherBranchMayLieFurtherUpAndInSeveralLayers)
{
    // The first branch halves twice, the second once by 4: relaxing the 4 takes both halves.
    const auto found = listed(relaxStrides, graphOf("input 3x32x32 > conv:stem k=3 p=1 c=8;"
                                                    "@stem > conv:a k=3 s=2 p=1 c=8 > conv:b k=3 s=2 p=1 c=8;"
                                                    "@stem > conv:c k=5 s=4 p=2 c=8; @b > concat @c > gap"));
    EXPECT_EQ(editTexts(found), Texts{});
    const auto threeWays = listed(relaxStrides, graphOf("input 3x32x32 > conv:stem k=3 p=1 c=8;"
                                                        "@stem > conv:a k=3 s=2 p=1 c=8 > conv:a2 k=3 p=1 c=8;"
                                                        "@stem > conv:b k=5 s=2 p=2 c=8; @stem > maxpool:c k=3 s=2 p=1;"
                                                        "@a2 > concat @b @c > gap"));
    EXPECT_EQ(editTexts(threeWays), (Texts{"set a.stride 2x2 1x1; set b.stride 2x2 1x1; set c.stride 2x2 1x1"}));
}

TEST(RelaxStride, aGateThatSeesTheWholeMapDoesNotStandInTheWay)
{
    const auto found = listed(relaxStrides, graphOf("input 3x32x32 > conv:main k=3 s=2 p=1 c=8;"
                                                    "@main > gap > conv:squeeze k=1 c=8 > sigmoid:gate;"
                                                    "@main > mul:scaled @gate > gap"));
    EXPECT_EQ(editTexts(found), (Texts{"set main.stride 2x2 1x1"}));
}

TEST(RelaxStride, whereADecoderMeetsItsEncoderAtFullResolutionNothingCanBeRelaxed)
{
    EXPECT_EQ(
        editTexts(listed(relaxStrides, graphOf("input 3x32x32 > conv:top k=3 p=1 c=4 > conv:down k=3 s=2 p=1 c=4 >"
                                               "convtranspose2d:up k=2 s=2 c=4; @up > concat @top"))),
        Texts{});
}

TEST(RelaxStride, aPoolingWithoutOverlapIsRemovedAndOneWithOverlapIsEither)
{
    const auto found =
        listed(relaxStrides, graphOf("input 3x32x32 > conv:a k=3 p=1 c=8 > maxpool:flat k=2 > conv:b k=3 p=1 c=8 >"
                                     "maxpool:wide k=3 s=2 p=1 > conv:c k=3 p=1 c=8 > gap"));
    EXPECT_EQ(editTexts(found), (Texts{"remove flat", "set wide.stride 2x2 1x1", "remove wide"}));
    EXPECT_EQ(found[0].graph.findByName("flat"), nullptr);
    EXPECT_EQ(layer(found[0].graph, "b").inputs[0].node, layer(found[0].graph, "a").id);
}

TEST(RelaxStride, aPatchConvolutionGetsThePaddingItNeedsAtStrideOne)
{
    const auto found =
        listed(relaxStrides, graphOf("input 3x32x32 > conv:patch k=2 s=2 c=8 > conv:b k=3 p=1 c=8 > gap"));
    ASSERT_EQ(editTexts(found), (Texts{"set patch.stride 2x2 1x1; set patch.padding 0x0x0x0 0x0x1x1"}));
    EXPECT_EQ(analyze(found[0].graph).layers[0].out[0].shape.text(), "1x8x32x32");
}

TEST(RelaxStride, layersBehindAGlobalPoolingAreLeftAlone)
{
    EXPECT_EQ(
        editTexts(listed(relaxStrides, graphOf("input 3x32x32 > conv k=3 p=1 c=8 > gap > conv:head k=1 s=2 c=8"))),
        Texts{});
}

TEST(ShrinkStem, theFirstKernelShrinksInStepsOfTwoAndKeepsTheSide)
{
    const auto found =
        listed(shrinkStem, graphOf("input 3x32x32 > conv:stem k=7 s=2 p=3 c=8 > conv:later k=5 p=2 c=8 > gap"));
    EXPECT_EQ(editTexts(found), (Texts{"set stem.kernel_size 7x7 5x5; set stem.padding 3x3x3x3 2x2x2x2",
                                       "set stem.kernel_size 7x7 3x3; set stem.padding 3x3x3x3 1x1x1x1"}));
    for (const auto& candidate : found) EXPECT_EQ(analyze(candidate.graph).layers[0].out[0].shape.text(), "1x8x16x16");
}

TEST(ShrinkStem, anAxisThatIsSmallAlreadyStays)
{
    EXPECT_EQ(editTexts(listed(shrinkStem, graphOf("input 3x32x32 > conv:stem k=3x5 p=1x2 c=8 > gap"))),
              (Texts{"set stem.kernel_size 3x5 3x3; set stem.padding 1x2x1x2 1x1x1x1"}));
}

TEST(ShrinkStem, aStemThatCutsPatchesGetsPatchesOfHalfTheSide)
{
    EXPECT_EQ(editTexts(listed(shrinkStem, graphOf("input 3x32x32 > conv:stem k=4 s=4 c=8 > conv k=7 p=3 c=8 > gap"))),
              (Texts{"set stem.kernel_size 4x4 2x2; set stem.stride 4x4 2x2"}));
}

TEST(ShrinkStem, aSmallKeptOrBranchedStemIsLeftAlone)
{
    EXPECT_EQ(editTexts(listed(shrinkStem, graphOf("input 3x32x32 > conv k=3 s=2 p=1 c=8 > conv k=7 p=3 c=8 > gap"))),
              Texts{});
    EXPECT_EQ(editTexts(listed(shrinkStem, graphOf("input 3x32x32 > conv:stem k=7 p=3 c=8 > gap"), {"stem"})), Texts{});
    EXPECT_EQ(
        editTexts(listed(
            shrinkStem,
            graphOf("input 3x32x32:i; @input > conv:a k=3 p=1 c=3; @a > add:sum @input > conv k=7 p=3 c=8 > gap"))),
        Texts{});
}

TEST(ChangeSide, theSideGrowsToTheSmallestMultipleOfTheTotalStrideThatIsFullyUsed)
{
    // Fields 7, 11, 27 with jumps 2, 4, 4 on the long path, and a 1x1 beside the last convolution, so that
    // i_min is 11 and i_max 27.
    const auto found =
        listed(changeSide, graphOf("input 3x9x9 > conv k=7 s=2 p=3 c=8 > maxpool:pool k=3 s=2 p=1;"
                                   "@pool > conv:c k=5 p=2 c=8; @pool > conv:d k=1 c=8; @c > add @d > gap"));
    EXPECT_EQ(editTexts(found), (Texts{"set input.shape 1x3x9x9 1x3x27x27"}));
}

TEST(ChangeSide, aSideAboveTheLargestFieldShrinksToIt)
{
    EXPECT_EQ(
        editTexts(listed(changeSide,
                         graphOf("input 3x32x20 > conv k=3 p=1 c=8 > conv k=3 s=2 p=1 c=8 > conv k=3 p=1 c=8 > gap"))),
        (Texts{"set input.shape 1x3x32x20 1x3x9x9"}));
}

TEST(ChangeSide, aSideThatSuitsTheNetworkStays)
{
    EXPECT_EQ(
        editTexts(listed(changeSide,
                         graphOf("input 3x9x9 > conv k=3 p=1 c=8 > conv k=3 s=2 p=1 c=8 > conv k=3 p=1 c=8 > gap"))),
        Texts{});
}

}  // namespace
}  // namespace fovea::test
