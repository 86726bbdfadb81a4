#include "tests/core/group_checks.h"

#include <algorithm>
#include <random>

namespace fovea {
namespace {

using test::depthOf;
using test::expectParts;
using test::Lists;
using Strings = std::vector<std::string>;

GroupClaim conv(const std::string& module) { return {module, module, false}; }
GroupClaim relu() { return {std::nullopt, "", true}; }
GroupClaim pool() { return {std::nullopt, "", false}; }

TEST(Groups, WhatLiesBetweenTheLayersOfAModuleBelongsToIt)
{
    // conv > relu > conv, the sum with what the block reads, and an activation behind it; twice; then a pooling.
    const Lists inputs{{}, {0}, {1}, {2}, {3, 0}, {4}, {5}, {6}, {7}, {8, 5}, {9}, {10}};
    const std::vector<GroupClaim> claims{conv("stem"), conv("layer1.0.conv1"), relu(), conv("layer1.0.conv2"), relu(), relu(),
                                         conv("layer1.1.conv1"), relu(), conv("layer1.1.conv2"), relu(), relu(), pool()};
    EXPECT_EQ(connectedGroups(inputs, claims), (Strings{"", "layer1.0", "layer1.0", "layer1.0", "layer1.0", "layer1.0", "layer1.1", "layer1.1", "layer1.1",
                                                        "layer1.1", "layer1.1", ""}));
}

TEST(Groups, BranchesHangTogetherByTheirConcatenation)
{
    const Lists inputs{{}, {0}, {0}, {2}, {0}, {4}, {1, 3, 5}};
    const std::vector<GroupClaim> claims{pool(), conv("mixed.branch1.conv"), conv("mixed.branch2.conv1"), conv("mixed.branch2.conv2"), pool(), conv("mixed.pool.conv"), relu()};
    EXPECT_EQ(connectedGroups(inputs, claims), (Strings{"", "mixed", "mixed.branch2", "mixed.branch2", "mixed", "mixed", "mixed"}));
    // A branch of a pooling alone.
    EXPECT_EQ(connectedGroups({{}, {0}, {0}, {0}, {1, 2, 3}}, {pool(), conv("mixed.a"), conv("mixed.b"), pool(), relu()}), (Strings{"", "mixed", "mixed", "mixed", "mixed"}));
}

TEST(Groups, AShortcutsSumStandsBesideTheBranchThatItCloses)
{
    const Lists inputs{{}, {0}, {1}, {2, 0}, {3}};
    const std::vector<GroupClaim> claims{pool(), conv("features.1.conv.0"), conv("features.1.conv.1"), relu(), conv("features.2")};
    EXPECT_EQ(connectedGroups(inputs, claims), (Strings{"", "features.1.conv", "features.1.conv", "features.1", "features"}));
}

TEST(Groups, ModulesThatTakeTurnsAreNone)
{
    // convs.0 > norms.0 > convs.1 > norms.1
    const Lists inputs{{}, {0}, {1}, {2}};
    const std::vector<GroupClaim> claims{conv("net.convs.0"), conv("net.norms.0"), conv("net.convs.1"), conv("net.norms.1")};
    EXPECT_EQ(connectedGroups(inputs, claims), (Strings{"net", "net", "net", "net"}));
}

TEST(Groups, AModuleThatIsLeftAndEnteredAgainIsSplit)
{
    const Lists inputs{{}, {0}, {1}, {2}, {3}, {4}};
    const std::vector<GroupClaim> claims{conv("a.0"), relu(), conv("a.1"), conv("b.0"), conv("a.2"), conv("a.3")};
    EXPECT_EQ(connectedGroups(inputs, claims), (Strings{"a", "a", "a", "", "a_2", "a_2"}));
}

TEST(Groups, EachCallOfASharedHeadIsAGroupWithANameOfItsOwn)
{
    const Lists inputs{{}, {0}, {1}, {2}, {0}, {4}, {5}};
    std::vector<GroupClaim> claims{pool(), conv("head.0"), relu(), conv("head.1"), conv("head.0"), relu(), conv("head.1")};
    EXPECT_EQ(connectedGroups(inputs, claims), (Strings{"", "head", "head", "head", "head_2", "head_2", "head_2"}));
    claims.push_back(conv("head_2"));  // that name is taken
    Lists more = inputs;
    more.push_back({3});
    EXPECT_EQ(connectedGroups(more, claims)[4], "head_3");
}

TEST(Groups, OneLayerThatIsCalledTwiceIsNoGroup)
{
    const Lists inputs{{}, {0}, {1}, {2}, {3}};
    const std::vector<GroupClaim> claims{conv("stem"), conv("again"), relu(), conv("again"), relu()};
    EXPECT_EQ(connectedGroups(inputs, claims), (Strings{"", "", "", "", ""}));
}

TEST(Groups, ALayerThatTheFilePutsIntoTheNetworkItselfClosesNoGroup)
{
    const Lists inputs{{}, {0}, {1}};
    std::vector<GroupClaim> claims{conv("a.0"), conv("a.1"), relu()};
    EXPECT_EQ(connectedGroups(inputs, claims)[2], "a");
    claims[2].module = "";
    EXPECT_EQ(connectedGroups(inputs, claims)[2], "");
}

TEST(Groups, NamesWithManyDotsAndGraphsWithCyclesEnd)
{
    std::string deep = "a";
    for (int i = 0; i < 1000; ++i) deep += ".a";
    EXPECT_LE(depthOf(connectedGroups({{}, {0}}, {{deep, "", false}, {deep, "", false}})[1]), 40u);
    EXPECT_EQ(connectedGroups({{1}, {0}}, {conv("a.0"), conv("b.0")}), (Strings{"", ""}));
}

// Of random graphs with random names, some of which mean something.
class RandomNames {
public:
    explicit RandomNames(unsigned seed) : m_random(seed) {}

    Lists inputs;
    std::vector<GroupClaim> claims;

    void make(std::size_t layers)
    {
        const bool chained = chance(2);
        for (std::size_t i = 0; i < layers; ++i) {
            std::vector<std::size_t> from;
            if (i > 0 && chained) from.push_back(i - 1);
            for (std::size_t k = i > 0 ? below(3) : 0; k > 0; --k) from.push_back(below(i));
            inputs.push_back(from);
            claims.push_back(claim(i, layers));
        }
    }

private:
    std::size_t below(std::size_t count) { return std::uniform_int_distribution<std::size_t>(0, count - 1)(m_random); }
    bool chance(std::size_t of) { return below(of) == 0; }

    GroupClaim claim(std::size_t i, std::size_t layers)
    {
        if (chance(3)) return {std::nullopt, "", chance(2)};
        // By place, so that most modules are parts, or by chance.
        const std::size_t outer = chance(6) ? below(5) : 5 * i / layers, inner = chance(6) ? below(20) : 20 * i / layers;
        std::string module = "m" + std::to_string(outer) + "." + std::to_string(inner);
        if (chance(2)) module += ".conv" + std::to_string(below(3));
        if (chance(12)) module = "";
        return {module, chance(4) ? module : "", chance(3)};
    }

    std::mt19937 m_random;
};

TEST(Groups, OfRandomNamesArePartsThatFormNoCycle)
{
    std::size_t grouped = 0;
    for (unsigned seed = 0; seed < 400; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        RandomNames names(seed);
        names.make(3 + seed % 97);
        const Strings groups = connectedGroups(names.inputs, names.claims);
        expectParts(names.inputs, groups);
        grouped += static_cast<std::size_t>(std::count_if(groups.begin(), groups.end(), [](const std::string& group) { return !group.empty(); }));
    }
    EXPECT_GT(grouped, 8'000u);  // of 20,000
}

TEST(Groups, OfALongChainAreFoundAtOnce)
{
    constexpr std::size_t kLayers = 30'000;
    Lists inputs(kLayers);
    std::vector<GroupClaim> claims;
    for (std::size_t i = 0; i < kLayers; ++i) {
        if (i > 0) inputs[i] = {i - 1};
        claims.push_back(i % 2 ? relu() : conv((i % 3 ? "even." : "odd.") + std::to_string(i / 6) + "." + std::to_string(i)));
    }
    const Strings groups = connectedGroups(inputs, claims);
    EXPECT_FALSE(test::hasCycle(inputs, test::contracted(groups, 1)));
}

}  // namespace
}  // namespace fovea
