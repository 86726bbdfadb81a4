// Networks that were opened, edited and written again: what the file says then is what was edited.
#include "core/analysis/report.h"
#include "core/io/onnx/onnx.h"
#include "tests/document/folder.h"
#include "tests/support/text_graph.h"

#include <gtest/gtest.h>

namespace fovea::test {
namespace {

Model reopened(const Model& model)
{
    const Folder folder;
    writeOnnx(model, folder / "network.onnx");
    return readOnnx(folder / "network.onnx");
}

Model opened(const std::string& text) { return reopened({graphOf(text), {}, {}}); }

std::vector<std::string> kinds(const Graph& graph)
{
    std::vector<std::string> out;
    for (const NodeId id : executionOrder(graph)) out.push_back(graph.at(id).kind);
    return out;
}

NodeId idOf(const Graph& graph, const std::string& name) { return layer(graph, name).id; }

void removeLayer(Graph& graph, const std::string& name)
{
    const NodeId id = idOf(graph, name);
    graph.rewire({id, 0}, graph.at(id).inputs.at(0));
    graph.remove(id);
}

void addPooling(Graph& graph, const std::string& behind)
{
    const NodeId from = idOf(graph, behind);
    Node pooling = makeNode("MaxPool2d", "pool");
    pooling.attrs.set("kernel_size", Ints{2, 2});
    pooling.attrs.set("stride", Ints{2, 2});
    const NodeId id = graph.add(std::move(pooling));
    graph.rewire({from, 0}, {id, 0});
    graph.setInput(id, 0, {from, 0});
}

std::string outputShape(const Graph& graph) { return analyze(graph).outputs.at(0).second.text(); }

TEST(OnnxExport, ALayerThatNowGivesTheOutputTakesItsNameAndNoIdentityFollows)
{
    Model model = opened("input 3x8x8 > conv:a k=3 p=1 c=4 > relu:b > conv:c k=3 p=1 c=4");
    removeLayer(model.graph, "c");
    const Model again = reopened(model);
    EXPECT_EQ(kinds(again.graph), (std::vector<std::string>{"Input", "Conv2d", "ReLU"}));
    EXPECT_EQ(again.graph.outputs(), (std::vector<GraphOutput>{{"c", {idOf(again.graph, "b"), 0}}}));
}

TEST(OnnxExport, ACropFollowsTheMapThatItReadsNowRatherThanTheOneOfTheFile)
{
    Model model = opened("input 3x15x15 > conv:a k=3 p=1 c=4 > conv:down k=3 s=2 p=1 c=4 > upsample:up;"
                         "@up > slice:crop @a dim=2x3 start=0x0 end=15x15 step=1x1 > add @a");
    ASSERT_EQ(outputShape(model.graph), "1x4x15x15");
    addPooling(model.graph, "a");
    ASSERT_EQ(outputShape(model.graph), "1x4x7x7");
    EXPECT_EQ(outputShape(reopened(model).graph), "1x4x7x7");
}

TEST(OnnxExport, WeightsOfAGroupNormKeepTheirNames)
{
    const Model model = opened("input 3x8x8 > conv:a k=3 p=1 c=4 > groupnorm:norm num_groups=2");
    EXPECT_EQ(layer(model.graph, "norm").kind, "GroupNorm");
    EXPECT_EQ(layer(model.graph, "norm").tensors,
              (std::vector<TensorBinding>{{"weight", "norm.weight"}, {"bias", "norm.bias"}}));
}

TEST(OnnxExport, ALayerNormInSeveralNodesIsOneAgainAndItsNumbersAreNoParameters)
{
    const Model model =
        opened("input 3x8x8 > conv:a k=3 p=1 c=4 > layernorm:norm elementwise_affine=0 > add:sum scalar=2");
    EXPECT_EQ(kinds(model.graph), (std::vector<std::string>{"Input", "Conv2d", "LayerNorm", "Add"}));
    EXPECT_EQ(analyze(model.graph).summary.parameters, 3 * 9 * 4 + 4);
}

// 20 units and one of padding: the last of 11 windows would start in the padding. Across, the last of 10 is half full.
TEST(OnnxExport, APoolingWhoseSizeProgramsDoNotAgreeAboutIsWrittenWithoutCeilMode)
{
    const std::string text = "input 3x20x21 > conv:a k=1 c=4 > maxpool:pool k=2 s=2 padding=0x0x1x0 ceil=1 > relu:b";
    const Model model = opened(text);
    EXPECT_EQ(outputShape(graphOf(text)), "1x4x10x11");
    EXPECT_EQ(outputShape(model.graph), "1x4x10x11");
    EXPECT_FALSE(layer(model.graph, "pool").attrs.getBool("ceil_mode", false));
    EXPECT_EQ(*layer(model.graph, "pool").attrs.getInts("padding"), (Ints{0, 0, 1, 1}));
    const Model plain = opened("input 3x20x21 > conv:a k=1 c=4 > maxpool:pool k=2 s=2 ceil=1 > relu:b");
    EXPECT_TRUE(layer(plain.graph, "pool").attrs.getBool("ceil_mode", false));
}

TEST(OnnxExport, OfLayersThatShareATensorOneCanChangeItsOwn)
{
    Graph graph = graphOf("input 3x8x8 > conv:a k=3 p=1 c=3 bias=0 > conv:b k=3 p=1 c=3 bias=0 > relu:r");
    for (const char* name : {"a", "b"})
        graph.update(idOf(graph, name), [](Node& node) { node.tensors = {{"weight", "shared"}}; });
    Model model = reopened({graph, {}, {}});
    ASSERT_EQ(analyze(model.graph).summary.parameters, 81);
    const Tensor before = *model.weights.find("shared");
    model.graph.update(idOf(model.graph, "a"), [](Node& node) {
        node.attrs.set("kernel_size", Ints{5, 5});
        node.attrs.set("padding", Ints{2, 2, 2, 2});
    });
    const Model again = reopened(model);
    const auto weightOf = [&](const char* name) {
        const TensorBinding* binding = layer(again.graph, name).tensor("weight");
        const Tensor* tensor = binding ? again.weights.find(binding->tensor) : nullptr;
        return tensor ? *tensor : Tensor{};
    };
    const Tensor a = weightOf("a"), b = weightOf("b");
    EXPECT_EQ(a.dims, (Ints{3, 3, 5, 5}));
    EXPECT_EQ(b.dims, before.dims);
    EXPECT_TRUE(std::equal(b.bytes.begin(), b.bytes.end(), before.bytes.begin(), before.bytes.end()));
}

}  // namespace
}  // namespace fovea::test
