#include "core/base/error.h"
#include "core/ops/op_def.h"
#include "core/weights/weights.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace fovea {
namespace {

ParamSpec weightSpec(Ints dims, std::int64_t fanIn)
{
    return {.role = "weight", .dims = std::move(dims), .init = Init::KaimingUniform, .fanIn = fanIn};
}

TEST(Initialise, DrawsUniformlyBetweenPlusAndMinusOneOverTheRootOfTheFan)
{
    const Tensor tensor = initialise(weightSpec({64, 64, 5, 5}, 1600), "conv.weight", 0);
    ASSERT_EQ(tensor.elements(), 102400);
    double low = 0, high = 0, sum = 0, squares = 0;
    for (std::int64_t i = 0; i < tensor.elements(); ++i) {
        const double value = tensor.real(i);
        low = std::min(low, value);
        high = std::max(high, value);
        sum += value;
        squares += value * value;
    }
    const double count = 102400, bound = 0.025;
    EXPECT_GE(low, -bound);
    EXPECT_LE(high, bound);
    EXPECT_LT(low, -0.999 * bound);
    EXPECT_GT(high, 0.999 * bound);
    EXPECT_NEAR(sum / count, 0, 0.01 * bound);
    EXPECT_NEAR(squares / count, bound * bound / 3, 0.01 * bound * bound);
}

TEST(Initialise, GivesTheSameNumbersOnEveryMachine)
{
    const Tensor tensor = initialise(weightSpec({4}, 1), "layer1.0.conv1.weight", 7);
    const float expected[] = {0.2710144519805908f, 0.8660452365875244f, -0.6438435316085815f, -0.9651283025741577f};
    for (std::int64_t i = 0; i < 4; ++i) EXPECT_EQ(static_cast<float>(tensor.real(i)), expected[i]);
}

TEST(Initialise, DependsOnNameAndSeedAlone)
{
    const auto first = [](const char* name, std::uint64_t seed) { return initialise(weightSpec({1}, 1), name, seed).real(0); };
    EXPECT_EQ(first("a.weight", 1), first("a.weight", 1));
    EXPECT_NE(first("a.weight", 1), first("b.weight", 1));
    EXPECT_NE(first("a.weight", 1), first("a.weight", 2));
}

TEST(Initialise, FillsNormsAndConstants)
{
    EXPECT_EQ(initialise({.role = "weight", .dims = {2}, .init = Init::Ones}, "w", 0).real(1), 1.0);
    EXPECT_EQ(initialise({.role = "bias", .dims = {2}, .init = Init::Zeros}, "b", 0).real(1), 0.0);
    EXPECT_EQ(initialise({.role = "weight", .dims = {2}, .init = Init::Constant, .value = 0.25}, "p", 0).real(1), 0.25);
}

TEST(Initialise, RefusesATensorThatNoMachineHolds)
{
    EXPECT_THROW(initialise(weightSpec({1'000'000, 1'000'000, 1'000}, 1), "huge", 0), Error);
    EXPECT_THROW(initialise(weightSpec({-1, 3}, 1), "unknown", 0), Error);
}

}  // namespace
}  // namespace fovea
