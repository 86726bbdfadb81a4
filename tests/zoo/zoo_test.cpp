#include "core/zoo/zoo.h"

#include "core/ops/registry.h"
#include "core/zoo/builder.h"
#include "tests/support/text_graph.h"

#include <gtest/gtest.h>

#include <sstream>

namespace fovea {
namespace {

struct Counted {
    std::int64_t trainable = 0;
    std::vector<Value> values;
    std::vector<Issue> issues;
};

Counted count(const Graph& graph)
{
    Counted out;
    const Prepared prepared = prepare(graph);
    out.values = inferShapes(prepared, out.issues);
    for (const Prepared::Entry& entry : prepared.entries) {
        std::vector<Value> in;
        for (std::uint32_t i = 0; i < entry.inputCount; ++i)
            in.push_back(out.values[static_cast<std::size_t>(prepared.sources[entry.firstInput + i])]);
        for (const NamedParam& param :
             paramsOf(*entry.node, in, std::span(out.values).subspan(entry.firstOutput, entry.outputCount))) {
            if (!param.spec.trainable) continue;
            std::int64_t elements = 1;
            for (const std::int64_t dim : param.spec.dims) elements *= dim;
            out.trainable += elements;
        }
    }
    return out;
}

std::string errorOf(const std::string& spec)
{
    try {
        buildZoo(spec);
    } catch (const Error& error) {
        return error.code() == ErrorCode::Usage ? error.message() : "not a usage error";
    }
    return "no error";
}

TEST(Zoo, everyNetworkHasItsInputNameAndOutputs)
{
    for (const ZooEntry& entry : zooEntries()) {
        const Graph graph = buildZoo(entry.name);
        const std::int64_t channels = entry.name == std::string("lenet5") ? 1 : 3;
        EXPECT_EQ(*test::layer(graph, "input").attrs.getInts("shape"), (Ints{1, channels, entry.size, entry.size}))
            << entry.name;
        EXPECT_EQ(graph.name(), entry.name);
        EXPECT_EQ(graph.outputs().size(), entry.name == std::string("fpn_resnet50") ? 5u : 1u) << entry.name;
        std::vector<Issue> issues;
        for (const auto& node : graph.nodes()) validate(*node, issues);
        EXPECT_TRUE(issues.empty()) << entry.name << ": " << issues.front().layer << " " << issues.front().message;
    }
}

std::string withSettings(const std::string& network, const std::string& wanted)
{
    std::string spec = network;
    std::istringstream settings(wanted);
    for (std::string setting; settings >> setting;)
        for (const ZooParameter& parameter : zooParameters(network))
            if (setting.starts_with(parameter.key + "=")) spec += "," + setting;
    return spec;
}

TEST(Zoo, everyNetworkFitsTogetherAtOtherWidthsDepthsAndSizes)
{
    for (const ZooEntry& entry : zooEntries())
        for (const char* settings : {"width=0.01 depth=0.001", "width=0.25 depth=0.5",
                                     "width=0.7 depth=1.4 output_stride=8", "width=1.3 depth=2 output_stride=16"}) {
            const std::string spec =
                withSettings(entry.name, std::string("size=96x128 classes=7 channels=2 ") + settings);
            const Graph graph = buildZoo(spec);
            Counted counted = count(graph);
            for (const auto& node : graph.nodes()) validate(*node, counted.issues);
            EXPECT_TRUE(counted.issues.empty())
                << spec << ": " << counted.issues.front().layer << " " << counted.issues.front().message;
            EXPECT_EQ(counted.values.front().shape.text(), "1x2x96x128") << spec;
            EXPECT_EQ(counted.values.back().shape[1], 7) << spec;
        }
}

TEST(Zoo, everyParameterIsNamedWithTheDefaultItHas)
{
    for (const ZooEntry& entry : zooEntries()) {
        const std::vector<ZooParameter> parameters = zooParameters(entry.name);
        ASSERT_GE(parameters.size(), 4u) << entry.name;
        EXPECT_EQ(parameters[0].key, "size") << entry.name;
        EXPECT_EQ(parameters[3].key, "width") << entry.name;
        std::string spelled = entry.name;
        for (const ZooParameter& parameter : parameters) {
            EXPECT_FALSE(parameter.doc.empty()) << entry.name << " " << parameter.key;
            spelled += "," + parameter.key + "=" + parameter.fallback;
        }
        EXPECT_TRUE(diff(buildZoo(entry.name), buildZoo(spelled)).empty()) << spelled;
    }
}

TEST(Zoo, parametersReachTheNetwork)
{
    const Counted counted = count(buildZoo("resnet18,size=64x96,classes=7,channels=1,width=0.25"));
    EXPECT_TRUE(counted.issues.empty());
    EXPECT_EQ(counted.values.front().shape.text(), "1x1x64x96");
    EXPECT_EQ(counted.values.back().shape.text(), "1x7");
    const Graph graph = buildZoo("resnet18,width=0.25");
    EXPECT_EQ(test::layer(graph, "conv1").attrs.getInt("out_channels", 0), 16);
    EXPECT_EQ(test::layer(graph, "layer4.1.conv2").attrs.getInt("out_channels", 0), 128);
}

TEST(Zoo, aLayerIsNamedAndGroupedByItsModulePathAndRunsInForwardOrder)
{
    const Graph graph = buildZoo("resnet18");
    std::vector<std::string> names;
    for (const NodeId id : executionOrder(graph)) {
        const Node& node = graph.at(id);
        if (node.group.starts_with("layer2.0")) names.push_back(node.name);
    }
    EXPECT_EQ(names, (std::vector<std::string>{"layer2.0.conv1", "layer2.0.bn1", "layer2.0.relu", "layer2.0.conv2",
                                               "layer2.0.bn2", "layer2.0.downsample.0", "layer2.0.downsample.1",
                                               "layer2.0.add", "layer2.0.relu_1"}));
    EXPECT_EQ(test::layer(graph, "layer2.0.downsample.0").group, "layer2.0.downsample");
    EXPECT_EQ(test::layer(graph, "conv1").group, "");
    EXPECT_EQ(test::layer(graph, "conv1").tensor("weight")->tensor, "conv1.weight");
    EXPECT_EQ(test::layer(graph, "conv1").tensor("bias"), nullptr);
}

TEST(Zoo, slimsVariantShrinksInTheLastUnitOfAStageAndPadsAtTheEndOnly)
{
    const Graph graph = buildZoo("resnet50_slim_v1");
    const auto stride = [&](const char* name) { return test::layer(graph, name).attrs.at("stride", 0, 0); };
    EXPECT_EQ(stride("layer1.0.conv2"), 1);
    EXPECT_EQ(stride("layer1.2.conv2"), 2);
    EXPECT_EQ(stride("layer1.2.shortcut"), 2);
    EXPECT_EQ(test::layer(graph, "layer1.2.shortcut").kind, "MaxPool2d");
    EXPECT_EQ(stride("layer3.5.conv2"), 2);
    EXPECT_EQ(stride("layer4.2.conv2"), 1);
    EXPECT_EQ(*test::layer(graph, "maxpool").attrs.getInts("padding"), (Ints{0, 0, 1, 1}));
    EXPECT_EQ(*test::layer(buildZoo("resnet50_slim_v1,size=225"), "maxpool").attrs.getInts("padding"),
              (Ints{1, 1, 1, 1}));
}

TEST(Zoo, smallImageShortcutsTakeEverySecondUnitAndPadChannelsWithoutParameters)
{
    const Graph graph = buildZoo("resnet20");
    const Node& pad = test::layer(graph, "layer2.0.shortcut.pad");
    EXPECT_EQ(*pad.attrs.getInts("channel_padding"), (Ints{8, 8}));
    EXPECT_EQ(*test::layer(graph, "layer2.0.shortcut.slice").attrs.getInts("step"), (Ints{2, 2}));
    EXPECT_EQ(test::layer(graph, "layer2.0.add").inputs[1].node, pad.id);
    EXPECT_TRUE(pad.tensors.empty());
}

TEST(Zoo, anUnpaddedUNetGivesThePapersMap)
{
    EXPECT_EQ(count(buildZoo("unet,padding=0,size=572,channels=1")).values.back().shape.text(), "1x2x388x388");
    EXPECT_EQ(count(buildZoo("unet")).values.back().shape.text(), "1x2x512x512");
}

TEST(Zoo, aPyramidHasAnOutputForEveryScale)
{
    const Graph graph = buildZoo("fpn_resnet50,size=256");
    std::vector<std::string> names;
    for (const GraphOutput& output : graph.outputs()) names.push_back(output.name);
    EXPECT_EQ(names, (std::vector<std::string>{"p2", "p3", "p4", "p5", "p6"}));
    EXPECT_EQ(count(graph).values.back().shape.text(), "1x256x4x4");
}

TEST(Zoo, aLearnedScaleStartsAsItsAuthorsHaveIt)
{
    const Graph graph = buildZoo("convnext_tiny");
    const auto params = paramsOf(test::layer(graph, "features.1.0.mul"), {}, {});
    ASSERT_EQ(params.size(), 1u);
    EXPECT_EQ(params[0].tensor, "features.1.0.layer_scale");
    EXPECT_EQ(params[0].spec.init, Init::Constant);
    EXPECT_EQ(params[0].spec.value, 1e-6);
}

TEST(Zoo, theExampleIsSmallEnoughToBeExportedInTwentyMegabytes)
{
    const std::int64_t parameters = count(buildZoo(kExampleSpec)).trainable;
    EXPECT_EQ(parameters, 2'801'450);
    EXPECT_LT(parameters * 4, 20'000'000);
}

TEST(Zoo, anUnknownNameNamesTheNearestOnes)
{
    EXPECT_EQ(errorOf("resnet19"),
              "There is no built-in network 'resnet19'; did you mean 'resnet18', 'resnet34' or 'resnet50'?");
    EXPECT_EQ(errorOf("vgg16-bn"),
              "There is no built-in network 'vgg16-bn'; did you mean 'vgg16_bn', 'vgg11_bn' or 'vgg13_bn'?");
}

TEST(Zoo, anUnknownOrUnreadableParameterIsAUsageError)
{
    EXPECT_EQ(errorOf("vgg16,clases=10"),
              "'vgg16' has no parameter 'clases'; did you mean 'classes', 'channels' or 'size'?");
    EXPECT_EQ(errorOf("vgg16,classes"), "The parameter 'classes' needs a value, as in 'vgg16,classes=1000'.");
    EXPECT_EQ(errorOf("vgg16,classes=0"), "The parameter 'classes' must be a whole number from 1 to 1000000, got '0'.");
    EXPECT_EQ(errorOf("resnet18,width=x"), "The parameter 'width' must be a number above 0 and up to 64, got 'x'.");
    EXPECT_EQ(errorOf("resnet18,output_stride=4"), "The parameter 'output_stride' must be 8, 16 or 32, got '4'.");
    EXPECT_EQ(errorOf("unet,padding=2"), "The parameter 'padding' must be a whole number from 0 to 1, got '2'.");
    EXPECT_EQ(errorOf("resnet18,size=32x"),
              "The parameter 'size' must be a side or HEIGHTxWIDTH from 1 to 1000000, got '32x'.");
}

TEST(ZooBuilder, aHundredThousandLayersAreBuiltInOrderWithUniqueNames)
{
    zoo::Builder builder("chain");
    Port x = builder.input(3, 32);
    for (int i = 0; i < 100'000; ++i) x = builder.relu(x);
    const Graph graph = builder.finish();
    ASSERT_EQ(graph.nodes().size(), 100'001u);
    EXPECT_EQ(graph.nodes()[1]->name, "relu");
    EXPECT_EQ(graph.nodes().back()->name, "relu_99999");
}

TEST(ZooBuilder, aNumberedNameThatIsTakenIsSkipped)
{
    zoo::Builder builder("names");
    const Port x = builder.input(3, 8);
    builder.relu(x, "relu_1");
    builder.relu(x, "relu");
    builder.relu(x, "relu");
    EXPECT_EQ(builder.finish().nodes().back()->name, "relu_2");
}

}  // namespace
}  // namespace fovea
