#include "core/recipe/frozen_layers.h"

#include "core/base/error.h"
#include "core/zoo/zoo.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace fovea {
namespace {

std::set<std::string> frozen(const Graph& graph, const std::string& name)
{
    std::set<std::string> out;
    for (const NodeId id : frozenLayers(graph, name)) out.insert(graph.at(id).name);
    return out;
}

TEST(FrozenLayers, ALayerHasAllBeforeIt)
{
    const Graph graph = buildZoo("resnet18");
    EXPECT_EQ(frozen(graph, ""), std::set<std::string>{});
    const auto stem = frozen(graph, "bn1");
    EXPECT_TRUE(stem.contains("conv1") && stem.contains("bn1"));
    EXPECT_FALSE(stem.contains("maxpool"));
    EXPECT_TRUE(frozen(graph, "layer1.0.conv1").contains("maxpool"));
}

TEST(FrozenLayers, AGroupHasAllItsLayersAndAllBeforeThem)
{
    const Graph graph = buildZoo("resnet18");
    const auto two = frozen(graph, "layer2");
    for (const char* name : {"conv1", "layer1.1.bn2", "layer2.0.downsample.0", "layer2.1.conv2", "layer2.1.bn2"})
        EXPECT_TRUE(two.contains(name)) << name;
    for (const char* name : {"layer3.0.conv1", "fc"}) EXPECT_FALSE(two.contains(name)) << name;
    const auto block = frozen(graph, "layer2.0");
    EXPECT_TRUE(block.contains("layer2.0.downsample.0"));
    EXPECT_FALSE(block.contains("layer2.1.conv1"));
    // layer1 is no part of layer10.
    EXPECT_THROW(frozen(graph, "layer"), Error);
}

TEST(FrozenLayers, WhatThereIsNotIsRefusedWithWhatWasMeant)
{
    const Graph graph = buildZoo("resnet18");
    try {
        frozenLayers(graph, "layer9");
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Usage);
        EXPECT_STREQ(error.what(), "The network has no layer and no group called 'layer9' to freeze. Did you mean 'layer1'?");
    }
    const std::vector<std::string> names = layerAndGroupNames(graph);
    const auto at = [&](const std::string& name) { return std::find(names.begin(), names.end(), name) - names.begin(); };
    EXPECT_LT(at("layer2"), at("layer2.0"));
    EXPECT_LT(at("layer2.0"), at("layer2.0.conv1"));
    EXPECT_LT(at("layer2.0.conv1"), static_cast<std::ptrdiff_t>(names.size()));
    EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
}

}  // namespace
}  // namespace fovea
