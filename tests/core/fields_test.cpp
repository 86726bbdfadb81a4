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

TEST(Fields, SpaceToDepthIsTheMergeOfItsStridedSlices)
{
    AxisReach fold;
    fold.kind = ReachKind::Block;
    fold.stride = fold.block = 2;
    const AxisField stem = step(AxisField::source(), window(3, 2, 1));
    const AxisField folded = step(stem, fold);
    EXPECT_EQ(folded.jump().text(), "4");
    EXPECT_EQ(folded.start(), -1);
    EXPECT_EQ(folded.rfMax(), 5);
    EXPECT_EQ(folded.rfMin(), 3);
    // The same behind upsampling, where fields are functions of the unit.
    const AxisField up = step(step(AxisField::source(), window(4, 4)), resize(2, 1));
    EXPECT_EQ(step(up, fold).rfMax(), 4);
    EXPECT_EQ(step(step(up, window(2)), fold).rfMax(), 8);
    EXPECT_EQ(step(step(up, window(2)), fold).rfMin(), 4);
    EXPECT_EQ(step(step(up, window(2)), fold).jump().text(), "4");
}

AxisReach aligned(std::int64_t in, std::int64_t out, bool approximate = false)
{
    AxisReach r = resize(Rational(out, in), 2);
    r.mode = CoordinateMode::AlignCorners;
    r.inSize = in;
    r.outSize = out;
    r.approximate = approximate;
    return r;
}

TEST(Fields, AlignedCornersRepeatWhereUnitsLieAWholeFractionApart)
{
    // 5 units to 9: unit u lies at u / 2, so 0 1 | 0 1 | 1 2 | 1 2 are read.
    const AxisField up = step(AxisField::source(), aligned(5, 9));
    EXPECT_FALSE(up.approximate);
    EXPECT_EQ(up.jump().text(), "1/2");
    EXPECT_EQ(up.start(), 0);
    EXPECT_EQ(up.rfMax(), 2);
    const AxisField conv = step(up, window(3, 1, 1));
    EXPECT_EQ(conv.rfMax(), 3);
    EXPECT_EQ(conv.start(), -1);
    // 7 units to 3: at 0, 3 and 6.
    const AxisField down = step(AxisField::source(), aligned(7, 3));
    EXPECT_EQ(down.jump().text(), "3");
    EXPECT_EQ(down.rfMax(), 2);
}

TEST(Fields, AlignedCornersThatDoNotRepeatGiveTheLargestExtentOfAllUnits)
{
    // 4 units to 6: at 0, 3/5, 6/5, 9/5, 12/5 and 3. Three in a row see 0..2, 0..2, 0..2, 1..3, 1..4.
    const AxisField up = step(AxisField::source(), aligned(4, 6, true));
    EXPECT_TRUE(up.approximate);
    EXPECT_EQ(up.jump().text(), "2/3");
    EXPECT_EQ(step(up, window(3, 1, 1)).rfMax(), 4);
    EXPECT_EQ(step(up, window(3, 1, 1)).rfMin(), 4);
}

TEST(Fields, TheSmallestPathIsOneOfEachUnit)
{
    // Two branches behind upsampling whose units see 3 and 7 pixels in turn, one the other way round: every unit has a
    // path of 3. Behind a window of 2 each path spans two units of the small map at every place.
    const AxisField up = step(step(AxisField::source(), window(3, 4)), resize(2, 1));
    AxisReach shifted = window(2);
    shifted.padBegin = 1;
    const AxisField here = step(up, window(2)), there = step(up, shifted);
    EXPECT_EQ(here.rfMin(), 7);
    EXPECT_EQ(there.rfMin(), 7);
    const AxisField joined = merge(here, there);
    EXPECT_EQ(joined.rfMin(), 3);
    EXPECT_EQ(joined.rfMax(), 7);
    EXPECT_EQ(step(joined, window(2)).rfMin(), 7);
    EXPECT_FALSE(joined.approximate);
}

TEST(Fields, BranchesThatDriftApartGiveTheLargestExtentOfAllUnits)
{
    // A map of 3 units two pixels apart, enlarged to the 5 units of another, one pixel apart: units 0, 0, 1, 1, 2 stand
    // at 0, 0, 2, 2, 4.
    AxisReach enlarge = resize(Rational(5, 3), 1);
    enlarge.inSize = 3;
    enlarge.outSize = 5;
    const AxisField coarse = step(step(AxisField::source(), window(1, 2)), enlarge);
    EXPECT_FALSE(coarse.approximate);
    const AxisField joined = merge(AxisField::source(), coarse);
    EXPECT_TRUE(joined.approximate);
    EXPECT_EQ(joined.jump().text(), "1");
    EXPECT_EQ(joined.rfMax(), 2);
    EXPECT_EQ(joined.rfMin(), 1);
    // Windows of 3 over it, unclipped: the last one sees 2..6 of the coarse one and 3..5 of the other.
    EXPECT_EQ(step(joined, window(3, 1, 1)).rfMax(), 5);
    EXPECT_EQ(step(joined, window(3, 1, 1)).rfMin(), 3);
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
