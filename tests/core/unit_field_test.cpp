#include "core/analysis/unit_field.h"
#include "tests/support/text_graph.h"

#include <gtest/gtest.h>

// By hand; tests/engine holds it against gradients of every kind and network.
namespace fovea {
namespace {

TEST(UnitField, SaysWhatItCannotFollow)
{
    const Graph graph = test::graphOf("input 3x16x16 > conv:a k=3 c=4 > opaque:custom > relu:r");
    try {
        unitField(graph, "r", {0, 0, 0});
        FAIL();
    } catch (const Error& error) {
        EXPECT_NE(error.message().find("custom"), std::string::npos) << error.message();
    }
    EXPECT_THROW(unitField(graph, "a", {14, 0, 0}), Error);
    EXPECT_THROW(unitField(graph, "nobody", {}), Error);
}

TEST(UnitField, GivesTheBoxUnclippedAndTheShareOfPadding)
{
    const UnitField field = unitField(test::graphOf("input 3x8x8 > conv:a k=3 p=1 c=4"), "a", {0, 4, 0});
    EXPECT_EQ(field.box, (PixelBox{-1, 3, 2, 6}));
    EXPECT_EQ(field.clipped, (PixelBox{0, 3, 2, 6}));
    EXPECT_DOUBLE_EQ(field.paddingFraction, 1.0 / 3);
    EXPECT_FALSE(field.unbounded);
}

TEST(UnitField, AUnitThatSeesOnlyPaddingReadsNothing)
{
    const UnitField field = unitField(test::graphOf("input 3x8x8 > conv:a k=2 p=4 c=4"), "a", {0, 0, 0});
    EXPECT_EQ(field.box, (PixelBox{-4, -4, -2, -2}));
    EXPECT_EQ(field.clipped, std::nullopt);
    EXPECT_EQ(field.paddingFraction, 1);
}

TEST(UnitField, FollowsAGateToTheWholeImage)
{
    const Graph graph =
        test::graphOf("input 3x8x6 > conv:a k=3 p=1 c=4 > gap:pool > conv:gate k=1 c=4; @a > mul:scaled @gate");
    const UnitField field = unitField(graph, "scaled", {2, 3, 0});
    EXPECT_TRUE(field.unbounded);
    EXPECT_EQ(field.clipped, (PixelBox{0, 0, 8, 6}));
    EXPECT_EQ(field.box, (PixelBox{-1, -1, 9, 7}));
}

TEST(UnitField, TransposedConvolutionsThatSkipUnitsReadNothingThere)
{
    const Graph graph = test::graphOf("input 3x8x8 > convtranspose2d:up k=2 s=3 c=4");
    EXPECT_EQ(unitField(graph, "up", {4, 3, 0}).box, (PixelBox{1, 1, 2, 2}));
    EXPECT_EQ(unitField(graph, "up", {5, 3, 0}).box, std::nullopt);
}

TEST(UnitField, PartsOfASplitLieWhereTheyWereCut)
{
    const Graph graph = test::graphOf("input 3x9x8 > conv:a k=2 c=4 > split:parts dim=2 chunks=2");
    EXPECT_EQ(unitField(graph, "parts", {1, 0, 1}).box, (PixelBox{5, 0, 7, 2}));
}

TEST(UnitField, RefusesMapsThatNoMachineHolds)
{
    const Graph graph = test::graphOf("input 3x1000000x1000000 > conv:a k=3 c=4");
    EXPECT_THROW(unitField(graph, "a", {0, 0, 0}), Error);
}

}  // namespace
}  // namespace fovea
