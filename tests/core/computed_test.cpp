// Files that compute weights, tables and sizes: what their layers are, what counts as parameter, what follows the input.
#include "core/analysis/report.h"
#include "core/io/onnx/onnx.h"
#include "tests/document/folder.h"
#include "tests/support/onnx_text.h"
#include "tests/support/text_graph.h"

#include <gtest/gtest.h>

#include <cmath>

namespace fovea::test {
namespace {

Model rewritten(const Model& model, bool useOrigin)
{
    const Folder folder;
    OnnxWriteOptions options;
    options.useOrigin = useOrigin;
    writeOnnx(model, folder / "again.onnx", options);
    return readOnnx(folder / "again.onnx");
}

std::vector<std::string> kinds(const Graph& graph)
{
    std::vector<std::string> out;
    for (const NodeId id : executionOrder(graph)) out.push_back(graph.at(id).kind);
    return out;
}

std::int64_t parameters(const Model& model) { return analyze(model.graph).summary.parameters; }

std::string outputAt(const Model& model, std::int64_t height, std::int64_t width)
{
    return analyze(withSide(model.graph, height, width)).outputs.at(0).second.text();
}

int errors(const Report& report)
{
    int out = 0;
    for (const Issue& issue : report.issues) out += issue.severity == Severity::Error;
    return out;
}

const Tensor* kernelOf(const Model& model, const std::string& name)
{
    return model.weights.find(layer(model.graph, name).tensorName("weight"));
}

OnnxText weightNorm()
{
    OnnxText file(13);
    file.input("x", {1, 3, 16, 16});
    file.reals("v", {4, 3, 3, 3});
    file.reals("g", {4, 1, 1, 1});
    file.node("ReduceL2 v -> norm", {{"axes", Ints{1, 2, 3}}});
    file.node("Div v,norm -> direction");
    file.node("Mul direction,g -> kernel");
    file.node("Conv x,kernel -> y");
    file.output("y");
    return file;
}

TEST(Computed, AKernelBehindArithmeticBelongsToItsConvolutionAndCountsAsWhatItIsMadeOf)
{
    const Model model = weightNorm().read();
    EXPECT_EQ(kinds(model.graph), (std::vector<std::string>{"Input", "Conv2d"}));
    EXPECT_EQ(parameters(model), 108 + 4);
    EXPECT_EQ(analyze(model.graph).summary.macs, 14 * 14 * 4 * 27);
}

TEST(Computed, NumbersAreComputedWhenSomethingLooksAtThem)
{
    const Model model = weightNorm().read();
    const Tensor* kernel = kernelOf(model, "y");
    ASSERT_TRUE(kernel);
    EXPECT_GT(kernel->bytes.pending(), 0);
    const Tensor *v = model.weights.find("v"), *g = model.weights.find("g");
    double norm = 0;
    for (int i = 0; i < 27; ++i) norm += v->real(i) * v->real(i);
    EXPECT_NEAR(kernel->real(5), v->real(5) / std::sqrt(norm) * g->real(0), 1e-6);
    EXPECT_EQ(kernel->bytes.pending(), 0);
}

TEST(Computed, OwnRecordsHoldTheFoldedNumbersAndTheFilesOwnNodesStay)
{
    const Model model = weightNorm().read();
    const Model own = rewritten(model, false), kept = rewritten(model, true);
    EXPECT_EQ(parameters(own), 108);
    EXPECT_EQ(parameters(kept), 108 + 4);
    for (int i = 0; i < 108; ++i) EXPECT_EQ(kernelOf(own, "y")->real(i), kernelOf(model, "y")->real(i));
}

TEST(Computed, AnEditedLayerNextToAComputedKernelKeepsIt)
{
    OnnxText file(13);
    file.input("x", {1, 3, 16, 16});
    file.bytes("q", {4, 3, 3, 3});
    file.reals("scale", {4});
    file.integers("axes", {1}, {0});
    file.node("DequantizeLinear q,scale -> kernel", {{"axis", std::int64_t{0}}});
    file.node("Conv x,kernel -> y");
    file.node("Relu y -> z");
    file.output("z");
    Model model = file.read();
    EXPECT_EQ(parameters(model), 108);  // as stored; the scale is a setting
    model.graph.update(layer(model.graph, "y").id, [](Node& node) { node.attrs.set("padding", Ints{1, 1, 1, 1}); });
    const Model again = rewritten(model, true);
    EXPECT_EQ(outputAt(again, 16, 16), "1x4x16x16");
    EXPECT_EQ(kernelOf(again, "y")->real(7), kernelOf(model, "y")->real(7));
}

TEST(Computed, ATensorThatIsReadDirectlyAndTransposedIsOneParameter)
{
    OnnxText file(13);
    file.input("x", {1, 3, 16, 16});
    file.reals("w", {8, 3, 1, 1});
    file.reals("m", {8, 8});
    file.node("Conv x,w -> y");
    file.node("GlobalAveragePool y -> p");
    file.node("Flatten p -> f");
    file.node("MatMul f,m -> a");
    file.node("Transpose m -> t");
    file.node("MatMul a,t -> b");
    file.output("b");
    EXPECT_EQ(parameters(file.read()), 24 + 64);
}

TEST(Computed, AKernelOfAFillIsAKernelAndNotUnknown)
{
    OnnxText file(13);
    file.input("x", {1, 3, 16, 16});
    file.integers("shape", {4}, {8, 3, 5, 5});
    file.node("ConstantOfShape shape -> kernel");
    file.node("Conv x,kernel -> y");
    file.output("y");
    const Model model = file.read();
    EXPECT_EQ(kinds(model.graph), (std::vector<std::string>{"Input", "Conv2d"}));
    EXPECT_EQ(parameters(model), 8 * 3 * 25);
}

TEST(Computed, HalfPrecisionWeightsBehindACastAreKernels)
{
    OnnxText file(13);
    file.input("x", {1, 3, 16, 16});
    file.reals("w", {4, 3, 3, 3});
    file.node("Cast w -> half", {{"to", std::int64_t{10}}});
    file.node("Cast half -> kernel", {{"to", std::int64_t{1}}});
    file.node("Conv x,kernel -> y");
    file.output("y");
    const Model model = file.read();
    EXPECT_EQ(parameters(model), 108);
    EXPECT_NEAR(kernelOf(model, "y")->real(3), model.weights.find("w")->real(3), 1e-4);
    EXPECT_NE(kernelOf(model, "y")->real(3), model.weights.find("w")->real(3));
}

TEST(Computed, ALongChainOfConstantsIsReadWithoutEnd)
{
    OnnxText file(13);
    file.input("x", {1, 3, 16, 16});
    file.reals("w", {4, 3, 3, 3});
    file.node("Add w,w -> w0");
    for (int i = 0; i < 20'000; ++i) file.node("Neg w" + std::to_string(i) + " -> w" + std::to_string(i + 1));
    file.node("Conv x,w20000 -> y");
    file.output("y");
    const Model model = file.read();
    EXPECT_FLOAT_EQ(static_cast<float>(kernelOf(model, "y")->real(0)), static_cast<float>(2 * model.weights.find("w")->real(0)));
}

// A column of coordinates as high as the map, made of its size.
OnnxText coordinates()
{
    OnnxText file(13);
    file.input("x", {1, 3, "h", "w"});
    file.reals("w0", {4, 4, 3, 3});
    file.integers("two", {}, {2});
    file.integers("zero", {}, {0});
    file.integers("one", {}, {1});
    file.node("Shape x -> shape");
    file.node("Gather shape,two -> h");
    file.node("Range zero,h,one -> range");
    file.node("Cast range -> real", {{"to", std::int64_t{1}}});
    file.integers("column", {4}, {1, 1, -1, 1});
    file.node("Reshape real,column -> tall");
    file.integers("axis0", {1}, {0});
    file.integers("two1", {1}, {2});
    file.integers("four", {1}, {4});
    file.node("Slice shape,two1,four,axis0 -> sides");
    file.constant("ones", {1, 1});
    file.node("Concat ones,sides -> target", {{"axis", std::int64_t{0}}});
    file.node("Expand tall,target -> grid");
    file.node("Concat x,grid -> joined", {{"axis", std::int64_t{1}}});
    file.node("Conv joined,w0 -> y");
    file.output("y");
    return file;
}

TEST(Computed, ATableMadeOfTheInputsSizeFollowsIt)
{
    const Model model = coordinates().read();
    EXPECT_EQ(outputAt(model, 48, 80), "1x4x46x78");
    EXPECT_EQ(errors(analyze(withSide(model.graph, 48, 80))), 0);
}

TEST(Computed, AFileWhoseTableFollowsKeepsTheNodesThatComputeIt)
{
    Model model = coordinates().read();
    model.graph = withSide(model.graph, 48, 80);
    const Model again = rewritten(model, true);
    EXPECT_EQ(outputAt(again, 30, 20), "1x4x28x18");
}

TEST(Computed, ATableOfTheFilesOwnNodesCannotBeMadeAtAnotherSizeFromRecords)
{
    Model model = coordinates().read();
    model.graph = withSide(model.graph, 48, 80);
    EXPECT_THROW(rewritten(model, false), Error);
}

TEST(Computed, SizesOfPadsAndExpansionsFollowTheMapAndAreWrittenAsNodes)
{
    OnnxText file(13);
    file.input("x", {1, 3, 20, 20});
    file.reals("w", {4, 3, 3, 3});
    file.node("Conv x,w -> y", {{"strides", Ints{2, 2}}});
    file.node("Shape x -> big");
    file.node("Shape y -> small");
    file.node("Sub big,small -> missing");
    file.constant("starts", {2});
    file.constant("ends", {4});
    file.node("Slice missing,starts,ends -> sides");
    file.constant("none", {0, 0, 0, 0, 0, 0});
    file.node("Concat none,sides -> pads", {{"axis", std::int64_t{0}}});
    file.node("Pad y,pads -> padded");
    file.node("GlobalAveragePool y -> mean");
    file.node("Shape padded -> target");
    file.node("Expand mean,target -> wide");
    file.node("Add padded,wide -> z");
    file.output("z");
    const Model model = file.read();
    EXPECT_EQ(kinds(model.graph), (std::vector<std::string>{"Input", "Conv2d", "ZeroPad2d", "AdaptiveAvgPool2d", "Expand", "Add"}));
    EXPECT_EQ(outputAt(model, 33, 47), "1x4x33x47");
    const Model own = rewritten(model, false);
    EXPECT_EQ(outputAt(own, 33, 47), "1x4x33x47");
    EXPECT_EQ(layer(own.graph, "padded").attrs.getText("sizes"), layer(model.graph, "padded").attrs.getText("sizes"));
}

TEST(Computed, PadsOfSplitAndConcatenatedConstantsAreNumbers)
{
    OnnxText file(13);
    file.input("x", {1, 3, 20, 20});
    file.integers("raw", {8}, {0, 0, 1, 2, 0, 0, 3, 4});
    file.node("Split raw -> front,back", {{"axis", std::int64_t{0}}});
    file.node("Concat front,back -> pads", {{"axis", std::int64_t{0}}});
    file.node("Pad x,pads -> y");
    file.output("y");
    const Model model = file.read();
    EXPECT_EQ(*layer(model.graph, "y").attrs.getInts("padding"), (Ints{1, 2, 3, 4}));
    EXPECT_FALSE(layer(model.graph, "y").attrs.has("sizes"));
}

TEST(Computed, ARepeatAlongTheWidthJoinsTheMapWithItselfAndOneAlongChannelsIsPointwise)
{
    OnnxText file(13);
    file.input("x", {1, 3, 20, 20});
    file.reals("w", {4, 3, 3, 3});
    file.integers("wide", {4}, {1, 1, 1, 3});
    file.integers("deep", {4}, {1, 2, 1, 1});
    file.node("Conv x,w -> y");
    file.node("Tile y,wide -> a");
    file.node("Tile a,deep -> b");
    file.output("b");
    const Model model = file.read();
    EXPECT_EQ(kinds(model.graph), (std::vector<std::string>{"Input", "Conv2d", "Concat", "Tile"}));
    EXPECT_EQ(outputAt(model, 20, 20), "1x8x18x54");
    EXPECT_EQ(outputAt(rewritten(model, false), 20, 20), "1x8x18x54");
}

}  // namespace
}  // namespace fovea::test
