// Window layers, resizes and their like: what they read and how large their maps are, at each size. Numbers of SAME
// padding, output_shape and scales as ONNX Runtime 1.30 gives them.
#include "core/ops/common.h"
#include "core/ops/registry.h"

#include <gtest/gtest.h>

namespace fovea {
namespace {

Node layerOf(const char* kind, const std::vector<std::pair<const char*, AttrValue>>& attrs)
{
    Node node = makeNode(kind, "layer");
    for (const auto& [name, value] : attrs) node.attrs.set(name, value);
    return node;
}

Value map(std::int64_t h, std::int64_t w, std::int64_t c = 4) { return {Shape{1, c, h, w}, kNchw}; }

Reach reachOf(const Node& node, const Value& in)
{
    const Value made;
    return opFor(node.kind).reach({node, {&in, 1}, {&made, 1}});
}

std::string shapeOf(const Node& node, std::vector<Value> in, std::vector<Issue>* issues = nullptr)
{
    std::vector<Issue> found;
    const std::vector<Value> out = inferNode(node, in, found);
    if (issues) *issues = found;
    else EXPECT_TRUE(found.empty()) << found.front().message;
    return out.at(0).shape.text();
}

std::pair<std::int64_t, std::int64_t> paddingAlongHeight(const Node& node, std::int64_t size)
{
    const Reach reach = reachOf(node, map(size, 40));
    return {reach.h.padBegin, reach.h.padEnd};
}

using Pads = std::pair<std::int64_t, std::int64_t>;

TEST(SamePadding, IsWhatEachSizeNeeds)
{
    Node conv = layerOf("Conv2d", {{"kernel_size", Ints{3, 3}}, {"stride", Ints{2, 2}}, {"auto_pad", std::string("same_upper")}});
    EXPECT_EQ(paddingAlongHeight(conv, 6), Pads(0, 1));
    EXPECT_EQ(paddingAlongHeight(conv, 7), Pads(1, 1));
    EXPECT_EQ(shapeOf(conv, {map(6, 7)}), "1x64x3x4");
    conv.attrs.set("auto_pad", std::string("same_lower"));
    EXPECT_EQ(paddingAlongHeight(conv, 6), Pads(1, 0));
    conv.attrs.set("kernel_size", Ints{4, 4});
    conv.attrs.set("stride", Ints{1, 1});
    EXPECT_EQ(paddingAlongHeight(conv, 50), Pads(2, 1));
    EXPECT_EQ(paddingAlongHeight(conv, kUnknown), Pads(2, 1));
    // A stride above the kernel leaves nothing to pad, rather than less than nothing.
    conv.attrs.set("kernel_size", Ints{1, 1});
    conv.attrs.set("stride", Ints{3, 3});
    EXPECT_EQ(paddingAlongHeight(conv, 9), Pads(0, 0));
    EXPECT_EQ(shapeOf(conv, {map(9, 10)}), "1x64x3x4");
}

TEST(SamePadding, EndsWhereSomebodyChoosesNumbers)
{
    Node conv = layerOf("Conv2d", {{"kernel_size", Ints{3, 3}}, {"auto_pad", std::string("same_upper")}});
    setChosen(conv, "padding", Ints{0, 0, 0, 0});
    EXPECT_EQ(shapeOf(conv, {map(6, 6)}), "1x64x4x4");
}

TEST(SamePadding, IsNumbersInTheTorchCallAndWhereTheWindowIsDilated)
{
    Node conv = layerOf("Conv2d", {{"kernel_size", Ints{3, 4}}, {"stride", Ints{2, 1}}, {"auto_pad", std::string("same_upper")}});
    const Value in = map(6, 7);
    EXPECT_EQ(*torchCall(opFor("Conv2d"), {conv, {&in, 1}, {}}).args.getInts("padding"), (Ints{0, 1, 1, 2}));
    EXPECT_EQ(settled({conv, {&in, 1}, {}}).attrs.getText("auto_pad"), "same_upper");
    conv.attrs.set("dilation", Ints{2, 1});
    const Node numbers = settled({conv, {&in, 1}, {}});
    EXPECT_FALSE(numbers.attrs.has("auto_pad"));
    EXPECT_EQ(*numbers.attrs.getInts("padding"), (Ints{1, 1, 2, 2}));
}

TEST(Windows, RunAlongTheAxesThatTheLayoutNames)
{
    const Node conv = layerOf("Conv2d", {{"kernel_size", Ints{3, 5}}, {"stride", Ints{1, 2}}, {"padding", Ints{1, 2, 3, 4}}});
    const Reach exchanged = reachOf(conv, {Shape{1, 4, 20, 16}, {1, 3, 2}});
    EXPECT_EQ(exchanged.h.kernel, 5);
    EXPECT_EQ(exchanged.h.stride, 2);
    EXPECT_EQ(exchanged.h.padBegin, 2);
    EXPECT_EQ(exchanged.h.padEnd, 4);
    EXPECT_EQ(exchanged.w.kernel, 3);
    EXPECT_EQ(exchanged.w.padEnd, 3);
}

TEST(Windows, AlongChannelsMoveAlongNoAxis)
{
    // A pooling over channels, as exporters write a 3-D one: transposed to N, height, width, channels.
    const Node pool = layerOf("MaxPool2d", {{"kernel_size", Ints{1, 2}}, {"stride", Ints{1, 2}}});
    const Value in{Shape{1, 8, 20, 6}, {3, 1, 2}};
    EXPECT_EQ(reachOf(pool, in).h, AxisReach{});
    EXPECT_EQ(reachOf(pool, in).w.kernel, 1);
    EXPECT_EQ(reachOf(pool, in).w.stride, 1);
    EXPECT_EQ(shapeOf(pool, {in}), "1x8x20x3");
}

TEST(Windows, OverOneAxisKnowWhichItIs)
{
    Node conv = layerOf("Conv1d", {{"kernel_size", Ints{3}}, {"stride", Ints{2}}, {"padding", Ints{1, 1}}, {"dilation", Ints{1}}, {"out_channels", std::int64_t{5}}});
    const Value columns{Shape{1, 8, 25}, {1, -1, 2}};
    EXPECT_EQ(reachOf(conv, columns).w.stride, 2);
    EXPECT_EQ(reachOf(conv, columns).h, AxisReach{});
    EXPECT_EQ(shapeOf(conv, {columns}), "1x5x13");
    // Over channels, as in a gate: no image axis is read.
    const Value channels{Shape{1, 1, 16}, {2, -1, -1}};
    EXPECT_EQ(reachOf(conv, channels), Reach{});
    EXPECT_EQ(shapeOf(conv, {channels}), "1x5x8");
    // Over something that nobody can name.
    EXPECT_EQ(reachOf(conv, {Shape{1, 8, 25}, {}}).w.kind, ReachKind::Unknown);
}

TEST(TransposedConvolution, PadsToTheSizeThatIsAskedFor)
{
    Node up = layerOf("ConvTranspose2d", {{"kernel_size", Ints{3, 3}}, {"stride", Ints{2, 2}}, {"auto_pad", std::string("same_upper")}});
    EXPECT_EQ(shapeOf(up, {map(3, 5)}), "1x64x6x10");
    EXPECT_EQ(paddingAlongHeight(up, 3), Pads(0, 1));
    up.attrs.set("auto_pad", std::string("same_lower"));
    EXPECT_EQ(paddingAlongHeight(up, 3), Pads(1, 0));
    up.attrs.set("output_padding", Ints{1, 1});
    EXPECT_EQ(paddingAlongHeight(up, 3), Pads(1, 1));
    // A kernel smaller than the stride leaves less than size * stride units.
    up = layerOf("ConvTranspose2d", {{"kernel_size", Ints{1, 1}}, {"stride", Ints{3, 3}}, {"auto_pad", std::string("same_upper")}});
    EXPECT_EQ(shapeOf(up, {map(3, 3)}), "1x64x7x7");
}

TEST(TransposedConvolution, OutputShapeStaysASettingThatGivesItsPaddingAtEachSize)
{
    Node up = layerOf("ConvTranspose2d", {{"kernel_size", Ints{3, 3}}, {"stride", Ints{2, 2}}, {"output_shape", Ints{6, 8}}});
    EXPECT_EQ(shapeOf(up, {map(3, 4)}), "1x64x6x8");
    EXPECT_EQ(paddingAlongHeight(up, 3), Pads(1, 0));
    EXPECT_EQ(paddingAlongHeight(up, 4), Pads(2, 1));
    up.attrs.set("auto_pad", std::string("same_upper"));
    EXPECT_EQ(paddingAlongHeight(up, 3), Pads(0, 1));
    // One unit beyond what three give is made of zeros; two are an error in ONNX Runtime.
    up.attrs.set("output_shape", Ints{8, 8});
    EXPECT_EQ(shapeOf(up, {map(3, 4)}), "1x64x8x8");
    std::vector<Issue> issues;
    up.attrs.set("output_shape", Ints{9, 9});
    shapeOf(up, {map(3, 4)}, &issues);
    ASSERT_EQ(issues.size(), 1u);
    EXPECT_EQ(issues[0].code, "size-frozen");
    EXPECT_EQ(issues[0].message, "Its output is fixed at 9 units, but a map of 3 units gives 7.");
}

TEST(GlobalAlongOneAxis, HasItsMapsSideAsKernelAtEachSize)
{
    const Node pool = layerOf("AvgPool2d", {{"kernel_size", Ints{8, 2}}, {"stride", Ints{8, 2}}, {"global_axes", Ints{1, 0}}});
    EXPECT_EQ(shapeOf(pool, {map(8, 20)}), "1x4x1x10");
    EXPECT_EQ(shapeOf(pool, {map(11, 20)}), "1x4x1x10");
    const Reach reach = reachOf(pool, map(11, 20));
    EXPECT_EQ(reach.h.kind, ReachKind::Global);
    EXPECT_EQ(reach.w.kind, ReachKind::Window);
    const Value in = map(11, 20);
    EXPECT_EQ(*settled({pool, {&in, 1}, {}}).attrs.getInts("kernel_size"), (Ints{11, 2}));
}

TEST(MaxUnpool, RestoresTheMapOfItsPooling)
{
    const Node pool = layerOf("MaxPool2d", {{"kernel_size", Ints{2, 2}}, {"stride", Ints{2, 2}}, {"return_indices", true}});
    EXPECT_EQ(opFor("MaxPool2d").outputCount(pool), 2);
    const Node unpool = layerOf("MaxUnpool2d", {{"kernel_size", Ints{2, 2}}, {"stride", Ints{2, 2}}});
    EXPECT_EQ(shapeOf(unpool, {map(4, 5), map(4, 5)}), "1x4x8x10");
    EXPECT_EQ(shapeOf(unpool, {map(4, 5), map(4, 5), map(9, 10)}), "1x4x9x10");
    EXPECT_EQ(reachOf(unpool, map(4, 5)).h.kind, ReachKind::Transposed);
    std::vector<Issue> issues;
    EXPECT_EQ(shapeOf(unpool, {map(4, 5), map(4, 5), map(12, 10)}, &issues), "1x4x?x10");
    EXPECT_EQ(issues.at(0).code, "size-frozen");
}

TEST(Softmax, ThatFlattensReadsEveryDimensionFromItsAxisOn)
{
    const Node softmax = layerOf("Softmax", {{"dim", std::int64_t{1}}, {"flattened", true}});
    EXPECT_EQ(reachOf(softmax, map(8, 20)).h.kind, ReachKind::Global);
    EXPECT_EQ(reachOf(softmax, map(8, 20)).w.kind, ReachKind::Global);
    EXPECT_EQ(reachOf(softmax, map(1, 1)), Reach{});
    const auto argsAt = [&](const Value& in) { return torchCall(opFor("Softmax"), {softmax, {&in, 1}, {}}).args; };
    EXPECT_TRUE(argsAt(map(8, 20)).getBool("flattened", false));
    EXPECT_FALSE(argsAt(map(1, 1)).getBool("flattened", true));
    EXPECT_EQ(argsAt(map(1, 1)).getInt("dim", -1), 1);
    const Node rows = layerOf("Softmax", {{"dim", std::int64_t{2}}});
    EXPECT_EQ(reachOf(rows, map(8, 20)).h.kind, ReachKind::Global);
    EXPECT_EQ(reachOf(rows, map(8, 20)).w.kind, ReachKind::Same);
}

TEST(SpaceToDepth, IsTheMergeOfItsStridedSlices)
{
    const Node fold = layerOf("SpaceToDepth", {{"downscale_factor", std::int64_t{2}}});
    const AxisReach reach = reachOf(fold, map(8, 8)).h;
    EXPECT_EQ(reach.kind, ReachKind::Block);
    EXPECT_EQ(reach.block, 2);
    EXPECT_EQ(outputSize(reach, 8), 4);
}

TEST(Resize, SizesAreThoseOf32BitArithmetic)
{
    const Node by = layerOf("Upsample", {{"scale_factor", Ints{41, 41}}, {"scale_divisor", Ints{100, 100}}});
    EXPECT_EQ(shapeOf(by, {map(100, 7)}), "1x4x41x2");
    Node policy = layerOf("Upsample", {{"size", Ints{12, 12}}, {"aspect_policy", std::string("not_larger")}});
    EXPECT_EQ(shapeOf(policy, {map(9, 21)}), "1x4x5x12");
    policy.attrs.set("aspect_policy", std::string("not_smaller"));
    EXPECT_EQ(shapeOf(policy, {map(9, 21)}), "1x4x12x28");
}

TEST(Resize, ReadsWhatItsCoordinatesSay)
{
    AxisReach r;
    r.kind = ReachKind::Resize;
    r.scale = Rational(2);
    const auto reads = [&](std::int64_t unit) { return std::pair(resizeRange(r, unit).first, resizeRange(r, unit).last); };
    using Units = std::pair<std::int64_t, std::int64_t>;
    EXPECT_EQ(reads(5), Units(2, 2));
    r.taps = 2;
    EXPECT_EQ(reads(0), Units(-1, 0));  // its centre lies at -1/4
    EXPECT_EQ(reads(3), Units(1, 2));
    r.mode = CoordinateMode::Asymmetric;
    EXPECT_EQ(reads(0), Units(0, 1));
    r.mode = CoordinateMode::AlignCorners;
    r.inSize = 5;
    r.outSize = 9;
    EXPECT_EQ(reads(3), Units(1, 2));  // 3/2
    EXPECT_EQ(resizePeriod(r).units, 2);
    r.taps = 4;
    EXPECT_EQ(reads(3), Units(0, 3));
    // 7 units at 3/2 make 10 of 10.5; the half that is missing lies a quarter on each side.
    r.taps = 2;
    r.mode = CoordinateMode::HalfPixelSymmetric;
    r.scale = Rational(3, 2);
    r.inSize = 7;
    r.outSize = 10;
    EXPECT_EQ(reads(0), Units(0, 1));  // 0 rather than -1/6
    // Halved with antialiasing: centres at 1/2 + 2u, two units to each side.
    r = {};
    r.kind = ReachKind::Resize;
    r.scale = Rational(1, 2);
    r.taps = 2;
    r.antialias = true;
    EXPECT_EQ(reads(1), Units(1, 4));
    // To the nearest.
    r = {};
    r.kind = ReachKind::Resize;
    r.scale = Rational(2, 3);
    r.mode = CoordinateMode::Asymmetric;
    r.nearest = NearestMode::Ceil;
    EXPECT_EQ(reads(1), Units(2, 2));  // 3/2
    r.nearest = NearestMode::PreferFloor;
    EXPECT_EQ(reads(1), Units(1, 1));
    r.nearest = NearestMode::PreferCeil;
    EXPECT_EQ(reads(1), Units(2, 2));
}

}  // namespace
}  // namespace fovea
