// Files that compute weights, tables and sizes: what their layers are, what counts as parameter, what follows the input.
#include "core/analysis/report.h"
#include "core/analysis/unit_field.h"
#include "core/io/onnx/onnx.h"
#include "tests/document/folder.h"
#include "tests/support/onnx_text.h"
#include "tests/support/text_graph.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

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

// Twice as large as y, by sizes that the file computes in single precision.
TEST(Computed, SizesAndScalesOfAResizeFollowWhatTheyAreComputedFrom)
{
    for (const bool scales : {false, true}) {
        OnnxText file(13);
        file.input("x", {1, 3, 21, 33});
        file.reals("w", {4, 3, 3, 3});
        file.reals("factor", {1}, {1.5f});
        file.reals("ones", {2}, {1, 1});
        file.integers("no", {1}, {0});
        file.integers("starts", {1}, {2});
        file.integers("ends", {1}, {4});
        file.reals("none", {0});
        file.node("Conv x,w -> y");
        file.node("Shape y -> shape");
        file.node("Slice shape,starts,ends -> sides");
        file.node("Slice shape,no,starts -> front");
        file.node("Cast sides -> real", {{"to", std::int64_t{1}}});
        file.node("Mul real,factor -> scaled");
        file.node("Floor scaled -> whole");
        file.node("Cast whole -> wanted", {{"to", std::int64_t{7}}});
        file.node("Concat front,wanted -> sizes", {{"axis", std::int64_t{0}}});
        file.node("Div whole,real -> ratio");
        file.node("Concat ones,ratio -> scales", {{"axis", std::int64_t{0}}});
        file.node(scales ? "Resize y,none,scales -> z" : "Resize y,none,none,sizes -> z", {{"mode", std::string("nearest")}});
        file.node("Conv z,v -> out");
        file.reals("v", {4, 4, 1, 1});
        file.output("out");
        const Model model = file.read();
        EXPECT_EQ(kinds(model.graph), (std::vector<std::string>{"Input", "Conv2d", "Upsample", "Conv2d"})) << scales;
        EXPECT_EQ(outputAt(model, 21, 33), "1x4x28x46") << scales;
        EXPECT_EQ(outputAt(model, 40, 50), "1x4x57x72") << scales;
        EXPECT_EQ(outputAt(rewritten(model, false), 40, 50), "1x4x57x72") << scales;
    }
}

TEST(Computed, WhatFollowsSizesInAWayThatHasNoExpressionIsKnownAtTheFilesOwnSize)
{
    OnnxText file(13);
    file.input("x", {1, 3, 16, 16});
    file.reals("w", {4, 3, 3, 3});
    file.node("Conv x,w -> y");
    file.node("Shape y -> shape");
    file.integers("k", {1}, {4});
    file.node("TopK shape,k -> sorted,order");  // [14, 14, 4, 1]: nobody says how that follows the sizes
    file.node("Reshape y,sorted -> z");
    file.output("z");
    const Model model = file.read();
    EXPECT_EQ(outputAt(model, 16, 16), "14x14x4x1");
    EXPECT_EQ(outputAt(model, 20, 20).find('?'), 0u);
}

TEST(Computed, PadsOfSplitAndConcatenatedConstantsAreNumbers)
{
    OnnxText file(13);
    file.input("x", {1, 3, 20, 20});
    file.integers("raw", {8}, {0, 0, 1, 2, 0, 0, 3, 4});
    file.node("Split raw -> front,back", {{"axis", std::int64_t{0}}});
    file.node("Concat front,back -> pads", {{"axis", std::int64_t{0}}});
    file.reals("w", {4, 3, 3, 3});
    file.node("Pad x,pads -> y");
    file.node("Conv y,w -> z");
    file.output("z");
    const Model model = file.read();
    ASSERT_EQ(layer(model.graph, "y").kind, "ZeroPad2d");
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

// A gate that is expanded again has lost its positions; the map that it is multiplied with has them.
TEST(Computed, AMapIsPaddedAlongItsAxesBehindAGateThatComesFirst)
{
    OnnxText file(13);
    file.input("x", {1, 3, 16, 20});
    file.reals("w", {4, 3, 3, 3});
    file.reals("m", {4, 4});
    file.integers("columns", {4}, {1, 4, 1, 1});
    file.integers("size", {4}, {1, 4, 16, 20});
    file.integers("pads", {8}, {0, 0, 1, 1, 0, 0, 1, 1});
    file.node("Conv x,w -> y", {{"pads", Ints{1, 1, 1, 1}}});
    file.node("GlobalAveragePool y -> g");
    file.node("Flatten g -> f");
    file.node("MatMul f,m -> n");
    file.node("Reshape n,columns -> r");
    file.node("Expand r,size -> e");
    file.node("Mul e,y -> p");
    file.node("Pad p,pads -> q", {{"mode", std::string("edge")}});
    file.output("q");
    EXPECT_EQ(outputAt(file.read(), 16, 20), "1x4x18x22");
}

// Positions of a map behind a token, and the map again.
void tokensAndBack(OnnxText& file, const std::string& map, std::int64_t height, std::int64_t width)
{
    file.reals("token", {1, 1, 4});
    file.integers("flat", {3}, {1, 4, height * width});
    file.integers("one", {1}, {1});
    file.integers("end", {1}, {std::numeric_limits<std::int64_t>::max()});
    file.integers("back", {4}, {1, 4, height, width});
    file.node("Reshape " + map + ",flat -> rows");
    file.node("Transpose rows -> positions", {{"perm", Ints{0, 2, 1}}});
    file.node("Concat token,positions -> all", {{"axis", std::int64_t{1}}});
    file.node("Slice all,one,end,one -> again");
    file.node("Transpose again -> turned", {{"perm", Ints{0, 2, 1}}});
    file.node("Reshape turned,back -> map");
}

TEST(Computed, ATokenInFrontOfPositionsTakesNoRowFromTheFieldOfAUnit)
{
    OnnxText file(13);
    file.input("x", {1, 3, 40, 32});
    file.reals("w", {4, 3, 3, 3});
    file.reals("v", {4, 4, 3, 3});
    file.node("Conv x,w -> y", {{"pads", Ints{1, 1, 1, 1}}});
    file.node("MaxPool y -> p", {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}});
    tokensAndBack(file, "p", 20, 16);
    file.node("Conv map,v -> z", {{"pads", Ints{1, 1, 1, 1}}});
    file.output("z");
    const UnitField field = unitField(file.read().graph, "z", {1, 1});
    EXPECT_EQ(field.box, (PixelBox{-1, -1, 7, 7}));
    EXPECT_EQ(field.clipped, (PixelBox{0, 0, 7, 7}));
}

TEST(Computed, ATokenInFrontOfPositionsLeavesTheFieldOfJoinedHalves)
{
    OnnxText file(13);
    file.input("x", {1, 3, 16, 16});
    file.reals("w", {4, 3, 3, 3});
    file.reals("u", {4, 4, 3, 3});
    file.reals("v", {4, 4, 3, 3});
    file.node("Conv x,w -> y", {{"pads", Ints{1, 1, 1, 1}}});
    file.node("Split y -> upper,lower", {{"axis", std::int64_t{2}}});
    file.node("Conv upper,u -> a", {{"pads", Ints{1, 1, 1, 1}}});
    file.node("Concat a,lower -> joined", {{"axis", std::int64_t{2}}});
    tokensAndBack(file, "joined", 16, 16);
    file.node("Conv map,v -> z", {{"pads", Ints{1, 1, 1, 1}}});
    file.output("z");
    const Report report = analyze(file.read().graph);
    const LayerReport* last = report.find(layer(report.graph, "z").id);
    ASSERT_NE(last, nullptr);
    EXPECT_TRUE(last->finite);
    EXPECT_EQ(last->field.h.rfMax, 7);
    EXPECT_NE(last->verdict, Verdict::NotApplicable);
}

}  // namespace
}  // namespace fovea::test
