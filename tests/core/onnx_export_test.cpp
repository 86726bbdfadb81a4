// Networks that were opened, edited and written again: what the file says then is what was edited.
#include "core/analysis/report.h"
#include "core/base/files.h"
#include "core/graph/first_image.h"
#include "core/io/onnx/onnx.h"
#include "tests/document/folder.h"
#include "tests/support/text_graph.h"

#include <gtest/gtest.h>

#include <algorithm>

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
    EXPECT_TRUE(std::equal(b.bytes.span().begin(), b.bytes.span().end(), before.bytes.span().begin(), before.bytes.span().end()));
}

Model withSymbols(Model model, const std::vector<std::string>& symbols)
{
    model.graph.update(firstImage(model.graph)->id, [&](Node& node) { setSymbols(node, symbols); });
    return model;
}

std::vector<std::string> inputSymbols(const Graph& graph) { return symbolsOf(*firstImage(graph)); }

std::string bytesOf(const Model& model, const OnnxWriteOptions& options = {})
{
    const Folder folder;
    writeOnnx(model, folder / "network.onnx", options);
    return readText(folder / "network.onnx", 1 << 24);
}

TEST(OnnxExport, SizesThatAFileLeavesOpenStayOpenUntilASideIsWritten)
{
    const Model open = reopened(withSymbols({graphOf("input 3x32x32 > conv:a k=3 s=2 p=1 c=4"), {}, {}}, {"n", "", "h", kUnnamed}));
    EXPECT_EQ(inputSymbols(open.graph), (std::vector<std::string>{"n", "", "h", kUnnamed}));
    Model analysed = open;
    analysed.graph = withSide(open.graph, 64, 64, {}, SideUse::Analysed);
    EXPECT_EQ(bytesOf(analysed), bytesOf(open));
    Model written = open;
    written.graph = withSide(open.graph, 224, 224);  // the side that was assumed
    const Model again = reopened(written);
    EXPECT_EQ(inputSymbols(again.graph), (std::vector<std::string>{"n", "", "", ""}));
    EXPECT_EQ(outputShape(again.graph), "1x4x112x112");
}

TEST(OnnxExport, OutputSizesAreNumbersWhereNothingOpenReachesThem)
{
    Model model = withSymbols({graphOf("input 3x32x32 > conv:a k=3 s=2 p=1 c=4 > gap > flatten > linear:fc c=5; @a > relu:map"), {}, {}}, {"n", "", "h", "w"});
    const std::string open = bytesOf(model);
    const Model back = reopened(model);
    ASSERT_EQ(back.graph.outputs().size(), 2u);
    model.graph = withSide(model.graph, 48, 48);
    EXPECT_NE(bytesOf(model), open);
    EXPECT_EQ(outputShape(reopened(model).graph), "1x5");
}

TEST(OnnxExport, AReshapeIntoPartsHoldsAtEverySizeWhereSizesAreOpen)
{
    const std::string text = "input 3x32x32 > conv:a k=3 s=2 p=1 c=4 > reshape:r shape=-10x-33x-21";
    // Open sides are read as 224, another size than the one at which it was written.
    const Model model = reopened(withSymbols({graphOf(text), {}, {}}, {"n", "", "h", "w"}));
    EXPECT_EQ(outputShape(model.graph), "1x12544x4");
}

TEST(OnnxExport, ATensorThatIsAnOutputTooIsMadeOnce)
{
    Model model = opened("input 3x8x8 > conv:a k=3 p=1 c=4 > relu:b");
    Node constant = makeNode("Constant", "table");
    constant.attrs.set("shape", Ints{4});
    constant.tensors = {{"value", "a.bias"}};
    const NodeId id = model.graph.add(std::move(constant));
    std::vector<GraphOutput> outputs = model.graph.outputs();
    outputs.push_back({"a.bias", {id, 0}});
    model.graph.setOutputs(outputs);
    const Model again = reopened(model);  // reading refuses a value that is made twice
    ASSERT_EQ(again.graph.outputs().size(), 2u);
    EXPECT_EQ(again.graph.outputs()[1].name, "a.bias");
}

TEST(OnnxExport, OwnRecordsAreOfTheOpsetAskedForAndNodesOfAFileOfTheirs)
{
    const Model made{graphOf("input 3x8x8 > conv:a k=3 p=1 c=4 > softmax dim=1"), {}, {}};
    const Folder folder;
    writeOnnx(made, folder / "old.onnx", {.opset = 9});
    const Model old = readOnnx(folder / "old.onnx");
    EXPECT_EQ(opsetOf(old), 9);
    EXPECT_EQ(opsetOf(reopened(old)), 9);
    writeOnnx(old, folder / "own.onnx", {.useOrigin = false});
    EXPECT_EQ(opsetOf(readOnnx(folder / "own.onnx")), 17);
    writeOnnx(old, folder / "newer.onnx", {.opset = 13});
    EXPECT_EQ(opsetOf(readOnnx(folder / "newer.onnx")), 13);
    EXPECT_THROW(writeOnnx(old, folder / "none.onnx", {.opset = 6}), Error);
    EXPECT_FALSE(std::filesystem::exists(folder / "none.onnx"));
}

TEST(OnnxExport, WhatAnOpsetLacksIsWrittenInNodesThatItHasOrForetoldToBeRefused)
{
    Model model{graphOf("input 3x9x9 > conv:a k=3 p=1 c=4 > upsample:up scale_factor=2 mode=bilinear"), {}, {}};
    EXPECT_EQ(whyNotWritable(model, {.opset = 9}), std::nullopt);
    model = withSymbols(model, {"n", "", "h", "w"});
    EXPECT_EQ(whyNotWritable(model), std::nullopt);
    EXPECT_EQ(whyNotWritable(model, {.opset = 9}),
              "The layer 'up' (Upsample) cannot be written at opset 9: Before opset 11 an interpolation of this kind can be "
              "written at the present input size only, and the network leaves height and width open. State them (convert "
              "--size), or choose opset 11 or later.");
}

TEST(OnnxExport, ADimensionThatIsNotOneIsNotDropped)
{
    Model model = opened("input 3x8x16 > conv:a k=8x3 c=4 > squeeze:rows dim=2");
    model.graph = withSide(model.graph, 16, 16);
    EXPECT_EQ(whyNotWritable(model),
              "The network does not fit together at this input size, so it was not exported: 'rows': It drops dimension 2 of "
              "1x4x9x14, which has 9 positions and not one. Use a size at which one is left there, or a pooling before it "
              "that leaves one.");
}

}  // namespace
}  // namespace fovea::test
