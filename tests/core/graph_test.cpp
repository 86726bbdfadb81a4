#include "core/graph/graph.h"
#include "core/graph/tensor.h"

#include <gtest/gtest.h>

namespace fovea {
namespace {

Node node(const std::string& name, std::vector<Port> inputs = {})
{
    Node out;
    out.kind = "ReLU";
    out.name = name;
    out.inputs = std::move(inputs);
    return out;
}

TEST(Graph, AnOldCopyStaysTrueWhenTheNewOneIsEdited)
{
    Graph graph;
    const NodeId a = graph.add(node("a"));
    const Graph before = graph;
    graph.update(a, [](Node& edited) { edited.attrs.set("x", std::int64_t{3}); });
    EXPECT_FALSE(before.at(a).attrs.has("x"));
    EXPECT_EQ(graph.at(a).attrs.getInt("x", 0), 3);
}

TEST(Graph, NamesAreUnique)
{
    Graph graph;
    graph.add(node("a"));
    const NodeId second = graph.add(node("a"));
    EXPECT_EQ(graph.at(second).name, "a_1");
    EXPECT_THROW(graph.rename(second, "a"), Error);
}

TEST(Graph, RemovingALayerLeavesItsReadersUnconnectedAndDropsOutputs)
{
    Graph graph;
    const NodeId a = graph.add(node("a"));
    const NodeId b = graph.add(node("b", {{a, 0}}));
    graph.setOutputs({{"out", {a, 0}}});
    graph.remove(a);
    EXPECT_EQ(graph.at(b).inputs[0].node, kNoNode);
    EXPECT_TRUE(graph.outputs().empty());
}

TEST(Graph, RewiringMovesReadersAndOutputs)
{
    Graph graph;
    const NodeId a = graph.add(node("a")), b = graph.add(node("b"));
    const NodeId c = graph.add(node("c", {{a, 0}}));
    graph.setOutputs({{"out", {a, 0}}});
    graph.rewire({a, 0}, {b, 0});
    EXPECT_EQ(graph.at(c).inputs[0], (Port{b, 0}));
    EXPECT_EQ(graph.outputs()[0].port, (Port{b, 0}));
}

TEST(Graph, AnEditForgetsWhereALayerCameFromButRewiringDoesNot)
{
    Graph graph;
    Node made = node("a");
    made.origin = std::make_shared<Origin>();
    const NodeId a = graph.add(made);
    graph.update(a, [](Node& edited) { edited.group = "g"; });
    EXPECT_NE(graph.at(a).origin, nullptr);
    graph.update(a, [](Node& edited) { edited.attrs.set("x", true); });
    EXPECT_EQ(graph.at(a).origin, nullptr);
}

TEST(Graph, ExecutionOrderIsTopologicalWithTiesByInsertion)
{
    Graph graph;
    const NodeId a = graph.add(node("a"));
    const NodeId b = graph.add(node("b"));
    const NodeId c = graph.add(node("c", {{a, 0}}));
    graph.setInput(a, 0, {b, 0});
    EXPECT_EQ(executionOrder(graph), (std::vector<NodeId>{b, a, c}));
    graph.setInput(b, 0, {c, 0});
    std::vector<NodeId> cyclic;
    EXPECT_EQ(executionOrder(graph, &cyclic).size(), 3u);
    EXPECT_EQ(cyclic, (std::vector<NodeId>{a, b, c}));
}

TEST(Graph, DiffTellsAddedRemovedChangedAndRewired)
{
    Graph before;
    const NodeId a = before.add(node("a")), b = before.add(node("b")), c = before.add(node("c", {{a, 0}}));
    Graph after = before;
    after.update(a, [](Node& edited) { edited.attrs.set("x", 1.5); });
    after.setInput(c, 0, {b, 0});
    const NodeId d = after.add(node("d"));
    GraphDiff changes = diff(before, after);
    EXPECT_EQ(changes.changed, (std::vector<NodeId>{a}));
    EXPECT_EQ(changes.rewired, (std::vector<NodeId>{c}));
    EXPECT_EQ(changes.added, (std::vector<NodeId>{d}));
    after.remove(b);
    EXPECT_EQ(diff(before, after).removed, (std::vector<NodeId>{b}));
    EXPECT_TRUE(diff(before, before).empty());
}

TEST(Graph, DiffTellsThatThePreprocessingChanged)
{
    Graph before;
    Graph after = before;
    after.setPreprocessing(Preprocessing{256, ChannelOrder::Bgr, {0.5}, {0.25}});
    EXPECT_TRUE(diff(before, after).preprocessingChanged);
    EXPECT_FALSE(diff(before, after).empty());
    EXPECT_TRUE(diff(after, after).empty());
}

TEST(Graph, InsertRefusesAnIdThatIsTaken)
{
    Graph graph;
    Node first = node("a");
    first.id = 7;
    graph.insert(first);
    EXPECT_EQ(graph.nextId(), 8);
    EXPECT_THROW(graph.insert(first), Error);
}

TEST(Tensor, ReadsHalfPrecision)
{
    const std::vector<std::uint16_t> bits{0x3c00, 0xc000, 0x0001};
    Tensor tensor{DType::Float16, {3}, std::as_bytes(std::span(bits)), nullptr};
    EXPECT_EQ(tensor.real(0), 1.0);
    EXPECT_EQ(tensor.real(1), -2.0);
    EXPECT_NEAR(tensor.real(2), 5.96e-8, 1e-10);
    EXPECT_EQ(tensor.real(3), 0.0);
}

TEST(Shape, PrintsAsUsersWriteIt)
{
    EXPECT_EQ((Shape{1, 64, 56, -1}).text(), "1x64x56x?");
    EXPECT_EQ(Shape{}.text(), "?");
    EXPECT_EQ((Shape{2, 3}).elements(), 6);
    EXPECT_EQ((Shape{2, -1}).elements(), kUnknown);
    EXPECT_EQ((Shape{1LL << 40, 1LL << 40}).elements(), kUnknown);
}

}  // namespace
}  // namespace fovea
