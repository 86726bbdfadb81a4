#include "core/analysis/report.h"
#include "core/analysis/unit_field.h"
#include "core/graph/dimensions.h"
#include "tests/support/text_graph.h"

#include <gtest/gtest.h>

#include <algorithm>

// Numbers by hand; tests/field and tests/onnx hold the same idioms against ONNX Runtime.
namespace fovea {
namespace {

Value image(std::int64_t c, std::int64_t h, std::int64_t w) { return {Shape{1, c, h, w}, kNchw}; }

Value viewed(const Value& value, std::initializer_list<std::int64_t> sizes)
{
    const std::vector<std::int64_t> list(sizes);
    auto made = reshaped(dimensionsOf(value), list);
    return made ? valueOf(std::move(*made)) : Value{};
}

Value permuted(const Value& value, std::initializer_list<int> order)
{
    const Dimensions all = dimensionsOf(value);
    Dimensions out;
    for (const int at : order) out.push_back(all[static_cast<std::size_t>(at)]);
    return valueOf(std::move(out));
}

const LayerReport& row(const Report& report, std::string_view name)
{
    for (const LayerReport& layer : report.layers)
        if (layer.name() == name) return layer;
    throw std::invalid_argument(std::string(name));
}

using Field = std::tuple<Rational, std::int64_t, std::int64_t, std::int64_t>;
Field fieldOf(const Report& report, std::string_view name)
{
    const FieldReport& h = row(report, name).field.h;
    return {h.jump, h.rfMin, h.rfMax, h.start};
}

TEST(Dimensions, AReshapeAndItsInverseGiveTheImageBack)
{
    const Value tokens = viewed(image(8, 6, 4), {1, 8, 24});
    EXPECT_TRUE(tokens.folded);
    EXPECT_EQ(tokens.height(), 6);
    EXPECT_EQ(tokens.width(), 4);
    EXPECT_EQ(viewed(tokens, {1, 8, 6, 4}), image(8, 6, 4));
    EXPECT_EQ(viewed(viewed(image(8, 6, 4), {1, 192}), {1, 8, 6, 4}), image(8, 6, 4));
}

TEST(Dimensions, SpaceToDepthPutsPartsOfTheAxesAmongTheChannels)
{
    const Value blocks = viewed(permuted(viewed(image(3, 8, 8), {1, 3, 4, 2, 4, 2}), {0, 3, 5, 1, 2, 4}), {1, 12, 4, 4});
    EXPECT_EQ(blocks.shape, (Shape{1, 12, 4, 4}));
    EXPECT_EQ(blocks.layout, kNchw);
    EXPECT_EQ(gridStep(blocks, Axis::Height), 2);
    EXPECT_EQ(gridExtent(blocks, Axis::Height), 1);
    EXPECT_EQ(gridSize(blocks, Axis::Height), 8);
    EXPECT_EQ(readWhole(blocks, std::vector{1}), (Value{Shape{1, 12, 4, 4}, kNchw}));
}

TEST(Dimensions, AnAxisCutUnevenlyIsNotFollowed)
{
    EXPECT_EQ(reshaped(dimensionsOf(image(3, 10, 10)), std::vector<std::int64_t>{1, 4, 75}), std::nullopt);
}

TEST(Dimensions, FramesFoldedIntoTheBatchAreNotImagesOfIt)
{
    const Value video{Shape{2, 8, 3, 16, 16}, {2, 3, 4}};
    EXPECT_EQ(batchOf(video), 2);
    const Value folded = viewed(video, {16, 3, 16, 16});
    EXPECT_EQ(batchOf(folded), 2);
    EXPECT_EQ(folded.layout.h, 2);
}

TEST(Analysis, SpaceToDepthByReshapeReadsWhatItsSlicesRead)
{
    const Report report = analyze(test::graphOf("input 3x16x16 > conv:a k=3 p=1 c=4 > reshape:cut shape=1x4x8x2x8x2 > permute:turn dims=0x3x5x1x2x4 > "
                                                "reshape:join shape=1x16x8x8 > conv:b k=3 p=1 c=4"));
    EXPECT_EQ(fieldOf(report, "join"), (Field{2, 3, 4, -1}));
    EXPECT_EQ(fieldOf(report, "b"), (Field{2, 7, 8, -3}));
    const Graph graph = report.graph;
    EXPECT_EQ(unitField(graph, "b", {4, 4, 0}).box, (PixelBox{5, 5, 13, 13}));
}

TEST(Analysis, DepthToSpaceByReshapeIsNearestUpsampling)
{
    const Report report = analyze(test::graphOf("input 3x16x16 > conv:a k=3 s=2 p=1 c=8 > reshape:cut shape=1x2x2x2x8x8 > permute:turn dims=0x1x4x2x5x3 > "
                                                "reshape:join shape=1x2x16x16 > conv:b k=3 p=1 c=4"));
    EXPECT_EQ(fieldOf(report, "join"), (Field{1, 3, 3, -1}));
    EXPECT_EQ(fieldOf(report, "b"), (Field{1, 5, 5, -3}));
}

TEST(Analysis, AConvolutionBetweenSpaceToBatchAndBackIsDilated)
{
    const Report report = analyze(test::graphOf("input 3x16x16 > conv:a k=3 p=1 c=4 > reshape:cut shape=1x4x8x2x8x2 > permute:turn dims=3x5x0x1x2x4 > "
                                                "reshape:fold shape=4x4x8x8 > conv:b k=3 p=1 c=4 > reshape:open shape=2x2x1x4x8x8 > permute:back dims=2x3x4x0x5x1 > "
                                                "reshape:join shape=1x4x16x16 > conv:c k=3 p=1 c=4"));
    EXPECT_EQ(fieldOf(report, "fold"), (Field{2, 3, 3, -1}));
    EXPECT_EQ(fieldOf(report, "b"), (Field{2, 7, 7, -3}));
    EXPECT_EQ(fieldOf(report, "c"), (Field{1, 9, 9, -4}));
    EXPECT_EQ(row(report, "b").macs, 4 * 8 * 8 * 4 * 4 * 9);
    EXPECT_EQ(unitField(report.graph, "c", {8, 8, 0}).box, (PixelBox{4, 4, 13, 13}));
}

TEST(Analysis, MapsJoinedAlongTheHeightShowTheLargestPart)
{
    const Graph graph = test::graphOf("input 3x16x16 > conv:a k=3 p=1 c=4 > slice:last dim=2 start=15 end=16 step=1; @a > slice:first dim=2 start=0 end=1 step=1; "
                                      "@last > concat:rows dim=2 @a @first > conv:b k=3 c=4");
    const Report report = analyze(graph);
    EXPECT_EQ(fieldOf(report, "rows"), (Field{1, 3, 3, -2}));
    EXPECT_EQ(std::get<2>(fieldOf(report, "b")), 5);
    EXPECT_TRUE(row(report, "rows").approximate);
    EXPECT_FALSE(row(report, "a").approximate);
    EXPECT_EQ(std::count_if(report.issues.begin(), report.issues.end(), [](const Issue& issue) { return issue.code == "seam"; }), 1);
}

TEST(Analysis, AnExchangeOfAxesMeetingTheOriginalSeesEverything)
{
    const Report report = analyze(test::graphOf("input 3x16x16 > conv:a k=3 p=1 c=4 > permute:turn dims=0x1x3x2 > add:sum @a"));
    EXPECT_FALSE(row(report, "sum").finite);
    EXPECT_TRUE(row(report, "sum").unbounded);
}

TEST(Analysis, ClassTokensKeepTheRowsAndColumnsOfPositions)
{
    const Value map = viewed(image(8, 6, 4), {1, 8, 24});
    Dimensions dimensions = dimensionsOf(map);
    dimensions[2].before = 1;
    const Value joined = valueOf(dimensions);
    EXPECT_EQ(joined.shape, (Shape{1, 8, 25}));
    EXPECT_EQ(joined.height(), 6);
    EXPECT_EQ(viewed(joined, {1, 8, 25}).height(), 6);
}

TEST(Analysis, AMeanOverOneAxisIsGlobalOnThatAxisAlone)
{
    const Report report = analyze(test::graphOf("input 3x16x16 > conv:a k=3 p=1 c=4 > mean:rows dim=2 > conv:b k=1x3 p=0x1x0x1 c=4"));
    EXPECT_FALSE(row(report, "rows").finite);
    EXPECT_TRUE(row(report, "rows").unbounded);
}

}  // namespace
}  // namespace fovea
