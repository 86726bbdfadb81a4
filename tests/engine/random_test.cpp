#include "core/analysis/unit_field.h"
#include "tests/core/brute_force.h"
#include "tests/engine/random_graph.h"
#include "tests/engine/support_check.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace fovea {
namespace {

// Four parts, so that ctest runs them side by side.
class RandomNetworks : public ::testing::TestWithParam<int> {};

TEST_P(RandomNetworks, HaveTheirGradientsExactlyOnThePredictedPixels)
{
    int units = 0;
    for (std::uint64_t seed = static_cast<std::uint64_t>(GetParam()); seed < 200; seed += 4)
        units += test::expectExactSupportEverywhere(test::randomGraph(seed),
                                                    "random network of seed " + std::to_string(seed), 5);
    EXPECT_GT(units, 1500);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomNetworks, ::testing::Range(0, 4));

// The unclipped box against the recursion over every edge that the fields' own tests use. That one does not know of
// transposed convolutions that skip units.
TEST(RandomBoxes, AreThoseOfPropagationThroughEveryEdge)
{
    int compared = 0;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        const Graph graph = test::randomGraph(seed);
        const auto isTransposed = [](const auto& node) { return node->kind == "ConvTranspose2d"; };
        if (std::any_of(graph.nodes().begin(), graph.nodes().end(), isTransposed)) continue;
        const test::BruteForce height(graph, test::Axis::Height), width(graph, test::Axis::Width);
        for (const auto& node : graph.nodes())
            for (const UnitOf& unit : test::someUnits(graph, node->name, 5)) {
                const auto slow = height.backward(node->id, unit.y), across = width.backward(node->id, unit.x);
                const UnitField field = unitField(graph, node->name, {unit.y, unit.x, 0});
                ASSERT_TRUE(slow && across && field.box);
                EXPECT_EQ(field.box->top, slow->low)
                    << "seed " << seed << ", layer '" << node->name << "', row " << unit.y;
                EXPECT_EQ(field.box->bottom, slow->high + 1)
                    << "seed " << seed << ", layer '" << node->name << "', row " << unit.y;
                EXPECT_EQ(field.box->left, across->low)
                    << "seed " << seed << ", layer '" << node->name << "', column " << unit.x;
                EXPECT_EQ(field.box->right, across->high + 1)
                    << "seed " << seed << ", layer '" << node->name << "', column " << unit.x;
                ++compared;
            }
    }
    EXPECT_GT(compared, 3000);
}

TEST(RandomGraph, HoldsEveryKindItIsMeantFor)
{
    std::map<std::string, int> kinds;
    std::size_t layers = 0;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        const Graph graph = test::randomGraph(seed);
        layers += graph.nodes().size();
        for (const auto& node : graph.nodes()) ++kinds[node->kind];
    }
    for (const char* kind : {"Conv2d", "MaxPool2d", "AvgPool2d", "ConvTranspose2d", "Upsample", "PixelShuffle", "Slice",
                             "ZeroPad2d", "Add", "Concat"})
        EXPECT_GE(kinds[kind], 20) << kind;
    EXPECT_GT(layers, 1800u);
}

}  // namespace
}  // namespace fovea
