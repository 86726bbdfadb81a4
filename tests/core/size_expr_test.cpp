// Numbers that follow sizes of maps: what they are at each size, and that their text says the same.
#include "core/ops/onnx_form.h"
#include "core/ops/size_expr.h"

#include <gtest/gtest.h>

#include <limits>

namespace fovea::test {
namespace {

using Wholes = std::vector<std::optional<std::int64_t>>;

const std::vector<Value> kMaps{{Shape{1, 64, 56, 48}, kNchw}, {Shape{1, 32, kUnknown, 7}, kNchw}};

Wholes sizes(const std::string& text) { return evaluateSizes(text, kMaps); }

std::string inputText(const MapDim& dim) { return "in" + std::to_string(dim.port.output) + "." + std::to_string(dim.dim); }

std::string rewritten(const std::string& text)
{
    std::string out;
    for (const SizeExpr& expr : parseSizes(text)) out += (out.empty() ? "" : ";") + expr.text(inputText);
    return out;
}

TEST(SizeExpr, NumbersOfATextAreComputedAtThePresentSize)
{
    EXPECT_EQ(sizes("in0.0;in0.1;in0.2*2;in0.3/2"), (Wholes{1, 64, 112, 24}));
    EXPECT_EQ(sizes("-1;9223372036854775807;-9223372036854775808"), (Wholes{-1, std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()}));
}

TEST(SizeExpr, WholeNumbersDivideTowardZeroAndModHasTheSignOfItsDivisor)
{
    EXPECT_EQ(sizes("(0-7)/2;(0-7)%3;fmod(0-7,3);7%(-3)"), (Wholes{-3, 2, -1, -2}));
}

TEST(SizeExpr, RealNumbersAreRoundedAsTheirPrecisionSays)
{
    // In single precision 56 * 0.7 is 39.2 either way; 100 * 0.29 is 29 in single and 28.999999999999996 in double.
    EXPECT_EQ(sizes("int(floor(float(in0.2)*0.7));int(floor(100*0.29));int(floor(100*0.29d))"), (Wholes{39, 29, 28}));
    EXPECT_EQ(sizes("int(half(2049))"), (Wholes{2048}));
}

TEST(SizeExpr, ANumberThatCannotBeComputedSpoilsNoOther)
{
    EXPECT_EQ(sizes("in1.2;in1.3;in5.0;in0.9;1/0;9223372036854775807+1;0.5"), (Wholes{std::nullopt, 7, std::nullopt, std::nullopt, std::nullopt, std::nullopt, std::nullopt}));
    EXPECT_EQ(sizes("where(eq(in0.3,48),5,1/0)"), (Wholes{5}));
}

TEST(SizeExpr, WhatIsNoTextOfSizesGivesNoNumbers)
{
    for (const char* text : {"", ";", "in0", "in0.", "in.2", "2*", "(2", "min(1)", "min(1,2,3)", "foo(1)", "1;;2", "1 + 2", "99999999999999999999", "--1", "1.2.3", "in9999999.0"})
        EXPECT_TRUE(sizes(text).empty()) << text;
    EXPECT_TRUE(sizes(std::string(20'000, '1')).empty());
    EXPECT_TRUE(sizes(std::string(5'000, '(') + "1" + std::string(5'000, ')')).empty());
}

TEST(SizeExpr, TextIsReadBackAsTheSameExpression)
{
    for (const char* text : {"in0.2*2", "in0.2-(in0.3-1)", "in0.2-in0.3-1", "-in0.2*3", "-(in0.2+1)", "in0.2*(-3)", "in0.2/(in0.3/2)", "in0.2%3", "min(in0.2,3)+max(in1.3,2)", "int(floor(float(in0.2)*0.5))",
                             "float(in0.2)*0.1", "double(in0.2)*0.1d", "float(in0.2)*1e-10", "float(in0.2)*half(0.5)", "where(lt(in0.2,32),in0.2,32)", "not(eq(in0.2,in0.3))"})
        EXPECT_EQ(rewritten(text), text);
}

TEST(SizeExpr, WhatDoesNotHangOnSizesIsAConstant)
{
    EXPECT_EQ(rewritten("2*3+1;in0.2*1;in0.2+0;in0.2-in0.2;eq(in0.2,-1);where(eq(in0.2,-1),4,in0.3);in0.2*0"), "7;in0.2;in0.2;0;0;in0.3;0");
}

TEST(SizeExpr, AChainThatGrowsWithoutEndBecomesUnknown)
{
    SizeExpr expr = SizeExpr::dimension({1, 0}, 2);
    for (int i = 0; i < 12; ++i) expr = SizeExpr::apply(SizeOp::Add, {expr, expr});
    EXPECT_FALSE(expr.known());
}

TEST(SizeExpr, ALayerReadsEachMapThroughOneInput)
{
    OnnxCall call;
    call.args = {{.name = "x", .port = {3, 0}}, {.name = "shape"}};
    call.dataInputs = {0};
    const SizeExpr own = SizeExpr::dimension({3, 0}, 2), other = SizeExpr::dimension({7, 1}, 3);
    const std::vector<SizeExpr> numbers{own, SizeExpr::apply(SizeOp::Mul, {other, 2}), SizeExpr(5), other};
    EXPECT_EQ(call.sizesText(numbers), "in0.2;in1.3*2;5;in1.3");
    EXPECT_EQ(call.extraInputs, (std::vector<Port>{{7, 1}}));
    EXPECT_EQ(call.sizesText(std::vector<SizeExpr>{SizeExpr()}), std::nullopt);
}

}  // namespace
}  // namespace fovea::test
