#include "core/io/pytorch/keys.h"
#include "core/io/pytorch/source.h"
#include "core/ops/registry.h"
#include "tests/support/text_graph.h"

#include <gtest/gtest.h>

#include <set>

namespace fovea {
namespace {

using test::graphOf;
using test::layer;

// A convolution with these tensors, and a norm behind it.
Graph named(const std::string& conv, const std::string& weight, const std::string& bias,
            const std::string& norm = "norm")
{
    Graph graph = graphOf("input 3x8x8 > conv:c k=3 c=4 > bn:n");
    const NodeId first = layer(graph, "c").id, second = layer(graph, "n").id;
    graph.update(first, [&](Node& node) { node.tensors = {{"weight", weight}, {"bias", bias}}; });
    graph.rename(first, conv);
    graph.rename(second, norm);
    return graph;
}

TEST(Keys, NamesThatArePathsStay)
{
    const auto keys = pytorchKeys(graphOf("input 3x8x8 > conv:layer1.0.conv1 k=3 c=4 > bn:layer1.0.bn1"));
    EXPECT_EQ(keys.size(), 6u);
    for (const auto& [tensor, key] : keys) EXPECT_EQ(tensor, key);
    EXPECT_TRUE(keys.contains("layer1.0.bn1.running_var"));
}

TEST(Keys, OtherNamesFollowFromTheLayer)
{
    const auto keys = pytorchKeys(named("/layer1/layer1.0/conv1/Conv", "onnx::Conv_193", "onnx::Conv_194"));
    EXPECT_EQ(keys.at("onnx::Conv_193"), "layer1.0.conv1.weight");
    EXPECT_EQ(keys.at("onnx::Conv_194"), "layer1.0.conv1.bias");
}

TEST(Keys, TwoLayersNeverShareAPlace)
{
    const auto keys = pytorchKeys(named("/norm/Conv", "onnx::1", "onnx::2"));
    EXPECT_EQ(keys.at("onnx::1"), "norm_2.weight");
    EXPECT_EQ(keys.at("norm.weight"), "norm.weight");
    std::set<std::string> all;
    for (const auto& [tensor, key] : keys) EXPECT_TRUE(all.insert(key).second) << key;
}

TEST(Keys, ATensorCannotStandWhereAModuleDoes)
{
    const auto keys = pytorchKeys(named("/c/Conv", "norm.weight.inner", "norm"));
    EXPECT_EQ(keys.at("norm.weight.inner"), "norm.weight.inner");
    EXPECT_EQ(keys.at("norm"), "c.bias");
    EXPECT_EQ(keys.at("norm.weight"), "norm.weight_2");
}

TEST(Keys, NamesOfEveryModuleAreNoKeys)
{
    for (const char* name : {"forward.weight", "training", "_modules.weight", "state_dict.w", "a b.weight", "a..weight",
                             "\"); import os", ""}) {
        const auto keys = pytorchKeys(named("/c/Conv", name, "fine.bias"));
        EXPECT_EQ(keys.at(name), "c.weight") << name;
    }
}

TEST(Keys, AStateDictComesBackUnderTheGraphsNames)
{
    const Graph graph = named("/conv/Conv", "onnx::1", "onnx::2");
    std::vector<std::string> fresh;
    const Weights state = stateDict(graph, {}, &fresh);
    EXPECT_EQ(fresh.size(), 6u);
    EXPECT_NE(state.find("norm.num_batches_tracked"), nullptr);
    const Weights back = weightsFromStateDict(graph, state);
    EXPECT_EQ(back.tensors().size(), 6u);
    EXPECT_EQ(back.find("onnx::1")->bytes.data(), state.find("conv.weight")->bytes.data());
}

TEST(Keys, WhatDoesNotFitIsNamed)
{
    const Graph graph = named("/conv/Conv", "onnx::1", "onnx::2");
    Weights state = stateDict(graph, {});
    state.set("norm.weight", Tensor::fromFloats({2}, {1, 2}));
    Weights without;
    for (const auto& [key, tensor] : state.tensors())
        if (key != "conv.bias") without.set(key, tensor);
    try {
        weightsFromStateDict(graph, without);
        FAIL() << "nothing was thrown";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Format);
        EXPECT_EQ(
            error.message(),
            "The weights do not fit the network: 'conv.bias' is missing, 'norm.weight' has shape 2 instead of 4.");
    }
}

}  // namespace
}  // namespace fovea
