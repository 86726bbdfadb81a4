#include "core/weights/weights.h"
#include "tests/support/text_graph.h"

#include <gtest/gtest.h>

namespace fovea {
namespace {

using test::graphOf;

TEST(Materialise, InitialisesWhatHasNoValuesAndNamesIt)
{
    std::vector<std::string> fresh;
    const Weights weights = materialise(graphOf("input 3x8x8 > conv:a k=3 c=4 > bn:n"), {}, 0, &fresh);
    EXPECT_EQ(fresh, (std::vector<std::string>{"a.weight", "a.bias", "n.weight", "n.bias", "n.running_mean", "n.running_var"}));
    EXPECT_EQ(weights.find("a.weight")->dims, (std::vector<std::int64_t>{4, 3, 3, 3}));
    EXPECT_EQ(weights.find("n.running_var")->real(3), 1.0);
}

TEST(Materialise, KeepsValuesThatFitAndFitsThoseThatDoNot)
{
    Weights given;
    given.set("a.weight", Tensor::fromFloats({1, 1, 3, 3}, {0, 1, 2, 3, 4, 5, 6, 7, 8}));
    given.set("a.bias", Tensor::fromFloats({1}, {5}));
    std::vector<std::string> fresh;
    const Weights weights = materialise(graphOf("input 1x8x8 > conv:a k=1 c=1"), given, 0, &fresh);
    EXPECT_TRUE(fresh.empty());
    EXPECT_EQ(weights.find("a.weight")->real(0), 4.0);
    EXPECT_EQ(weights.find("a.bias")->bytes.data(), given.find("a.bias")->bytes.data());
}

TEST(Materialise, CarriesBoundConstantsThatNoParameterAsksFor)
{
    Graph graph = graphOf("input 1x8x8 > relu:r");
    graph.update(test::layer(graph, "r").id, [](Node& node) { node.tensors.push_back({"limit", "const_7"}); });
    Weights given;
    given.set("const_7", Tensor::fromFloats({}, {6}));
    given.set("unrelated", Tensor::fromFloats({}, {1}));
    const Weights weights = materialise(graph, given, 0);
    EXPECT_EQ(weights.tensors().size(), 1u);
    EXPECT_EQ(weights.find("const_7")->real(0), 6.0);
}

TEST(Materialise, ReadsASlopePerChannelWhateverUnitDimensionsTheFileGaveIt)
{
    Graph graph = graphOf("input 4x8x8 > bn:n");
    Weights given;
    given.set("n.weight", Tensor::fromFloats({4, 1, 1}, {1, 2, 3, 4}));
    const Weights weights = materialise(graph, given, 0);
    EXPECT_EQ(weights.find("n.weight")->dims, (std::vector<std::int64_t>{4}));
    EXPECT_EQ(weights.find("n.weight")->real(3), 4.0);
}

TEST(Materialise, LeavesOutTensorsOfUnfinishedLayersInsteadOfGuessing)
{
    Graph graph = graphOf("input 3x8x8 > conv:a k=3 c=4 bias=0");
    graph.setInput(test::layer(graph, "a").id, 0, Port{});
    EXPECT_TRUE(materialise(graph, {}, 0).empty());
}

}  // namespace
}  // namespace fovea
