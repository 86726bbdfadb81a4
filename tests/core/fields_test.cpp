#include "core/analysis/fields.h"

#include <gtest/gtest.h>

namespace fovea {
namespace {

AxisReach window(std::int64_t k, std::int64_t s = 1, std::int64_t p = 0)
{
    AxisReach r;
    r.kind = ReachKind::Window;
    r.kernel = k;
    r.stride = s;
    r.padBegin = r.padEnd = p;
    return r;
}

AxisReach resize(Rational scale, int taps)
{
    AxisReach r;
    r.kind = ReachKind::Resize;
    r.scale = scale;
    r.taps = taps;
    return r;
}

TEST(Fields, WindowsGrowByKernelTimesJump)
{
    AxisField f = step(step(AxisField::source(), window(7, 2, 3)), window(3, 2, 1));
    EXPECT_EQ(f.rfMin(), 11);
    EXPECT_EQ(f.start(), -5);
    EXPECT_EQ(f.jump().text(), "4");
}

TEST(Fields, AMergeKeepsTheUnionAndTheSmallestPath)
{
    const AxisField stem = step(AxisField::source(), window(3, 2, 1));
    const AxisField joined = merge(step(stem, window(3, 1, 1)), stem);
    EXPECT_EQ(joined.rfMax(), 7);
    EXPECT_EQ(joined.rfMin(), 3);
}

TEST(Fields, ABranchShiftedByOneUnitWidensTheUnion)
{
    // Two 3-wide branches at jump 2, one padded differently: the union has 3 * 2 + 1 pixels more than 3.
    const AxisField stem = step(AxisField::source(), window(3, 2, 1));
    AxisReach shifted = window(3, 1, 1);
    shifted.padBegin = 2;
    const AxisField joined = merge(step(stem, window(3, 1, 1)), step(stem, shifted));
    EXPECT_EQ(joined.rfMax(), 9);
    EXPECT_EQ(joined.rfMin(), 7);
}

TEST(Fields, GlobalLayersLeaveOnlyUnboundedPaths)
{
    AxisReach global;
    global.kind = ReachKind::Global;
    const AxisField stem = step(AxisField::source(), window(3));
    const AxisField gate = step(stem, global);
    EXPECT_FALSE(gate.finite);
    const AxisField gated = merge(stem, gate);
    EXPECT_TRUE(gated.finite);
    EXPECT_TRUE(gated.unbounded);
    EXPECT_EQ(gated.rfMax(), 3);
}

TEST(Fields, NearestUpsamplingDoesNotGrowAndHalvesTheJump)
{
    const AxisField stem = step(AxisField::source(), window(3, 4, 0));
    const AxisField up = step(stem, resize(2, 1));
    EXPECT_EQ(up.rfMax(), 3);
    EXPECT_EQ(up.jump().text(), "2");
    // Three upsampled units lie on two units of the small map: 3 + 4 pixels, not 3 + 2 * 2.
    const AxisField conv = step(up, window(3, 1, 1));
    EXPECT_EQ(conv.rfMax(), 7);
    EXPECT_EQ(conv.rfMin(), 7);
    // Two units see one unit or two, depending on where they are; the larger counts.
    EXPECT_EQ(step(up, window(2)).rfMax(), 7);
}

TEST(Fields, LinearAndCubicUpsamplingReadTwoAndFourUnits)
{
    const AxisField stem = step(AxisField::source(), window(3, 4, 0));
    EXPECT_EQ(step(stem, resize(2, 2)).rfMax(), 7);
    EXPECT_EQ(step(stem, resize(2, 4)).rfMax(), 15);
}

TEST(Fields, JumpsOfRationalScalesAreExact)
{
    EXPECT_EQ(step(AxisField::source(), resize(Rational(3, 2), 1)).jump().text(), "2/3");
    EXPECT_EQ(step(step(AxisField::source(), resize(Rational(3, 2), 1)), window(1, 3)).jump().text(), "2");
}

TEST(Fields, DownAndUpAgainIsUniform)
{
    const AxisField back = step(step(AxisField::source(), window(2, 2)), resize(2, 1));
    EXPECT_EQ(back.jump().text(), "1");
    EXPECT_EQ(back.rfMax(), 2);
    const AxisField skip = merge(back, AxisField::source());
    EXPECT_EQ(skip.rfMax(), 2);
    EXPECT_EQ(skip.rfMin(), 1);
}

TEST(Fields, TransposedConvolutionReadsWhatItsFormulaSays)
{
    AxisReach r = window(4, 2, 1);
    r.kind = ReachKind::Transposed;
    const AxisField up = step(step(AxisField::source(), window(2, 2)), r);
    EXPECT_EQ(up.rfMax(), 4);
    EXPECT_EQ(up.jump().text(), "1");
    EXPECT_EQ(up.start(), -2);
}

TEST(Fields, DifferentJumpsKeepEveryPathThatIsNotWorse)
{
    const AxisField fine = step(AxisField::source(), window(9, 1));
    const AxisField coarse = step(AxisField::source(), window(3, 4));
    const AxisField joined = merge(fine, coarse);
    EXPECT_EQ(joined.rfMin(), 3);
    EXPECT_EQ(joined.jump().text(), "1");
    // The small field has the large jump: after a 5-wide window 3 + 16 meets 9 + 4.
    EXPECT_EQ(step(joined, window(5)).rfMin(), 13);
}

TEST(Fields, AnUnknownReachMakesEverythingBehindUnknown)
{
    AxisReach unknown;
    unknown.kind = ReachKind::Unknown;
    const AxisField stem = step(AxisField::source(), window(3));
    EXPECT_TRUE(merge(stem, step(stem, unknown)).unknown);
}

TEST(Fields, AbsurdKernelsSaturateInsteadOfOverflowing)
{
    AxisField f = AxisField::source();
    for (int i = 0; i < 20; ++i) f = step(f, window(1'000'000'000, 1'000'000'000));
    EXPECT_GT(f.rfMin(), 1'000'000'000);
    EXPECT_LE(f.rfMin(), 2 * kSaturated);
}

}  // namespace
}  // namespace fovea
