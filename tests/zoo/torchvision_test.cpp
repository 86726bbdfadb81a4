// Tensors, parameters and the order and shapes of layers against torchvision's, as list_torchvision.py wrote them.
#include "core/ops/registry.h"
#include "core/zoo/zoo.h"

#include <gtest/gtest.h>

#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

namespace fovea {
namespace {

struct Listed {
    std::string parameters;
    std::set<std::string> tensors;    // "key dims"
    std::vector<std::string> layers;  // "path dims settings", in the order of forward
};

std::filesystem::path listFolder()
{
    if (const char* folder = std::getenv("FOVEA_TEST_TORCHVISION")) return folder;
    return std::filesystem::path(FOVEA_SOURCE_DIR) / "build" / "torchvision";
}

Listed listed(const std::string& network)
{
    Listed out;
    std::ifstream file(listFolder() / (network + ".txt"));
    EXPECT_TRUE(file.is_open()) << "There is no list of " << network << " in " << listFolder();
    for (std::string word, rest; file >> word && std::getline(file >> std::ws, rest);) {
        if (word == "parameters") out.parameters = rest;
        if (word == "tensor") out.tensors.insert(rest);
        if (word == "layer") out.layers.push_back(rest);
    }
    return out;
}

std::string withoutBatch(const Value& value)
{
    const std::string text = value.shape.text();
    return text.substr(text.find('x') + 1);
}

// Layers that are modules there: what torchvision calls as a function has the function's name here.
bool isListed(const Node& node)
{
    static const std::set<std::string> kinds{"Conv2d", "BatchNorm2d", "Linear", "MaxPool2d", "AvgPool2d", "Dropout"};
    return kinds.contains(node.kind) && !node.name.ends_with("_pool2d");
}

std::string text(double number)
{
    std::ostringstream out;
    out << number;
    return out.str();
}

std::string pairText(const Node& node, const char* name)
{
    const Ints values = *node.attrs.getInts(name);
    const bool isSymmetric = values.size() == 2 || (values[0] == values[2] && values[1] == values[3]);
    return isSymmetric ? toText(AttrValue(Ints{values[0], values[1]})) : "other at the end";
}

std::string settings(const Node& node)
{
    const Attributes& attrs = node.attrs;
    if (node.kind == "Linear") return "";
    if (node.kind == "Dropout") return " p=" + text(attrs.getDouble("p", 0));
    if (node.kind == "BatchNorm2d")
        return " eps=" + text(attrs.getDouble("eps", 0)) + " momentum=" + text(attrs.getDouble("momentum", 0));
    const std::string window =
        " k=" + pairText(node, "kernel_size") + " s=" + pairText(node, "stride") + " p=" + pairText(node, "padding");
    if (node.kind == "Conv2d")
        return window + " d=" + pairText(node, "dilation") + " g=" + std::to_string(attrs.getInt("groups", 0));
    return window + " ceil=" + std::to_string(attrs.getBool("ceil_mode", false));
}

Listed built(const std::string& network)
{
    Listed out;
    std::vector<Issue> issues;
    std::int64_t trainable = 0;
    const Graph graph = buildZoo(network);
    const Prepared prepared = prepare(graph);
    const std::vector<Value> values = inferShapes(prepared, issues);
    for (const Prepared::Entry& entry : prepared.entries) {
        std::vector<Value> in;
        for (std::uint32_t i = 0; i < entry.inputCount; ++i)
            in.push_back(values[static_cast<std::size_t>(prepared.sources[entry.firstInput + i])]);
        const auto made = std::span(values).subspan(entry.firstOutput, entry.outputCount);
        for (const NamedParam& param : paramsOf(*entry.node, in, made)) {
            out.tensors.insert(param.tensor + " " + toText(AttrValue(param.spec.dims)));
            std::int64_t elements = param.spec.trainable;
            for (const std::int64_t dim : param.spec.dims) elements *= dim;
            trainable += elements;
        }
        if (isListed(*entry.node))
            out.layers.push_back(entry.node->name + " " + withoutBatch(made[0]) + settings(*entry.node));
    }
    out.parameters = std::to_string(trainable);
    return out;
}

class Torchvision : public testing::TestWithParam<std::string> {
protected:
    void SetUp() override
    {
        if (!std::filesystem::exists(listFolder()))
            GTEST_SKIP() << "There is no " << listFolder()
                         << "; make it with tests/zoo/list_torchvision.py --out FOLDER "
                         << "and set FOVEA_TEST_TORCHVISION to it.";
    }
};

TEST_P(Torchvision, hasTheSameTensorsAndParameters)
{
    const Listed ours = built(GetParam()), theirs = listed(GetParam());
    EXPECT_EQ(ours.tensors, theirs.tensors);
    EXPECT_EQ(ours.parameters, theirs.parameters);
}

TEST_P(Torchvision, callsTheSameLayersInTheSameOrderWithTheSameShapesAndSettings)
{
    const Listed ours = built(GetParam()), theirs = listed(GetParam());
    EXPECT_GT(theirs.layers.size(), 7u);
    EXPECT_EQ(ours.layers, theirs.layers);
}

std::vector<std::string> networks()
{
    const std::set<std::string> lacking{"example",         "lenet5",           "mobilenet_v1",
                                        "nasnet_a_mobile", "resnet20",         "resnet56",
                                        "xception",        "resnet50_slim_v1", "unet"};
    std::vector<std::string> out{"mobilenet_v2,width=0.35,classes=10", "mobilenet_v3_large,width=0.75",
                                 "resnet50,output_stride=16", "resnet101,output_stride=8"};
    for (const ZooEntry& entry : zooEntries())
        if (!lacking.contains(entry.name)) out.push_back(entry.name);
    return out;
}

std::string testName(const testing::TestParamInfo<std::string>& info)
{
    std::string out = info.param;
    for (char& letter : out)
        if (!std::isalnum(static_cast<unsigned char>(letter))) letter = '_';
    return out;
}

INSTANTIATE_TEST_SUITE_P(Zoo, Torchvision, testing::ValuesIn(networks()), testName);

}  // namespace
}  // namespace fovea
