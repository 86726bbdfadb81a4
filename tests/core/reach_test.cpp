#include "core/ops/reach.h"
#include "core/ops/reshape.h"

#include <gtest/gtest.h>

namespace fovea {
namespace {

AxisReach window(std::int64_t k, std::int64_t s, std::int64_t p, bool ceil = false, std::int64_t d = 1)
{
    AxisReach r;
    r.kind = ReachKind::Window;
    r.kernel = k;
    r.stride = s;
    r.padBegin = r.padEnd = p;
    r.ceilMode = ceil;
    r.dilation = d;
    return r;
}

TEST(OutputSize, FollowsPyTorchsFormula)
{
    EXPECT_EQ(outputSize(window(7, 2, 3), 224), 112);
    EXPECT_EQ(outputSize(window(3, 2, 0, true), 112), 56);
    EXPECT_EQ(outputSize(window(3, 1, 2, false, 2), 28), 28);
    EXPECT_EQ(outputSize(window(5, 1, 0), 4), -1);
    EXPECT_EQ(outputSize(window(3, 0, 0), 4), -1);
    EXPECT_EQ(outputSize(window(std::int64_t{1} << 62, 1, 0), 4), -1);
}

TEST(OutputSize, CeilModeDropsAWindowThatStartsInThePadding)
{
    EXPECT_EQ(outputSize(window(2, 2, 1, true), 3), 2);
    EXPECT_EQ(outputSize(window(2, 2, 1, true), 4), 3);
}

TEST(OutputSize, TransposedConvolutionEnlarges)
{
    AxisReach r = window(4, 2, 1);
    r.kind = ReachKind::Transposed;
    EXPECT_EQ(outputSize(r, 14), 28);
    r.outputPadding = 1;
    EXPECT_EQ(outputSize(r, 14), 29);
}

TEST(Reshape, FollowsItsInputInsteadOfKeepingTheExportersSizes)
{
    const Value image{Shape{1, 116, 28, 28}, kNchw};
    EXPECT_EQ(alignReshape(image, Ints{1, 2, 58, 28, 28}), (Ints{-10, 2, -1, -32, -43}));
    EXPECT_EQ(alignReshape(image, Ints{1, 116, 784}), (Ints{-10, -21, -33}));
    EXPECT_EQ(alignReshape({Shape{1, 512, 7, 7}, kNchw}, Ints{1, 25088}), (Ints{-10, -23}));
    EXPECT_EQ(alignReshape({Shape{1, 1280, 1, 1}, kNchw}, Ints{1, 1280}), (Ints{-10, -23}));
}

}  // namespace
}  // namespace fovea
