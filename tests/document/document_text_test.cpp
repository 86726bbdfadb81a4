#include "core/io/document/document_file.h"
#include "core/io/document/document_text.h"
#include "core/ops/registry.h"
#include "tests/support/text_graph.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace fovea {
namespace {

using test::graphOf;

void expectSame(const Graph& a, const Graph& b)
{
    EXPECT_TRUE(diff(a, b).empty());
    EXPECT_EQ(a.outputs(), b.outputs());
    EXPECT_EQ(a.notes(), b.notes());
    EXPECT_EQ(a.name(), b.name());
    EXPECT_EQ(a.nextId(), b.nextId());
}

Graph reread(const Graph& graph) { return graphFromText(documentText(graph)); }

TEST(DocumentText, WritesOneNodeALine)
{
    Graph graph = graphOf("input 3x8x8 > conv:stem k=3 c=4 group=layer1.0 > relu");
    graph.setName("tiny");
    EXPECT_EQ(documentText(graph),
              "{\n"
              "\"schema\":\"fovea.document/1\",\n"
              "\"name\":\"tiny\",\n"
              "\"weights\":null,\n"
              "\"next_id\":4,\n"
              "\"outputs\":[\n"
              "{\"name\":\"relu\",\"from\":[3,0]}\n"
              "],\n"
              "\"notes\":[],\n"
              "\"nodes\":[\n"
              "{\"id\":1,\"name\":\"input\",\"kind\":\"Input\",\"inputs\":[],\"attrs\":{\"shape\":[1,3,8,8]}},\n"
              "{\"id\":2,\"name\":\"stem\",\"kind\":\"Conv2d\",\"inputs\":[[1,0]],\"attrs\":{\"bias\":true,\"dilation\":[1,1],\"groups\":1,"
              "\"kernel_size\":[3,3],\"out_channels\":4,\"padding\":[0,0,0,0],\"stride\":[1,1]},\"group\":\"layer1.0\"},\n"
              "{\"id\":3,\"name\":\"relu\",\"kind\":\"ReLU\",\"inputs\":[[2,0]],\"attrs\":{}}\n"
              "]\n"
              "}\n");
}

TEST(DocumentText, ReturnsEveryKindOfTheRegistryAsItWas)
{
    Graph graph;
    for (const OpDef* op : allOps())
        graph.add(makeNode(op->kind, std::string("a ") + op->kind, std::vector<Port>(static_cast<std::size_t>(op->minInputs))));
    EXPECT_GT(graph.nodes().size(), 50u);
    expectSame(graph, reread(graph));
}

TEST(DocumentText, ReadsALayerThatListsTooFewInputsAsUnconnected)
{
    Graph graph;
    graph.add(makeNode("Conv2d", "a"));
    EXPECT_EQ(reread(graph).nodes()[0]->inputs, (std::vector<Port>{Port{}}));
}

TEST(DocumentText, KeepsTheTypeOfEveryAttribute)
{
    Graph graph;
    Node node = makeNode("ReLU", "r", {Port{}});
    node.attrs.set("whole", std::int64_t{2});
    node.attrs.set("real", 2.0);
    node.attrs.set("small", 1e-300);
    node.attrs.set("third", 1.0 / 3.0);
    node.attrs.set("negative_zero", -0.0);
    node.attrs.set("infinite", -std::numeric_limits<double>::infinity());
    node.attrs.set("flag", true);
    node.attrs.set("text", std::string("2"));
    node.attrs.set("list", Ints{std::numeric_limits<std::int64_t>::min(), 0, std::numeric_limits<std::int64_t>::max()});
    node.attrs.set("empty", Ints{});
    graph.add(node);
    const Graph back = reread(graph);
    expectSame(graph, back);
    EXPECT_TRUE(std::signbit(std::get<double>(*back.nodes()[0]->attrs.find("negative_zero"))));
    EXPECT_TRUE(std::holds_alternative<double>(*back.nodes()[0]->attrs.find("real")));
}

TEST(DocumentText, KeepsANumberThatIsNone)
{
    Graph graph;
    Node node = makeNode("ReLU");
    node.attrs.set("real", std::nan(""));
    graph.add(node);
    EXPECT_TRUE(std::isnan(std::get<double>(*reread(graph).nodes()[0]->attrs.find("real"))));
}

TEST(DocumentText, KeepsUnconnectedInputsBindingsInTheirOrderNotesAndIds)
{
    Graph graph = graphOf("input 3x8x8 > split:s > relu:r");
    const NodeId r = test::layer(graph, "r").id;
    graph.update(r, [](Node& node) {
        node.inputs = {Port{}, Port{2, 1}, Port{}};
        node.tensors = {{"weight", "z.weight"}, {"bias", "a.bias"}};
    });
    graph.remove(graph.add(makeNode("ReLU", "gone")));
    graph.setNotes({{"folded-norms", Severity::Warning, "r", "bias", "A message\nof two lines", "a \"hint\""}});
    EXPECT_EQ(graph.nextId(), 5);
    const Graph back = reread(graph);
    expectSame(graph, back);
    EXPECT_EQ(test::layer(back, "r").tensors[0].role, "weight");
}

TEST(DocumentText, KeepsNamesThatAreNotUtf8AndKindsThatNobodyKnows)
{
    Graph graph;
    Node node;
    node.kind = "FancyLayer9";
    node.name = "bad \xff\xfe name";
    graph.add(node);
    expectSame(graph, reread(graph));
}

TEST(DocumentText, KeepsHowTheImportedFileWroteALayer)
{
    Graph graph = graphOf("input 3x8x8");
    Node node = makeNode("ReLU", "r", {{1, 0}});
    auto origin = std::make_shared<Origin>();
    origin->nodes = {std::string("\x00\x01\xff", 3), ""};
    origin->inputNames = {"x"};
    origin->outputNames = {"y", "\xff"};
    origin->inputs = {Value{Shape{1, 3, kUnknown, 8}, kNchw}};
    origin->outputs = {Value{Shape(), Layout{}}, Value{Shape{}, Layout{0, -1, -1}}};
    origin->sizesBaked = true;
    node.origin = origin;
    graph.add(node);
    const Graph back = reread(graph);
    const Origin& read = *test::layer(back, "r").origin;
    EXPECT_EQ(read.nodes, origin->nodes);
    EXPECT_EQ(read.inputNames, origin->inputNames);
    EXPECT_EQ(read.outputNames, origin->outputNames);
    EXPECT_EQ(read.inputs, origin->inputs);
    EXPECT_EQ(read.outputs, origin->outputs);
    EXPECT_TRUE(read.sizesBaked);
    EXPECT_EQ(test::layer(back, "input").origin, nullptr);
}

TEST(DocumentText, KeepsTheImportedFileAndStoresANodeOfItOnlyOnce)
{
    Graph graph = graphOf("input 3x8x8");
    const std::string bytes(300, '\x07');
    OnnxOrigin onnx{"skeleton\xff", {{bytes, 2}, {"shape arithmetic", kNoNode}}, {"w1", "w2"}};
    auto origin = std::make_shared<Origin>();
    origin->nodes = {bytes};
    Node node = makeNode("ReLU", "r", {{1, 0}});
    node.origin = origin;
    graph.add(node);
    const std::string text = composeDocument(graph, &onnx, "net.safetensors");
    const DocumentParts parts = parseDocument(text);
    EXPECT_EQ(parts.weights, "net.safetensors");
    EXPECT_EQ(parts.onnx->skeleton, "skeleton\xff");
    ASSERT_EQ(parts.onnx->nodes.size(), 2u);
    EXPECT_EQ(parts.onnx->nodes[0].bytes, bytes);
    EXPECT_EQ(parts.onnx->nodes[0].layer, 2);
    EXPECT_EQ(parts.onnx->nodes[1].layer, kNoNode);
    EXPECT_EQ(parts.onnx->initializers, (std::vector<std::string>{"w1", "w2"}));
    EXPECT_EQ(test::layer(parts.graph, "r").origin->nodes, origin->nodes);
    EXPECT_LT(text.size(), 2 * bytes.size() + 500);
}

TEST(DocumentText, KeepsThePreprocessing)
{
    Graph graph = graphOf("input 3x8x8 > relu");
    EXPECT_EQ(documentText(graph).find("preprocessing"), std::string::npos);
    graph.setPreprocessing(Preprocessing{256, ChannelOrder::Bgr, {0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}});
    EXPECT_NE(documentText(graph).find("\n\"preprocessing\":{\"resize\":256,\"order\":\"bgr\",\"mean\":[0.485,0.456,0.406],"
                                       "\"deviation\":[0.229,0.224,0.225]},\n"),
              std::string::npos);
    EXPECT_EQ(reread(graph).preprocessing(), graph.preprocessing());
    expectSame(graph, reread(graph));
}

TEST(DocumentText, IsTheSameTextAfterReadingAndWritingAgain)
{
    const Graph graph = graphOf("input 3x8x8 > conv:a k=3 p=1 c=3 > relu:b; @a > add @b > gap > flatten > linear c=2");
    EXPECT_EQ(documentText(reread(graph)), documentText(graph));
}

TEST(DocumentText, IgnoresKeysThatALaterVersionMayAdd)
{
    std::string text = documentText(graphOf("input 3x8x8 > relu:r"));
    text.insert(text.find("\"name\""), "\"colour\":[{\"x\":1}],");
    text.insert(text.find("\"id\":2"), "\"pinned\":true,");
    expectSame(graphFromText(text), graphOf("input 3x8x8 > relu:r"));
}

}  // namespace
}  // namespace fovea
