#include "core/base/files.h"
#include "core/io/pytorch/keys.h"
#include "core/io/pytorch/python_text.h"
#include "core/io/pytorch/source.h"
#include "core/ops/registry.h"
#include "tests/support/kind_networks.h"
#include "tests/support/text_graph.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace fovea {
namespace {

using test::graphOf;
using test::layer;
using test::networksOf;

std::string forwardOf(const std::string& source)
{
    const std::size_t from = source.find("    def forward("), to = source.find("\n\n\n", from);
    return source.substr(from, to - from + 1);
}

std::string messageOf(const Graph& graph)
{
    try {
        pytorchSource(graph);
    } catch (const Error& error) {
        return error.message();
    }
    return "nothing was thrown";
}

TEST(PytorchSource, OfASmallResidualNetworkIsThisText)
{
    Graph graph = graphOf("input 3x16x16 > conv:stem k=3 s=2 p=1 c=8 bias=0 > bn:norm > relu:start;"
                          "@start > conv:layer1.0.conv1 k=3 p=same c=8 > relu > conv:layer1.0.conv2 k=3 p=0x0x2x2 c=8 "
                          "> add:sum @start > relu:end;"
                          "@end > dropout > gap > flatten > linear:head c=5");
    graph.setName("small \"residual\"\nnetwork");
    EXPECT_EQ(pytorchSource(graph), readText(FOVEA_SOURCE_DIR "/tests/pytorch/small_residual.py.txt", 1u << 20));
}

TEST(PytorchSource, SaysHowAnImageBecomesTheInput)
{
    Graph graph = graphOf("input 3x16x16 > conv:a k=3 c=2");
    EXPECT_EQ(pytorchSource(graph).find("PREPROCESSING"), std::string::npos);
    graph.setPreprocessing(Preprocessing{256, ChannelOrder::Bgr, {0.5, 0.25, 0.125}, {1, 2, 4}});
    EXPECT_NE(pytorchSource(graph).find("\nPREPROCESSING = {\"resize\":256,\"order\":\"bgr\",\"mean\":[0.5,0.25,0.125],"
                                        "\"deviation\":[1.0,2.0,4.0]}\n"),
              std::string::npos);
}

TEST(PytorchSource, EveryKindWithAFormIsPrinted)
{
    std::map<std::string, int> printed;
    for (const OpDef* op : allOps())
        for (const std::string& text : networksOf(*op)) {
            SCOPED_TRACE(text);
            const std::string source = pytorchSource(graphOf(text));
            EXPECT_NE(source.find("        return "), std::string::npos);
            ++printed[op->kind];
        }
    for (const OpDef* op : allOps()) {
        static const std::set<std::string> kWithoutText = {"opaque", "Constant",
                                                           "Conv3d", "AvgPool3d", "Reshape",
                                                           "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "LSTM", "GRU", "RNN",
                                                           "MultiheadAttention", "SkipLayerNorm", "BiasGELU", "FusedMatMul", "Embedding", "ImageScaler",
                                                           "MeanVarianceNorm", "RandomLike", "SizeOf", "Bitwise"};
        EXPECT_EQ(printed[op->kind] > 0, !kWithoutText.contains(op->kind)) << op->kind;
    }
}

TEST(PytorchSource, KindsWithoutATextFormAreCallsOfTheirOwn)
{
    Graph graph = graphOf("input:x 4x6x6");
    const auto add = [&](const char* kind, NodeId from, std::vector<std::pair<const char*, AttrValue>> settings) {
        Node node = makeNode(kind, kind);
        if (from != kNoNode) node.inputs = {{from, 0}};
        for (auto& [name, value] : settings) node.attrs.set(name, value);
        return graph.add(std::move(node));
    };
    const NodeId tokens = add("Reshape", layer(graph, "x").id, {{"shape", Ints{-10, -21, -33, -1}}});
    const NodeId wide = add("Reshape", tokens, {{"shape", Ints{-10, 4, -1}}});
    const NodeId conv = add("Conv1d", wide,
                            {{"out_channels", std::int64_t{2}},
                             {"kernel_size", Ints{3}},
                             {"padding", Ints{1, 0}},
                             {"in_channels", std::int64_t{4}}});
    const NodeId constant = add("Constant", kNoNode, {{"shape", Ints{1, 2, 35}}, {"learned", true}});
    Node sum = makeNode("Add", "sum", {{conv, 0}, {constant, 0}});
    graph.setOutputs({{"out", {graph.add(std::move(sum)), 0}}});
    const std::string source = pytorchSource(graph);
    EXPECT_NE(source.find("nn.Conv1d(4, 2, kernel_size=3)"), std::string::npos) << source;
    EXPECT_NE(source.find("\"value\": nn.Parameter(torch.zeros((1, 2, 35)))"), std::string::npos) << source;
    EXPECT_NE(forwardOf(source).find(
                  "x = self.Conv1d(F.pad(x, (1, 0)))\n        y = self.Constant.value\n        x = x + y\n"),
              std::string::npos)
        << source;
}

TEST(PytorchSource, NamesDoNotBecomeCode)
{
    Graph graph = graphOf("input:image 3x8x8 > conv:c k=3 c=4 > relu:r");
    const std::string evil = "x\"\"\"\n'''\\\"); __import__('os').system('true') #\xff";
    graph.update(layer(graph, "c").id, [&](Node& node) { node.tensors = {{"weight", evil}, {"bias", evil + "2"}}; });
    graph.rename(layer(graph, "c").id, evil);
    graph.rename(layer(graph, "image").id, evil + "input");
    graph.setName(evil);
    const std::string source = pytorchSource(graph);
    for (const std::string_view line : {"\nimport os\n", "        x = self.x_import_os.system_true(x)\n"})
        EXPECT_NE(source.find(line), std::string::npos) << source;
    EXPECT_EQ(source.find("__import__('os').system('true') #\xff"), std::string::npos);
    for (const char c : source) EXPECT_TRUE(c == '\n' || (c >= ' ' && c <= '~'));
    // Outside of strings the names are gone.
    std::string code;
    bool inside = false;
    for (std::size_t i = 0; i < source.size(); ++i) {
        if (source[i] == '\\' && inside) ++i;
        else if (source[i] == '"') inside = !inside;
        else if (!inside) code += source[i];
    }
    EXPECT_FALSE(inside);
    EXPECT_EQ(code.find("__import__"), std::string::npos);
}

TEST(PytorchSource, TextsAndNumbersAreLiterals)
{
    EXPECT_EQ(pythonString("a\"b\\\n\x01\xc3\xa9\xff"), "\"a\\\"b\\\\\\n\\u0001\\u00e9\\ufffd\"");
    EXPECT_EQ(pythonReal(2), "2.0");
    EXPECT_EQ(pythonReal(1e-5), "1e-05");
    EXPECT_EQ(pythonReal(-1.0 / 0.0), "float(\"-inf\")");
    EXPECT_EQ(pythonTuple({3}), "(3,)");
    EXPECT_EQ(pythonAccess("layer1.0.class.01"), "self.layer1[0][\"class\"][\"01\"]");
    EXPECT_EQ(identifierFrom("a-b/C.0"), "a_b_C_0");
    EXPECT_EQ(identifierFrom("0"), "layer_0");
    EXPECT_EQ(identifierFrom("\xe2\x82\xac"), "layer");
}

TEST(PytorchSource, LayersWithoutAFormAreNamed)
{
    Graph graph = graphOf("input 3x8x8 > conv:c k=3 c=4 > relu:r");
    graph.update(layer(graph, "r").id, [](Node& node) { node.kind = "opaque"; });
    EXPECT_EQ(messageOf(graph),
              "These layers have no PyTorch form, so the network cannot be written as PyTorch source: 'r'.");
}

TEST(PytorchSource, AnOpenInputIsNamed)
{
    Graph graph = graphOf("input 3x8x8 > conv:c k=3 c=4 > relu:r");
    graph.setInput(layer(graph, "c").id, 0, {});
    EXPECT_EQ(
        messageOf(graph),
        "These layers have an input that is not connected, so the network cannot be written as PyTorch source: 'c'.");
}

TEST(PytorchSource, SharedTensorsAreOneModule)
{
    Graph graph = graphOf("input 4x8x8 > conv:a k=3 p=1 c=4 > relu > conv:b k=3 p=1 c=4 > conv:c k=3 p=1 s=2 c=4");
    for (const char* name : {"b", "c"})
        graph.update(layer(graph, name).id, [](Node& node) {
            node.tensors = {{"weight", "a.weight"}, {"bias", "a.bias"}};
        });
    EXPECT_EQ(forwardOf(pytorchSource(graph)),
              "    def forward(self, x):\n"
              "        x = self.a(x)\n"
              "        x = F.relu(x)\n"
              "        x = self.a(x)\n"
              "        x = F.conv2d(x, self.a.weight, self.a.bias, stride=2, padding=1)\n"
              "        return x\n");
}

TEST(PytorchSource, ALongChainNeedsOneVariable)
{
    std::string text = "input 3x8x8";
    for (int i = 0; i < 2'000; ++i) text += " > relu";
    const std::string source = pytorchSource(graphOf(text + " > conv:last k=1 c=2"));
    EXPECT_NE(source.find("        x = F.relu(x)\n        x = self.last(x)\n        return x\n"), std::string::npos);
}

}  // namespace
}  // namespace fovea
