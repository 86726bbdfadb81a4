// Strides that move, windows that change, tails that are cut, and how layers of imported files are named.
#include "core/graph/names.h"
#include "tests/refine/edit_text.h"
#include "tests/support/text_graph.h"

#include <gtest/gtest.h>

namespace fovea::test {
namespace {

using refine::addStrides;
using refine::changeDilations;
using refine::changeKernels;
using refine::cutTail;
using refine::moveStrides;
using refine::relaxStrides;
using Texts = std::vector<std::string>;

const char* const kStrided = "input 3x8x8 > conv:a k=3 s=2 p=1 c=4 > conv:b k=3 p=1 c=4 > conv:c k=3 p=1 c=4 > gap";

TEST(MoveStride, aStrideMovesToEveryLaterWindowThatKeepsItsSide)
{
    const auto found = listed(moveStrides, graphOf(kStrided));
    EXPECT_EQ(editTexts(found),
              (Texts{"set a.stride 2x2 1x1; set b.stride 1x1 2x2", "set a.stride 2x2 1x1; set c.stride 1x1 2x2"}));
    for (const auto& candidate : found) EXPECT_EQ(analyze(candidate.graph).layers[2].out[0].shape.text(), "1x4x4x4");
    EXPECT_EQ(editTexts(listed(moveStrides, graphOf(kStrided), {"b"})),
              (Texts{"set a.stride 2x2 1x1; set c.stride 1x1 2x2"}));
}

TEST(MoveStride, aBlockWithAnIdentityShortcutTakesNoStride)
{
    EXPECT_EQ(
        editTexts(listed(moveStrides,
                         graphOf("input 3x8x8 > conv:a k=3 s=2 p=1 c=4; @a > conv:b k=3 p=1 c=4 > add @a > gap"))),
        Texts{});
}

TEST(AddStride, isListedOnlyWhereTheFieldIsSmallerThanTheSide)
{
    EXPECT_EQ(editTexts(listed(addStrides, graphOf(kStrided))), Texts{});
    EXPECT_EQ(editTexts(listed(addStrides, graphOf("input 3x32x32 > conv:a k=3 p=1 c=4 > conv:b k=3 p=1 c=4 > gap"))),
              (Texts{"set a.stride 1x1 2x2", "set b.stride 1x1 2x2"}));
}

TEST(RelaxStride, aStrideOfFourIsHalvedWithTheKernelKept)
{
    const auto found = listed(relaxStrides, graphOf("input 3x32x32 > conv:stem k=4 s=4 c=8 > conv k=7 p=3 c=8 > gap"));
    ASSERT_EQ(editTexts(found).back(), "set stem.stride 4x4 2x2; set stem.padding 0x0x0x0 1x1x1x1");
    EXPECT_EQ(analyze(found.back().graph).layers[0].out[0].shape.text(), "1x8x16x16");
}

TEST(ChangeKernels, wideLateKernelsShrinkAndKeepTheirSide)
{
    EXPECT_EQ(
        editTexts(listed(changeKernels, graphOf("input 3x8x8 > conv:a k=3 s=2 p=1 c=4 > conv:b k=5 p=2 c=4 > gap"))),
        (Texts{"set b.kernel_size 5x5 3x3; set b.padding 2x2x2x2 1x1x1x1"}));
}

TEST(ChangeDilations, dilationGoesWhereFieldsAreLargeAndComesWhereTheyAreSmall)
{
    EXPECT_EQ(editTexts(listed(changeDilations, graphOf("input 3x5x5 > conv:a k=3 d=2 p=2 c=4 > gap"))),
              (Texts{"set a.dilation 2x2 1x1; set a.padding 2x2x2x2 1x1x1x1"}));
    EXPECT_EQ(editTexts(listed(changeDilations, graphOf("input 3x9x9 > conv:a k=3 p=1 c=4 > gap"))),
              (Texts{"set a.dilation 1x1 2x2; set a.padding 1x1x1x1 2x2x2x2"}));
}

TEST(CutTail, wholeBlocksGoAndTheHeadReadsWhatStoodBeforeThem)
{
    const Graph graph = graphOf("input 3x8x8 > conv:a k=7 p=3 c=4 > relu:ra > conv:b k=3 p=1 c=4 > relu:rb;"
                                "@rb > conv:c k=3 p=1 c=8 > relu:rc > conv:d k=3 p=1 c=8; @rb > conv:s k=1 c=8;"
                                "@d > add:sum @s > relu:rd > gap:g > flatten > linear:fc c=10");
    const auto found = listed(cutTail, graph);
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(editTexts(found)[0], "remove c; remove rc; remove d; remove s; remove sum; remove rd");
    EXPECT_EQ(found[0].graph.at(layer(found[0].graph, "g").id).inputs[0].node, layer(graph, "rb").id);
    EXPECT_EQ(analyze(found[0].graph).outputs[0].second.text(), "1x10");
    EXPECT_EQ(editTexts(found)[1],
              "remove b; remove rb; remove c; remove rc; remove d; remove s; remove sum; remove rd");
    EXPECT_TRUE(listed(cutTail, graph, {"d"}).empty());
}

TEST(CutTail, aNormalisationBehindItThatStatesItsFeaturesReadsFewer)
{
    const Graph graph =
        graphOf("input 3x8x8 > conv:a k=7 p=3 c=4 > conv:b k=3 p=1 c=4 > conv:c k=3 p=1 c=8 > permute dims=0x2x3x1 >"
                "layernorm:norm features=8 > permute dims=0x3x1x2 > gap > flatten > linear c=10");
    const auto found = listed(cutTail, graph);
    ASSERT_FALSE(found.empty());
    EXPECT_EQ(editTexts(found)[0], "remove c; set norm.features 8 4");
    EXPECT_TRUE(analyze(found[0].graph).issues.empty() ||
                analyze(found[0].graph).issues[0].severity != Severity::Error);
}

TEST(Names, ofExportedLayersReadAsPyTorchWritesThem)
{
    EXPECT_EQ(moduleName("/layer1/layer1.0/conv1/Conv"), "layer1.0.conv1");
    EXPECT_EQ(moduleName("/layer1/layer1.0/relu_1/Relu"), "layer1.0.relu_1");
    EXPECT_EQ(moduleName("/Add_3"), "Add_3");
    EXPECT_EQ(moduleName("features.0"), "features.0");
    EXPECT_EQ(moduleName("/"), "/");
    Graph graph =
        graphOf("input 3x12x12 > conv:a k=3 p=1 c=4 > maxpool:p k=2 > conv:b k=3 p=1 c=4 > conv:c k=3 p=1 c=4 > "
                "maxpool:q k=2 > conv:d k=3 p=1 c=4 > gap > flatten > linear:fc c=10");
    graph.rename(layer(graph, "p").id, "/features/features.2/MaxPool");
    const auto plans = propose(graph);
    ASSERT_FALSE(plans.empty());
    EXPECT_EQ(plans.front().title, "Pooling 'features.2' removed");
    EXPECT_EQ(plans.front().edits.front().layer, "/features/features.2/MaxPool");
}

}  // namespace
}  // namespace fovea::test
