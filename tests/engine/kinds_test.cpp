#include "core/analysis/unit_field.h"
#include "core/ops/registry.h"
#include "tests/engine/support_check.h"
#include "tests/support/kind_networks.h"
#include "tests/support/text_graph.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

// Every layer kind of the registry against LibTorch: the gradient's support equals the predicted field, and the
// output has the predicted shape. A new kind without a row here fails the first test.
namespace fovea {
namespace {

using test::graphOf;
using test::layer;
using test::networksOf;

// Kinds that the table does not hold, each with its reason.
const std::map<std::string, std::string>& withoutRow()
{
    static const std::map<std::string, std::string> reasons = {
        {"opaque", "nobody knows what it computes"},
        {"Constant", "it has no input, so no gradient"},
        {"Conv3d", "its field is not along image axes; run in calls_test.cpp"},
        {"AvgPool3d", "its field is along channels; run in calls_test.cpp"},
        {"Reshape", "its attribute has no text form; ReshapeAndBack below"},
        {"QuantizeLinear", "quantised networks are not run"},
        {"DequantizeLinear", "quantised networks are not run"},
        {"DynamicQuantizeLinear", "quantised networks are not run"},
        {"LSTM", "of files only, not run"},
        {"GRU", "of files only, not run"},
        {"RNN", "of files only, not run"},
        {"MultiheadAttention", "of files only, not run"},
        {"SkipLayerNorm", "of files only, not run"},
        {"BiasGELU", "of files only, not run"},
        {"FusedMatMul", "of files only, not run"},
        {"Embedding", "of files only, not run"},
        {"ImageScaler", "of files only, not run"},
        {"MeanVarianceNorm", "of files only, not run"},
        {"RandomLike", "of files only, not run"},
        {"SizeOf", "of files only, not run"},
        {"Bitwise", "of files only, not run"},
    };
    return reasons;
}

TEST(Kinds, EveryKindHasANetworkOrAReason)
{
    for (const OpDef* op : allOps()) EXPECT_NE(networksOf(*op).empty(), !withoutRow().contains(op->kind)) << op->kind;
}

TEST(Kinds, TheGradientLiesExactlyOnThePredictedPixels)
{
    int units = 0;
    for (const OpDef* op : allOps())
        for (const std::string& text : networksOf(*op)) {
            SCOPED_TRACE(text);
            const Graph graph = graphOf(text);
            // Mirrored rows are read where they come from, not where the field counts them: away from the border only.
            const bool mirrors = op->torch.op == TorchOp::ReflectionPad || op->torch.op == TorchOp::ReplicationPad;
            std::set<std::string> kinds;
            for (const auto& node : graph.nodes()) kinds.insert(node->kind);
            std::vector<Issue> issues;
            inferShapes(prepare(graph), issues);
            EXPECT_TRUE(issues.empty()) << issues.front().message;
            EXPECT_TRUE(kinds.contains(op->kind)) << "the network of " << op->kind << " does not hold it";
            units += test::expectExactSupportEverywhere(graph, op->kind, mirrors ? 1 : 5);
        }
    EXPECT_GT(units, 800);
}

TEST(Kinds, AReshapeToTokensAndBackKeepsEveryUnitsPixels)
{
    Graph graph = graphOf("input 3x9x8 > conv:stem k=3 s=1x2 p=1 c=4");
    const auto reshape = [&](const char* name, NodeId from, Ints shape) {
        Node node = makeNode("Reshape", name, {{from, 0}});
        node.attrs.set("shape", std::move(shape));
        return graph.add(std::move(node));
    };
    const NodeId tokens = reshape("tokens", layer(graph, "stem").id, {-10, -21, -33});
    const NodeId image = reshape("image", tokens, {-10, -21, 9, -1});
    Node conv = makeNode("Conv2d", "after", {{image, 0}});
    conv.attrs.set("kernel_size", Ints{3, 3});
    conv.attrs.set("out_channels", std::int64_t{2});
    graph.setOutputs({{"after", {graph.add(std::move(conv)), 0}}});
    EXPECT_GT(test::expectExactSupportEverywhere(graph, "Reshape"), 10);
}

TEST(Kinds, ThePlainGradientNeverLeavesThePredictedPixels)
{
    for (const OpDef* op : allOps())
        for (const std::string& text : networksOf(*op)) {
            SCOPED_TRACE(text);
            // Real layer and group norms see more than the literature counts; see semantics of norms.
            if (op->torch.op == TorchOp::GroupNorm || op->torch.op == TorchOp::InstanceNorm2d) continue;
            const Graph graph = graphOf(text);
            const Module module(graph, materialise(graph, {}, 3), {.doublePrecision = true});
            const bool mirrors = op->torch.op == TorchOp::ReflectionPad || op->torch.op == TorchOp::ReplicationPad;
            for (const auto& node : graph.nodes()) {
                const auto units = test::someUnits(graph, node->name, mirrors ? 1 : 3);
                const auto gradients = module.inputGradients(units, module.randomInputs(4));
                for (std::size_t i = 0; i < units.size(); ++i) {
                    const UnitField field = unitField(graph, node->name, {units[i].y, units[i].x, units[i].output});
                    int outside = 0;
                    for (std::size_t k = 0; k < field.pixels.size(); ++k)
                        outside += !field.pixels[k] && gradients[i].real(static_cast<std::int64_t>(k)) > 0;
                    EXPECT_EQ(outside, 0) << node->name << " [" << units[i].y << "," << units[i].x << "]";
                }
            }
        }
}

TEST(Kinds, TheOutputHasThePredictedShape)
{
    for (const OpDef* op : allOps())
        for (const std::string& text : networksOf(*op)) {
            SCOPED_TRACE(text);
            Graph graph = graphOf(text);
            const Prepared prepared = prepare(graph);
            std::vector<Issue> issues;
            const std::vector<Value> values = inferShapes(prepared, issues);
            const Module module(graph, materialise(graph, {}, 3));
            const NamedTensors outputs = module.forward(module.randomInputs(1));
            for (const GraphOutput& output : graph.outputs()) {
                const auto& entry = prepared.entries[static_cast<std::size_t>(prepared.entryOf(output.port.node))];
                EXPECT_EQ(Shape(std::span(outputs.at(output.name).dims)).text(), values[entry.firstOutput].shape.text())
                    << output.name;
            }
        }
}

}  // namespace
}  // namespace fovea
