#include "core/zoo/zoo.h"

#include "core/ops/registry.h"
#include "core/zoo/builder.h"
#include "tests/support/text_graph.h"

#include <gtest/gtest.h>

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

TEST(Zoo, parameterCountsEqualTorchvisions)
{
    const std::pair<const char*, std::int64_t> kExpected[] = {
        {"vgg11", 132'863'336},    {"vgg13", 133'047'848},    {"vgg16", 138'357'544},    {"vgg19", 143'667'240},
        {"vgg11_bn", 132'868'840}, {"vgg13_bn", 133'053'736}, {"vgg16_bn", 138'365'992}, {"vgg19_bn", 143'678'248},
        {"resnet18", 11'689'512},  {"resnet34", 21'797'672},  {"resnet50", 25'557'032},  {"resnet101", 44'549'160},
        {"resnet152", 60'192'808},
    };
    for (const auto& [name, parameters] : kExpected) {
        const Counted counted = count(buildZoo(name));
        EXPECT_EQ(counted.trainable, parameters) << name;
        EXPECT_TRUE(counted.issues.empty()) << name << ": " << counted.issues.front().message;
    }
}

TEST(Zoo, everyNetworkOfTheListBuildsAtItsOwnSizeWithoutFindings)
{
    EXPECT_GE(zooEntries().size(), 14u);
    for (const ZooEntry& entry : zooEntries()) {
        const Graph graph = buildZoo(entry.name);
        EXPECT_EQ(*test::layer(graph, "input").attrs.getInts("shape"), (Ints{1, 3, entry.size, entry.size}))
            << entry.name;
        EXPECT_EQ(graph.name(), entry.name);
        ASSERT_EQ(graph.outputs().size(), 1u) << entry.name;
        std::vector<Issue> issues;
        for (const auto& node : graph.nodes()) validate(*node, issues);
        EXPECT_TRUE(issues.empty()) << entry.name << ": " << issues.front().layer << " " << issues.front().message;
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
