#include "core/base/random.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <set>
#include <vector>

namespace fovea {
namespace {

struct Moments {
    double mean = 0, variance = 0;
};

template <typename Draw>
Moments momentsOf(Draw draw)
{
    constexpr int kDraws = 200000;
    RandomStream stream(7, {1, 2});
    double sum = 0, squares = 0;
    for (int i = 0; i < kDraws; ++i) {
        const double x = draw(stream);
        sum += x;
        squares += x * x;
    }
    return {sum / kDraws, squares / kDraws - sum / kDraws * (sum / kDraws)};
}

TEST(Random, TheSamePlaceGivesTheSameStream)
{
    RandomStream a(5, {1, 2, 3}), b(5, {1, 2, 3});
    for (int i = 0; i < 100; ++i) EXPECT_EQ(a.next(), b.next());
}

TEST(Random, OtherPlacesAndSeedsGiveOtherStreams)
{
    std::set<std::uint64_t> firsts;
    for (std::uint64_t seed = 0; seed < 20; ++seed)
        for (std::uint64_t epoch = 0; epoch < 20; ++epoch)
            for (std::uint64_t sample = 0; sample < 20; ++sample)
                firsts.insert(RandomStream(seed, {epoch, sample}).next());
    EXPECT_EQ(firsts.size(), 8000u);
    EXPECT_NE(RandomStream(1, {2}).next(), RandomStream(1, {2, 0}).next());
    EXPECT_NE(RandomStream(1, {2, 3}).next(), RandomStream(1, {3, 2}).next());
    EXPECT_NE(RandomStream(1, {}).next(), RandomStream(1, {0}).next());
}

// Checkpoints name seeds and epochs: what they meant yesterday they mean tomorrow.
TEST(Random, StreamsStayWhatTheyWere)
{
    RandomStream stream(42, {3, 17});
    EXPECT_EQ(stream.next(), 16995134233155188891u);
    EXPECT_EQ(stream.next(), 15907796351431212459u);
}

TEST(Random, MomentsAreThoseOfTheDistributions)
{
    const Moments uniform = momentsOf([](RandomStream& s) { return s.uniform(); });
    EXPECT_NEAR(uniform.mean, 0.5, 0.003);
    EXPECT_NEAR(uniform.variance, 1.0 / 12, 0.002);
    const Moments normal = momentsOf([](RandomStream& s) { return s.normal(); });
    EXPECT_NEAR(normal.mean, 0, 0.01);
    EXPECT_NEAR(normal.variance, 1, 0.02);
    for (const double shape : {0.2, 1.0, 3.5}) {
        const Moments gamma = momentsOf([&](RandomStream& s) { return s.gamma(shape); });
        EXPECT_NEAR(gamma.mean, shape, 0.02 * std::max(shape, 0.5)) << shape;
        EXPECT_NEAR(gamma.variance, shape, 0.05 * std::max(shape, 0.5)) << shape;
    }
    const Moments beta = momentsOf([](RandomStream& s) { return s.beta(0.2, 0.6); });
    EXPECT_NEAR(beta.mean, 0.25, 0.005);
    EXPECT_NEAR(beta.variance, 0.25 * 0.75 / 1.8, 0.003);
}

TEST(Random, BetaStaysInsideEvenForTinyShapes)
{
    RandomStream stream(1, {});
    for (int i = 0; i < 1000; ++i) {
        const double x = stream.beta(1e-4, 1e-4);
        EXPECT_GT(x, 0);
        EXPECT_LT(x, 1);
    }
}

TEST(Random, BelowIsUnbiasedWhereTheBoundDividesNothing)
{
    RandomStream stream(9, {});
    EXPECT_EQ(stream.below(0), 0u);
    EXPECT_EQ(stream.below(1), 0u);
    std::vector<int> counts(7);
    for (int i = 0; i < 70000; ++i) ++counts[stream.below(7)];
    for (const int count : counts) EXPECT_NEAR(count, 10000, 400);
    // A plain remainder would fall into the lower half twice as often as into the upper third.
    int low = 0;
    const std::uint64_t bound = (std::uint64_t{1} << 63) + (std::uint64_t{1} << 62);
    for (int i = 0; i < 30000; ++i) low += stream.below(bound) < (std::uint64_t{1} << 62);
    EXPECT_NEAR(low, 10000, 400);
}

}  // namespace
}  // namespace fovea
