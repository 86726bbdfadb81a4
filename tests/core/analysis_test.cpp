#include "core/analysis/report.h"
#include "tests/support/text_graph.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace fovea {
namespace {

const LayerReport& layer(const Report& report, const std::string& name)
{
    for (const LayerReport& row : report.layers)
        if (row.name() == name) return row;
    throw std::invalid_argument(name);
}

bool has(const Report& report, const std::string& code)
{
    return std::any_of(report.issues.begin(), report.issues.end(), [&](const Issue& issue) { return issue.code == code; });
}

const char* const kChain = "input 3x32x32 > conv2d:a k=7 s=2 p=3 c=8 > maxpool:b k=3 s=2 p=1 > conv2d:c k=3 p=1 c=8 > conv2d:d k=3 p=1 c=8 > conv2d:e k=3 p=1 c=8 > conv2d:f k=3 p=1 c=8";

TEST(Verdicts, FollowFromTheFieldsAlone)
{
    const Report report = analyze(test::graphOf(kChain));
    EXPECT_EQ(layer(report, "a").verdict, Verdict::Productive);
    EXPECT_EQ(layer(report, "c").field.h.rfMin, 19);
    EXPECT_EQ(layer(report, "e").field.h.rfMin, 35);
    EXPECT_EQ(layer(report, "e").verdict, Verdict::Critical);
    EXPECT_EQ(layer(report, "f").verdict, Verdict::Unproductive);
    EXPECT_EQ(report.summary.borderLayer, layer(report, "f").id);
    EXPECT_EQ(report.summary.iMin->h, 43);
    EXPECT_EQ(report.summary.iMinProductive->h, 36);
    EXPECT_EQ(report.summary.iMinRfa->h, 43);
    EXPECT_TRUE(has(report, "unproductive-tail"));
}

TEST(Verdicts, AnAxisThatHasSeenAllMakesALayerPartial)
{
    const Report report = analyze(withSide(test::graphOf(kChain), 32, 64));
    EXPECT_EQ(layer(report, "f").verdict, Verdict::Partial);
    EXPECT_EQ(layer(report, "e").verdict, Verdict::Critical);
}

TEST(Verdicts, ALayerThatExtendsOnOneAxisCanBePartialBecauseOfTheOther)
{
    const Report report = analyze(test::graphOf("input 3x8x8 > conv2d:a k=9 p=4 c=4 > conv2d:b k=1x3 p=0x1 c=4"));
    EXPECT_EQ(layer(report, "b").field.h.rfMin, 9);
    EXPECT_EQ(layer(report, "b").verdict, Verdict::Unproductive);
    EXPECT_EQ(layer(analyze(test::graphOf("input 3x8x16 > conv2d:a k=9 p=4 c=4 > conv2d:b k=1x3 p=0x1 c=4")), "b").verdict, Verdict::Partial);
}

TEST(Verdicts, PointwiseConvolutionsAreJudgedOnRequestOnly)
{
    const Graph graph = test::graphOf("input 3x8x8 > conv2d:a k=9 p=4 c=4 > conv2d:b k=1 c=4");
    EXPECT_EQ(layer(analyze(graph), "b").verdict, Verdict::NotApplicable);
    AnalysisOptions options;
    options.pointwise = true;
    EXPECT_EQ(layer(analyze(graph, options), "b").verdict, Verdict::Unproductive);
}

TEST(Verdicts, StandWhereTheSideIsTooSmallForTheShapes)
{
    const Report report = analyze(test::graphOf("input 3x8x8 > conv2d:a k=5 s=2 c=4 > conv2d:b k=5 c=4 > conv2d:c k=3 c=4"));
    EXPECT_TRUE(has(report, "input-too-small"));
    EXPECT_EQ(layer(report, "c").verdict, Verdict::Unproductive);
    EXPECT_FALSE(layer(report, "c").out[0].shape.isComplete());
    EXPECT_FALSE(layer(report, "c").macs.has_value());
}

TEST(Extractor, EndsAtGlobalPoolingAndGatesAreOutside)
{
    const Report report = analyze(test::graphOf("input 3x32x32 > conv2d:a k=3 p=1 c=8; @a > gap:pool > conv2d:gate k=1 c=8 > sigmoid:s > mul:m @a > conv2d:b k=3 p=1 c=8 > gap:head > flatten:flat > linear:fc c=10"));
    EXPECT_FALSE(layer(report, "gate").finite);
    EXPECT_EQ(layer(report, "gate").verdict, Verdict::NotApplicable);
    EXPECT_TRUE(layer(report, "m").finite);
    EXPECT_TRUE(layer(report, "m").unbounded);
    EXPECT_EQ(layer(report, "b").field.h.rfMax, 5);
    EXPECT_TRUE(layer(report, "b").unbounded);
    EXPECT_FALSE(layer(report, "fc").finite);
    EXPECT_EQ(report.summary.iMin->h, 5);
}

TEST(Opaque, IsUnknownUntilItsReachIsStated)
{
    Graph graph = test::graphOf("input 3x32x32 > opaque:x > conv2d:a k=3 p=1 c=8");
    EXPECT_EQ(layer(analyze(graph), "a").verdict, Verdict::Unknown);
    EXPECT_TRUE(has(analyze(graph), "unknown-layer"));
    EXPECT_FALSE(has(analyze(graph), "opaque-layer"));
    graph = withReach(graph, "x", "k3s2p1");
    EXPECT_EQ(layer(analyze(graph), "a").verdict, Verdict::Productive);
    EXPECT_EQ(layer(analyze(graph), "a").field.h.rfMin, 7);
    EXPECT_THROW(withReach(graph, "a", "k3"), Error);
    EXPECT_THROW(withReach(graph, "x", "s2"), Error);
    EXPECT_THROW(withReach(graph, "x", "k0"), Error);
    EXPECT_THROW(withReach(graph, "nobody", "k3"), Error);
}

TEST(Opaque, IsStatedForAllOfATypeAndWithAScale)
{
    Graph graph = test::graphOf("input 3x32x32 > opaque:x onnx_op=Swirl > conv2d:a k=3 p=1 c=8 > opaque:y onnx_op=com.example::Swirl > conv2d:b k=3 p=1 c=8");
    graph = withReach(graph, "op:Swirl", "up2");
    const Report report = analyze(graph);
    EXPECT_EQ(layer(report, "a").field.h.jump, Rational(1, 2));
    EXPECT_EQ(layer(report, "b").field.h.jump, Rational(1, 4));
    EXPECT_TRUE(report.summary.bounded);
    EXPECT_TRUE(has(report, "opaque-layer"));
    EXPECT_FALSE(has(report, "unknown-layer"));
    EXPECT_THROW(withReach(graph, "op:Twirl", "same"), Error);
    EXPECT_THROW(withReach(graph, "x", "up0"), Error);
    EXPECT_THROW(withReach(graph, "x", "up2k3"), Error);
}

const Issue* finding(const Report& report, const std::string& code)
{
    for (const Issue& issue : report.issues)
        if (issue.code == code) return &issue;
    return nullptr;
}

int count(const Report& report, const std::string& code)
{
    return static_cast<int>(std::count_if(report.issues.begin(), report.issues.end(), [&](const Issue& issue) { return issue.code == code; }));
}

TEST(Unknown, OneCauseGivesOneFindingWithWhatItCosts)
{
    const Report report = analyze(test::graphOf(
        "input 3x32x32 > conv2d:a k=3 p=1 c=8 > opaque:x onnx_op=GridSample why=it.samples > relu:r > conv2d:b k=3 p=1 c=8 > opaque:y onnx_op=If > conv2d:c k=3 p=1 c=8"));
    EXPECT_EQ(count(report, "unknown-layer"), 1);
    const Issue* issue = finding(report, "unknown-layer");
    ASSERT_TRUE(issue);
    EXPECT_EQ(issue->layer, "x");
    EXPECT_EQ(issue->severity, Severity::Warning);
    EXPECT_EQ(issue->message, "'x': it.samples. The fields of 4 layers behind it are unknown for that.");
    EXPECT_FALSE(report.summary.complete);
    EXPECT_FALSE(report.summary.bounded);
    EXPECT_FALSE(report.summary.judged);
    EXPECT_EQ(report.summary.iMin->h, 3);
    EXPECT_FALSE(has(report, "field-smaller-than-input"));
}

TEST(Unknown, BranchesWithTheSameCauseShareTheFinding)
{
    const Report report = analyze(test::graphOf("input 3x32x32 > conv2d:a k=3 p=1 c=8 > opaque:x onnx_op=S why=no; @a > opaque:y onnx_op=S why=no; @a > opaque:z onnx_op=T why=no; @x > add @y @z"));
    EXPECT_EQ(count(report, "unknown-layer"), 2);
    EXPECT_EQ(finding(report, "unknown-layer")->message, "'x': no; so it is with 1 more of its type. The fields of 1 layer behind it are unknown for that.");
}

TEST(Unknown, WhatItCannotChangeIsKnown)
{
    // Behind a global layer, a gate that nobody can read leaves the extractor as it is.
    const Report report = analyze(test::graphOf("input 3x32x32 > conv2d:a k=3 p=1 c=8 > gap > opaque:tail onnx_op=NonMaxSuppression > relu:r > conv2d:behind k=1 c=8"));
    EXPECT_EQ(count(report, "unknown-layer"), 0);
    EXPECT_TRUE(layer(report, "tail").unbounded);
    EXPECT_EQ(layer(report, "behind").verdict, Verdict::NotApplicable);
    EXPECT_TRUE(report.summary.bounded);
    EXPECT_TRUE(report.summary.judged);
    const Report pooled = analyze(test::graphOf("input 3x32x32 > conv2d:a k=3 p=1 c=8 > opaque:x onnx_op=GridSample > gap:pool > conv2d:gate k=1 c=8"));
    EXPECT_TRUE(layer(pooled, "pool").unbounded);
    EXPECT_FALSE(layer(pooled, "pool").unknown);
    EXPECT_EQ(layer(pooled, "gate").verdict, Verdict::NotApplicable);
    EXPECT_TRUE(pooled.summary.judged);
    EXPECT_EQ(count(pooled, "unknown-layer"), 1);
}

TEST(Unknown, NoBorderLayerStandsBehindIt)
{
    const Report report = analyze(test::graphOf(
        "input 3x16x16 > conv2d:a k=9 s=2 p=4 c=8 > opaque:x > conv2d:b k=3 p=1 c=8; @a > conv2d:c k=9 p=4 c=8 > conv2d:d k=3 p=1 c=8"));
    EXPECT_EQ(layer(report, "d").verdict, Verdict::Unproductive);
    EXPECT_FALSE(report.summary.borderLayer);
    EXPECT_NE(finding(report, "unproductive-tail")->message.find("At least 1 layer is"), std::string::npos);
}

TEST(Inputs, NoneThatIsAnImageIsSaidAndTheCostIsCounted)
{
    Graph graph;
    Node input = makeNode("Input", "x");
    input.attrs.set("shape", Ints{1, 8, 3, 16, 16});
    const NodeId x = graph.add(input);
    Node reshape = makeNode("Reshape", "frames", {{x, 0}});
    reshape.attrs.set("shape", Ints{8, 3, 16, 16});
    Node conv = makeNode("Conv2d", "c", {{graph.add(reshape), 0}});
    conv.attrs.set("kernel_size", Ints{3, 3});
    graph.add(conv);
    const Report report = analyze(graph);
    EXPECT_TRUE(has(report, "no-image-input"));
    EXPECT_FALSE(has(report, "unknown-layer"));
    EXPECT_EQ(layer(report, "c").verdict, Verdict::Unknown);
    EXPECT_FALSE(layer(report, "c").finite);
    EXPECT_TRUE(report.summary.complete);
    EXPECT_FALSE(report.summary.iMin);
    EXPECT_GT(report.summary.macs, 0);
}

TEST(Constants, ThatAreSettingsAreNoRows)
{
    Graph graph = test::graphOf("input 3x8x8 > conv2d:a k=3 p=1 c=4");
    Node setting = makeNode("Constant", "grid"), learned = makeNode("Constant", "token");
    setting.attrs.set("shape", Ints{1, 4, 8, 8});
    learned.attrs.set("shape", Ints{1, 4, 8, 8});
    learned.attrs.set("learned", true);
    const NodeId grid = graph.add(setting), token = graph.add(learned);
    const NodeId sum = graph.add(makeNode("Concat", "sum", {{test::layer(graph, "a").id, 0}, {grid, 0}, {token, 0}}));
    graph.setOutputs({{"y", {sum, 0}}});
    const Report report = analyze(graph);
    EXPECT_EQ(report.find(grid), nullptr);
    EXPECT_EQ(layer(report, "token").parameters, 256);
    EXPECT_EQ(layer(report, "sum").out[0].shape.text(), "1x12x8x8");
    EXPECT_FALSE(has(report, "unreachable-layer"));
    EXPECT_EQ(report.layers.size(), 3u);
}

TEST(InnerImage, TakesThePlaceOfTheFileInput)
{
    const Graph graph = test::graphOf("input 3x32x32 > relu:decoded > conv2d:a k=3 s=2 p=1 c=8 > conv2d:b k=3 p=1 c=8");
    EXPECT_TRUE(hasInnerTensor(graph, "a"));
    EXPECT_FALSE(hasInnerTensor(graph, "input"));
    AnalysisOptions options;
    options.input = "a";
    const Report report = analyze(withInnerImage(graph, "a"), options);
    EXPECT_EQ(report.inputShape.text(), "1x8x16x16");
    EXPECT_EQ(layer(report, "b").field.h.rfMax, 3);
    EXPECT_EQ(layer(report, "b").field.h.jump, Rational(1));
    EXPECT_EQ(report.layers.size(), 1u);
    EXPECT_THROW(withInnerImage(graph, "nobody"), Error);
}

TEST(Cost, CountsAsTheConventionSays)
{
    const Report report = analyze(test::graphOf("input 3x32x32 > conv2d:a k=3 s=2 p=1 c=8 > bn:n > conv2d:b k=3 p=1 c=8 g=8 > convtranspose:t k=2 s=2 c=4 > gap > flatten > linear:fc c=10"));
    EXPECT_EQ(layer(report, "a").macs, 16 * 16 * 8 * 3 * 9);
    EXPECT_EQ(layer(report, "a").parameters, 8 * 3 * 9 + 8);
    EXPECT_EQ(layer(report, "n").parameters, 16);
    EXPECT_EQ(layer(report, "b").macs, 16 * 16 * 8 * 9);
    EXPECT_EQ(layer(report, "t").macs, 16 * 16 * 8 * 4 * 4);
    EXPECT_EQ(layer(report, "fc").macs, 40);
    EXPECT_EQ(layer(report, "fc").parameters, 50);
}

TEST(Cost, ATensorThatTwoLayersShareIsCountedAtTheFirst)
{
    Graph graph = test::graphOf("input 8x16x16 > conv2d:a k=3 p=1 c=8 > conv2d:b k=3 p=1 c=8");
    for (const char* name : {"a", "b"})
        graph.update(test::layer(graph, name).id, [](Node& node) { node.tensors = {{"weight", "shared"}, {"bias", node.name + ".bias"}}; });
    const Report report = analyze(graph);
    EXPECT_EQ(layer(report, "a").parameters, 8 * 8 * 9 + 8);
    EXPECT_EQ(layer(report, "b").parameters, 8);
}

TEST(CoversMap, IsAboutTheRealMapWithoutPadding)
{
    const Report report = analyze(test::graphOf("input 3x4x4 > conv2d:a k=3 p=1 c=4 > maxpool:p k=2 s=2 > conv2d:b k=3 p=1 c=4"));
    EXPECT_FALSE(layer(report, "a").coversMap);
    EXPECT_TRUE(layer(report, "b").coversMap);
    EXPECT_TRUE(has(report, "kernel-covers-map"));
}

TEST(Side, IsChangedWithoutTouchingTheRest)
{
    const Graph graph = test::graphOf(kChain);
    EXPECT_EQ(analyze(withSide(graph, 48, 40)).side.w, 40);
    EXPECT_THROW(withSide(graph, 0, 5), Error);
    EXPECT_THROW(withSide(test::graphOf("input 3x32x32 > relu"), 5, 5, "nobody"), Error);
}

TEST(Unconnected, LayersOfEveryKindAreAnalysedAndNamed)
{
    for (const OpDef* op : allOps()) {
        Graph graph = test::graphOf("input 3x32x32 > relu");
        const NodeId alone = graph.add(makeNode(op->kind, "alone"));
        Node behind = makeNode("Conv2d", "behind", {{alone, 0}});
        graph.add(behind);
        const Report report = analyze(graph);
        EXPECT_EQ(has(report, "missing-input"), op->minInputs > 0) << op->kind;
    }
}

TEST(OtherDimensions, AreUnknownAndSaidSo)
{
    Graph graph;
    Node input = makeNode("Input", "x");
    input.attrs.set("shape", Ints{1, 4, 32});
    const NodeId x = graph.add(input);
    Node conv = makeNode("Conv1d", "c", {{x, 0}});
    conv.attrs.set("in_channels", std::int64_t{4});
    conv.attrs.set("out_channels", std::int64_t{8});
    conv.attrs.set("kernel_size", Ints{3});
    graph.add(conv);
    const Report report = analyze(graph);
    EXPECT_EQ(layer(report, "c").verdict, Verdict::Unknown);
    EXPECT_EQ(layer(report, "c").out[0].shape.text(), "1x8x30");
    EXPECT_EQ(layer(report, "c").macs, 30 * 8 * 4 * 3);
    EXPECT_TRUE(has(report, "unsupported-dimensions"));
}

// A colour and a depth image, each through its own stem, joined, with two heads.
Graph twoImages()
{
    Graph graph = test::graphOf("input 3x64x48 > conv2d:colour k=7 s=2 p=3 c=8");
    Node depth = makeNode("Input", "depth");
    depth.attrs.set("shape", Ints{1, 1, 64, 48});
    Node stem = makeNode("Conv2d", "stem", {{graph.add(depth), 0}});
    stem.attrs.set("out_channels", std::int64_t{8});
    stem.attrs.set("kernel_size", Ints{3, 5});
    stem.attrs.set("stride", Ints{2, 2});
    stem.attrs.set("padding", Ints{1, 2, 1, 2});
    const NodeId stemId = graph.add(stem);
    const NodeId joined = graph.add(makeNode("Concat", "joined", {{test::layer(graph, "colour").id, 0}, {stemId, 0}}));
    Node body = makeNode("Conv2d", "body", {{joined, 0}});
    body.attrs.set("kernel_size", Ints{3, 3});
    body.attrs.set("padding", Ints{1, 1, 1, 1});
    const NodeId bodyId = graph.add(body);
    graph.setOutputs({{"mask", {bodyId, 0}}, {"edges", {stemId, 0}}});
    return graph;
}

TEST(SeveralInputs, TheOneThatIsNotAnalysedIsNamed)
{
    const Report report = analyze(twoImages());
    EXPECT_EQ(count(report, "other-image-input"), 1);
    EXPECT_EQ(finding(report, "other-image-input")->layer, "depth");
}

TEST(SeveralInputs, OneIsAnalysedAndTheOthersCarryNoPath)
{
    const Report colour = analyze(twoImages());
    EXPECT_EQ(colour.inputName, "input");
    EXPECT_EQ(layer(colour, "body").field.h.rfMin, 11);  // through the 7x7 alone
    EXPECT_FALSE(layer(colour, "stem").finite);
    EXPECT_EQ(layer(colour, "stem").verdict, Verdict::NotApplicable);
    AnalysisOptions options;
    options.input = "depth";
    const Report depth = analyze(twoImages(), options);
    EXPECT_EQ(layer(depth, "body").field.h.rfMin, 7);
    EXPECT_EQ(layer(depth, "body").field.w.rfMin, 9);
    EXPECT_FALSE(layer(depth, "colour").finite);
}

TEST(SeveralInputs, AllInputsAndOutputsAreListedWithTheirShapes)
{
    const Report report = analyze(twoImages());
    ASSERT_EQ(report.inputs.size(), 2u);
    EXPECT_EQ(report.inputs[1].first, "depth");
    EXPECT_EQ(report.inputs[1].second.text(), "1x1x64x48");
    ASSERT_EQ(report.outputs.size(), 2u);
    EXPECT_EQ(report.outputs[0].first, "mask");
    EXPECT_EQ(report.outputs[1].second.text(), "1x8x32x24");
    EXPECT_FALSE(has(report, "dead-output"));
    EXPECT_FALSE(has(report, "unreachable-layer"));
}

TEST(Windowless, NetworksGetAFinding)
{
    EXPECT_TRUE(has(analyze(test::graphOf("input 3x32x32 > conv2d k=1 c=4 > relu")), "no-window-layers"));
}

}  // namespace
}  // namespace fovea
