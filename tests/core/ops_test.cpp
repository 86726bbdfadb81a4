#include "core/ops/registry.h"
#include "core/ops/weight_decay.h"
#include "tests/support/text_graph.h"

#include <gtest/gtest.h>
#include <set>

namespace fovea {
namespace {

std::vector<Value> shapes(const Graph& graph, std::vector<Issue>& issues)
{
    const Prepared prepared = prepare(graph);
    std::vector<Value> out;
    const auto values = inferShapes(prepared, issues);
    for (const auto& entry : prepared.entries) out.push_back(values[entry.firstOutput]);
    return out;
}

std::string last(const std::string& text)
{
    std::vector<Issue> issues;
    const auto all = shapes(test::graphOf(text), issues);
    return issues.empty() ? all.back().shape.text() : issues[0].code;
}

TEST(Registry, EveryKindThatPyTorchHasACallForHasATorchForm)
{
    std::set<std::string> without, shared;
    std::set<TorchOp> ops;
    for (const OpDef* op : allOps()) {
        if (op->torch.op == TorchOp::None) without.insert(op->kind);
        else if (op->torch.op != TorchOp::Function && !ops.insert(op->torch.op).second) shared.insert(op->kind);
        for (const char* name : op->torch.attrs)
            EXPECT_NE(op->attr(name), nullptr) << op->kind << " has no attribute " << name;
    }
    // Of files only: quantised, fused by an optimiser, or of an old converter.
    EXPECT_EQ(without, (std::set<std::string>{"BiasGELU", "Bitwise", "DequantizeLinear", "DynamicQuantizeLinear", "Embedding", "FusedMatMul", "GRU", "ImageScaler", "LSTM",
                                              "MeanVarianceNorm", "MultiheadAttention", "QuantizeLinear", "RNN", "RandomLike", "SizeOf", "SkipLayerNorm", "opaque"}));
    EXPECT_EQ(shared, std::set<std::string>{});
}

TEST(Registry, EveryKindIsDocumentedAndItsDefaultsAreValid)
{
    std::set<std::string> kinds;
    for (const OpDef* op : allOps()) {
        EXPECT_TRUE(kinds.insert(op->kind).second) << op->kind << " is listed twice";
        EXPECT_GT(std::string(op->doc).size(), 5u) << op->kind;
        std::set<std::string> names;
        for (const AttrDef& attr : op->attrs) {
            EXPECT_TRUE(names.insert(attr.name).second) << op->kind << "." << attr.name;
            EXPECT_GT(std::string(attr.doc).size(), 3u) << op->kind << "." << attr.name;
        }
        std::vector<Issue> issues;
        validate(makeNode(op->kind, "layer"), issues);
        EXPECT_TRUE(issues.empty()) << op->kind << ": " << (issues.empty() ? "" : issues[0].message);
    }
}

TEST(Registry, EveryKindIsReadFromOnnxOrWrittenToIt)
{
    for (const OpDef* op : allOps()) {
        if (op->opClass == OpClass::Input || op->opClass == OpClass::Opaque) continue;
        EXPECT_NE(op->onnx.write, nullptr) << op->kind;
    }
}

TEST(Infer, ShapesAreThoseOfTheField)
{
    EXPECT_EQ(last("input 3x224x224 > conv2d k=7 s=2 p=3 c=64"), "1x64x112x112");
    EXPECT_EQ(last("input 3x224x224 > conv2d k=3 p=1 c=8 > gap > flatten > linear c=10"), "1x10");
    EXPECT_EQ(last("input 3x32x48 > maxpool k=2 s=2"), "1x3x16x24");
    EXPECT_EQ(last("input 3x32x32 > conv2d:a k=3 p=1 c=8 > conv2d k=3 p=1 c=8 > add @a"), "1x8x32x32");
}

TEST(Infer, OneCauseGivesOneFinding)
{
    std::vector<Issue> issues;
    shapes(test::graphOf("input 3x8x8 > conv2d k=9 c=4 > conv2d k=3 c=4 > conv2d k=3 c=4"), issues);
    ASSERT_EQ(issues.size(), 1u);
    EXPECT_EQ(issues[0].code, "input-too-small");
}

TEST(Infer, BranchesThatDoNotMeetAreNamed)
{
    EXPECT_EQ(last("input 3x32x32 > conv2d:a k=3 p=1 c=8 > conv2d k=3 s=2 p=1 c=8 > add @a"), "shape-mismatch");
}

TEST(Infer, ALinearLayerThatNoLongerFitsIsNamed)
{
    Graph graph = test::graphOf("input 3x32x32 > flatten > linear:head c=10");
    graph.update(test::layer(graph, "head").id, [](Node& node) { node.attrs.set("in_features", std::int64_t{100}); });
    std::vector<Issue> issues;
    shapes(graph, issues);
    ASSERT_EQ(issues.size(), 1u);
    EXPECT_EQ(issues[0].code, "head-size-mismatch");
    EXPECT_NE(issues[0].message.find("expects 100 features but gets 3072"), std::string::npos);
}

TEST(Infer, AMirrorNeedsMoreRowsThanItAdds)
{
    EXPECT_EQ(last("input 3x8x8 > reflectionpad2d padding=3x7x3x7"), "1x3x14x22");
    EXPECT_EQ(last("input 3x8x8 > replicationpad2d padding=8x8x8x8"), "1x3x24x24");
    std::vector<Issue> issues;
    EXPECT_EQ(shapes(test::graphOf("input 3x8x8 > reflectionpad2d padding=0x0x0x8 > relu"), issues)[1].shape.text(),
              "1x3x8x?");
    ASSERT_EQ(issues.size(), 1u);
    EXPECT_EQ(issues[0].code, "input-too-small");
    EXPECT_EQ(issues[0].message, "It mirrors 8 columns, but the map is only 8 wide.");
}

TEST(Infer, ALayerNormThatNoLongerFitsIsNamed)
{
    std::vector<Issue> issues;
    shapes(
        test::graphOf(
            "input 3x8x8 > layernorm features=8 > layernorm features=16 elementwise_affine=0 > layernorm features=16"),
        issues);
    ASSERT_EQ(issues.size(), 1u);
    EXPECT_EQ(issues[0].code, "features-mismatch");
    EXPECT_EQ(issues[0].message, "It normalises 16 features, but reads 8.");
}

TEST(Validate, AnAttributeOutOfItsRangeIsNamedWithBothNumbers)
{
    Node node = makeNode("Conv2d", "c");
    node.attrs.set("stride", Ints{0, 1});
    std::vector<Issue> issues;
    validate(node, issues);
    ASSERT_EQ(issues.size(), 1u);
    EXPECT_EQ(issues[0].attribute, "stride");
    EXPECT_NE(issues[0].message.find("got 0"), std::string::npos);
}

TEST(Params, AreNamedAsPyTorchNamesThem)
{
    const Node node = makeNode("BatchNorm2d", "bn1");
    const std::vector<Value> in{{Shape{1, 16, 8, 8}, kNchw}};
    const auto params = paramsOf(node, in, in);
    ASSERT_EQ(params.size(), 4u);
    EXPECT_EQ(params[2].tensor, "bn1.running_mean");
    EXPECT_FALSE(params[2].spec.trainable);
    EXPECT_EQ(params[0].spec.dims, (Ints{16}));
}

// As timm decays (no biases, no norms), and whatever shape an import gives a value a channel.
TEST(WeightDecay, PullsAtKernelsAlone)
{
    EXPECT_TRUE(isDecayed(OpClass::Convolution, {16, 3, 3, 3}));
    EXPECT_TRUE(isDecayed(OpClass::Convolution, {16, 1, 1, 1}));  // depthwise, 1x1
    EXPECT_TRUE(isDecayed(OpClass::Linear, {10, 16}));
    EXPECT_FALSE(isDecayed(OpClass::Convolution, {16}));
    EXPECT_FALSE(isDecayed(OpClass::Linear, {10}));
    EXPECT_FALSE(isDecayed(OpClass::Normalization, {16, 7, 7}));
    for (const Ints& dims : {Ints{16}, Ints{1, 16, 1, 1}, Ints{16, 1, 1}, Ints{1}, Ints{}})
        for (const OpClass of : {OpClass::Activation, OpClass::Merge, OpClass::Math}) EXPECT_FALSE(isDecayed(of, dims));
    EXPECT_TRUE(isDecayed(OpClass::Merge, {1, 196, 64}));  // positions
}

}  // namespace
}  // namespace fovea
