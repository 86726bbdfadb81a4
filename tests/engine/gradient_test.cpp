#include "core/analysis/report.h"
#include "core/train/module.h"
#include "tests/support/text_graph.h"

#include <gtest/gtest.h>

// Where Fovea's fields differ from rfa_toolbox 1.7's on purpose. That tool adds (k - 1) * j per layer with the
// kernel as it is written, takes the largest path, and knows no offsets. Each case states both numbers and the
// extent of a measured gradient, which settles it.
namespace fovea {
namespace {

struct Case {
    Graph graph;
    std::string layer;

    const FieldReport reported() const
    {
        const Report report = analyze(graph);
        return report.find(test::layer(graph, layer).id)->field.h;
    }
    PixelBox measured(std::int64_t unit) const
    {
        const Module module(graph, {}, {.mode = RunMode::Support});
        const UnitOf at{layer, unit, unit, 0};
        return *supportOf(module.inputGradients(std::span(&at, 1), module.randomInputs(1)).front());
    }
};

std::int64_t withoutDilation(std::initializer_list<std::array<std::int64_t, 2>> layers)
{
    std::int64_t field = 1, jump = 1;
    for (const auto& [kernel, stride] : layers) {
        field += (kernel - 1) * jump;
        jump *= stride;
    }
    return field;
}

TEST(WhereWeDiffer, DilationSpreadsTheTaps)
{
    const Case c{test::graphOf("input 3x64x64 > conv:a k=3 s=2 p=1 c=4 > conv:b k=3 d=4 p=4 c=4"), "b"};
    EXPECT_EQ(withoutDilation({{3, 2}, {3, 1}}), 7);
    EXPECT_EQ(c.reported().rfMax, 19);
    EXPECT_EQ(c.measured(16).height(), 19);
}

TEST(WhereWeDiffer, ATransposedConvolutionReadsFewUnitsAndHalvesTheJump)
{
    const Case c{
        test::graphOf(
            "input 3x64x64 > conv:a k=3 s=4 p=1 c=4 > convtranspose2d:up k=4 s=2 p=1 c=4 > conv:b k=3 p=1 c=4"),
        "b"};
    EXPECT_EQ(withoutDilation({{3, 4}, {4, 2}, {3, 1}}), 31);  // as a convolution that strides
    EXPECT_EQ(c.reported().jump, Rational(2));
    EXPECT_EQ(c.reported().rfMax, 11);
    EXPECT_EQ(std::max(c.measured(14).height(), c.measured(15).height()), 11);
}

TEST(WhereWeDiffer, BranchesShiftedAgainstEachOtherUniteToMoreThanTheLargest)
{
    // NASNet's reduction: two strided branches, one read one pixel further.
    const Case c{test::graphOf("input 3x65x65 > conv:a k=3 s=2 p=1 c=4; @a > conv:left k=3 s=2 p=1 c=4; @a > "
                               "slice:shift dim=2x3 start=1x1 end=33x33 step=1x1 > "
                               "conv:right k=3 s=2 p=0x0x3x3 c=4; @left > concat:both @right"),
                 "both"};
    EXPECT_EQ(withoutDilation({{3, 2}, {3, 2}}), 7);
    EXPECT_EQ(c.reported().rfMax, 11);
    EXPECT_EQ(c.measured(8).height(), 11);
}

TEST(WhereWeDiffer, PaddingOfOneSideShiftsTheFieldAndTheOffsetSaysWhere)
{
    const Case c{test::graphOf("input 3x64x64 > conv:a k=4 s=2 p=0x0x2x2 c=4 > conv:b k=3 p=0x0x2x2 c=4"), "b"};
    EXPECT_EQ(c.reported().rfMax, 8);
    EXPECT_EQ(c.reported().start, 0);  // symmetric padding of the same total would start at -4
    EXPECT_EQ(c.measured(10), (PixelBox{20, 20, 28, 28}));
}

}  // namespace
}  // namespace fovea
