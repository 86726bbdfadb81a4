#include "core/ops/classifier.h"

#include "core/ops/registry.h"
#include "tests/support/text_graph.h"

#include <gtest/gtest.h>

namespace fovea {
namespace {

TEST(Classifier, IsFoundBehindASoftmax)
{
    const Graph graph =
        test::graphOf("input 3x8x8 > conv:c k=3 p=1 c=4 > gap > flatten > linear:head c=7 > softmax:out");
    const auto found = classifierOf(graph);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->classes, 7);
    EXPECT_EQ(found->layer, test::layer(graph, "head").id);
    EXPECT_EQ(found->logits.node, test::layer(graph, "head").id);
    EXPECT_EQ(found->output, "out");
}

TEST(Classifier, MayBeAConvolutionBeforeThePooling)
{
    const Graph graph = test::graphOf("input 3x8x8 > conv:c k=1 c=5 > relu > gap > flatten:out");
    const auto found = classifierOf(graph);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->classes, 5);
    EXPECT_EQ(found->layer, test::layer(graph, "c").id);
}

TEST(Classifier, IsNoneWhereEveryPixelIsPredicted)
{
    EXPECT_FALSE(classifierOf(test::graphOf("input 3x8x8 > conv:c k=3 p=1 c=4")));
}

TEST(Classifier, GetsAnotherNumberOfClassesWithNewTensors)
{
    const Graph graph = test::graphOf("input 3x8x8 > conv:c k=3 p=1 c=4 > gap > flatten > linear:head c=7");
    std::vector<std::string> fresh;
    const Graph ten = withClasses(graph, 10, &fresh);
    EXPECT_EQ(attrInt(test::layer(ten, "head"), "out_features"), 10);
    EXPECT_EQ(fresh, (std::vector<std::string>{"head.weight", "head.bias"}));
    EXPECT_EQ(classifierOf(ten)->classes, 10);
    fresh.clear();
    EXPECT_TRUE(diff(graph, withClasses(graph, 7, &fresh)).empty());
    EXPECT_TRUE(fresh.empty());
}

std::string refusalOf(const Graph& graph)
{
    try {
        classifierIn(graph);
    } catch (const Error& error) {
        return error.what();
    }
    return "";
}

TEST(Classifier, ThatReadsTwoImagesIsRefusedInOneSentence)
{
    EXPECT_EQ(refusalOf(test::graphOf("input:left 3x8x8 > conv:a k=1 c=4 > relu:x; input:right 3x8x8 > conv:b k=1 c=4 > add:sum @x > gap > flatten > linear c=10")),
              "The network reads 'right' beside the image 'left', and labelled images give one input: it cannot be trained, evaluated, probed "
              "or recalibrated on them.");
    // What only another output reads is in nobody's way.
    EXPECT_EQ(refusalOf(test::graphOf("input:left 3x8x8 > conv:a k=1 c=4 > gap > flatten > linear:head c=10; input:right 3x8x8 > conv:b k=1 c=4")), "");
}

TEST(Classifier, WithoutAPlainLastLayerAnotherSizeIsRefused)
{
    const Graph sum = test::graphOf("input 3x8x8 > conv:a k=1 c=4 > gap > flatten:x; @x > sigmoid:y; @x > add:out @y");
    EXPECT_THROW(withClasses(sum, 3), Error);
    EXPECT_THROW(withClasses(test::graphOf("input 3x8x8 > conv:c k=3 p=1 c=4"), 3), Error);
}

}  // namespace
}  // namespace fovea
