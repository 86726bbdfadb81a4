#include "core/analysis/report.h"
#include "tests/support/text_graph.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace fovea {
namespace {

std::vector<Issue> findings(const Graph& graph, const std::string& code)
{
    const Report report = analyze(graph);
    std::vector<Issue> out;
    std::copy_if(report.issues.begin(), report.issues.end(), std::back_inserter(out), [&](const Issue& issue) { return issue.code == code; });
    return out;
}

std::vector<Issue> findings(const char* text, const std::string& code) { return findings(test::graphOf(text), code); }

// The layers that the findings of one code name.
std::vector<std::string> named(const char* text, const std::string& code)
{
    std::vector<std::string> out;
    for (const Issue& issue : findings(text, code)) out.push_back(issue.layer);
    return out;
}

using Names = std::vector<std::string>;

TEST(Findings, EveryOneSaysWhatToDo)
{
    const Report report = analyze(test::graphOf(
        "input 3x16x16 > conv2d:a k=9 s=2 p=4 c=64 > conv2d:b k=1 s=2 c=4 > conv2d:c k=3 d=2 p=2 c=64 > conv2d:d k=7 p=3 c=8; @a > relu:dead > gap > flatten"));
    EXPECT_GE(report.issues.size(), 3u);
    for (const Issue& issue : report.issues) {
        EXPECT_FALSE(issue.message.empty()) << issue.code;
        EXPECT_FALSE(issue.hint.empty()) << issue.code;
    }
}

TEST(Findings, AnEvenKernelPaddedOnOneSideShiftsTheMap)
{
    const char* code = "even-kernel-padding";
    EXPECT_EQ(named("input 3x32x32 > conv2d:a k=4 padding=1x1x2x2 c=8", code), Names{"a"});
    EXPECT_EQ(named("input 3x32x32 > conv2d:a k=1x2 padding=0x0x0x1 c=8", code), Names{"a"});
    EXPECT_EQ(named("input 3x32x32 > conv2d:a k=4 p=1 c=8 > maxpool k=2 s=2 > conv2d:b k=3 s=2 padding=0x0x1x1 c=8", code), Names{});
}

TEST(Findings, AStrideAboveTheKernelSkipsPixels)
{
    EXPECT_EQ(named("input 3x32x32 > conv2d:a k=2 s=3 c=8 > maxpool:b k=2 s=2", "pixels-skipped"), Names{"a"});
    EXPECT_EQ(named("input 3x32x32 > conv2d:a k=2 s=3 d=2 c=8", "pixels-skipped"), Names{});
}

TEST(Findings, AWindowThatIsOddOnOneAxisSaysOnWhich)
{
    const auto message = [](const char* network, const char* code) { return findings(network, code).at(0).message; };
    EXPECT_EQ(message("input 3x32x32 > conv2d:a k=1x2 padding=0x0x0x1 c=8", "even-kernel-padding"),
              "An even kernel is padded on one side more than on the other along the width, so the map moves by half a unit.");
    EXPECT_EQ(message("input 3x32x32 > conv2d:a k=2x3 s=3 c=8", "pixels-skipped"),
              "The stride is larger than the kernel along the height, so some units of the input are never read.");
}

TEST(Findings, AFieldThatIsSmallOnOneAxisSaysOnWhich)
{
    const auto message = [](const char* network) { return findings(network, "field-smaller-than-input").at(0).message; };
    EXPECT_EQ(message("input 3x64x64 > conv2d:a k=131x11 padding=65x5 c=8"),
              "The largest receptive field is 11 px wide, smaller than the input of 64 px: wider patterns cannot be seen as a whole; the "
              "height of 64 px is covered.");
    EXPECT_EQ(message("input 3x48x96 > conv2d:a k=5x99 padding=2x49 c=8"),
              "The largest receptive field is 5 px high, smaller than the input of 48 px: taller patterns cannot be seen as a whole; the "
              "width of 96 px is covered.");
    EXPECT_EQ(message("input 3x64x64 > conv2d:a k=3 p=1 c=8"),
              "The largest receptive field is 3 px, smaller than the 64 px input: larger patterns cannot be seen as a whole.");
}

TEST(Findings, DilationsWithACommonFactorLeaveAGrid)
{
    const char* code = "dilation-gridding";
    const auto repeated = findings("input 3x64x64 > conv2d:a k=3 d=2 p=2 c=8 > bn > relu > conv2d:b k=3 d=2 p=2 c=8", code);
    ASSERT_EQ(repeated.size(), 1u);
    EXPECT_EQ(repeated[0].layer, "b");
    EXPECT_NE(repeated[0].message.find("5 of the 9 units"), std::string::npos) << repeated[0].message;
    // Hybrid dilated convolution, arXiv 1702.08502: 1, 2, 5 leave no holes.
    EXPECT_EQ(named("input 3x64x64 > conv2d:a k=3 d=1 p=1 c=8 > conv2d:b k=3 d=2 p=2 c=8 > conv2d:c k=3 d=5 p=5 c=8", code), Names{});
    // An undilated convolution behind fills them.
    EXPECT_EQ(named("input 3x64x64 > conv2d:a k=3 d=2 p=2 c=8 > conv2d:b k=3 p=1 c=8", code), Names{});
    EXPECT_EQ(named("input 3x64x64 > conv2d:a k=3 p=1 c=8", code), Names{});
}

TEST(Findings, GriddingIsSeenOnEachAxisAndThroughBranches)
{
    const char* code = "dilation-gridding";
    const auto width = findings("input 3x64x64 > conv2d:a k=1x3 d=3 p=0x3 c=8", code);
    ASSERT_EQ(width.size(), 1u);
    EXPECT_NE(width[0].message.find("along the width"), std::string::npos) << width[0].message;
    // A parallel branch reads the units between.
    EXPECT_EQ(named("input 3x64x64 > conv2d:a k=3 d=2 p=2 c=8; @input > conv2d:b k=5 p=2 c=8 > add @a", code), Names{});
    EXPECT_EQ(named("input 3x64x64 > conv2d:a k=3 d=4 p=4 c=8; @input > conv2d:b k=3 p=1 c=8 > add @a", code), Names{"a"});
    // Where a stride ends the run, its holes stay.
    EXPECT_EQ(named("input 3x64x64 > conv2d:a k=3 d=2 p=2 c=8 > maxpool k=2 s=2 > conv2d:b k=3 p=1 c=8", code), Names{"a"});
}

TEST(Findings, ANarrowLayerBetweenWideOnesIsABottleneck)
{
    const char* code = "channel-bottleneck";
    EXPECT_EQ(named("input 3x32x32 > conv2d k=3 c=64 > conv2d:a k=1 c=4 > bn > relu > conv2d k=3 c=64", code), Names{"a"});
    // A residual block's is bypassed; four times narrower is common; a head may be narrow.
    EXPECT_EQ(named("input 3x32x32 > conv2d:x k=3 p=1 c=64 > conv2d:a k=1 c=4 > conv2d k=3 p=1 c=64 > add @x", code), Names{});
    EXPECT_EQ(named("input 3x32x32 > conv2d k=3 c=64 > conv2d:a k=1 c=16 > relu > conv2d k=3 c=64", code), Names{});
    EXPECT_EQ(named("input 3x32x32 > conv2d k=3 c=64 > conv2d:a k=1 c=2 > gap > flatten", code), Names{});
}

TEST(Findings, LayersThatNoInputReachesAreOneFinding)
{
    Graph graph = test::graphOf("input 3x32x32 > conv2d:a k=3 c=8");
    const NodeId lone = graph.add(makeNode("Conv2d", "lone", {Port{}}));
    graph.add(makeNode("ReLU", "behind", {{lone, 0}}));
    const auto found = findings(graph, "unreachable-layer");
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].layer, "lone");
    EXPECT_NE(found[0].message.find("1 behind it"), std::string::npos) << found[0].message;
    EXPECT_TRUE(findings("input 3x32x32 > conv2d:a k=3 c=8", "unreachable-layer").empty());
}

TEST(Findings, AnOutputThatNobodyReadsIsNamed)
{
    Graph graph = test::graphOf("input 3x32x32 > conv2d:a k=3 c=8 > relu:b; @a > sigmoid:c");
    graph.setOutputs({{"b", {test::layer(graph, "b").id, 0}}});
    const auto found = findings(graph, "dead-output");
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].layer, "c");
    EXPECT_EQ(found[0].severity, Severity::Warning);
    EXPECT_TRUE(findings("input 3x32x32 > conv2d:a k=3 c=8 > relu:b; @a > sigmoid:c", "dead-output").empty());
}

TEST(Findings, BranchesThatDoNotMeetAreNamed)
{
    EXPECT_EQ(named("input 3x32x32 > conv2d:a k=3 p=1 c=8; @a > conv2d:b k=3 s=2 p=1 c=8 > add:m @a", "shape-mismatch"), Names{"m"});
}

}  // namespace
}  // namespace fovea
