#include "core/io/engine/messages.h"
#include "core/io/engine/rpc.h"
#include "tests/support/text_graph.h"

#include <gtest/gtest.h>

#include <random>

namespace fovea {
namespace {

LoadRequest everything()
{
    LoadRequest out;
    out.graph = test::graphOf("input 3x8x8 > conv:a k=3 c=4 > relu:r; @a > add @r");
    out.size = {{16, 24}};
    out.weights = {"w.safetensors", std::string("odd\xff", 4)};
    out.tensors = {{"a.weight", "raw.bin", 128, DType::BFloat16, {4, 3, 3, 3}}};
    out.seed = 7;
    out.support = true;
    out.doublePrecision = true;
    out.device = "cuda:1";
    return out;
}

// Every message survives being written and read: the second text equals the first.
template <typename T>
void expectRoundTrip(const T& message)
{
    const std::string text = jsonLine(toJson(message));
    EXPECT_EQ(jsonLine(toJson(messageFrom<T>(parseJson(text)))), text);
}

TEST(EngineMessages, SurviveARoundTrip)
{
    expectRoundTrip(HelloRequest{});
    expectRoundTrip(HelloReply{1, "0.1.0", "2.3.0", {{"cpu", 8}, {"cuda:0", 0}}, "no driver"});
    expectRoundTrip(everything());
    expectRoundTrip(LoadReply{{{"image", {-1, 3, 8, 8}}}, {"a", "b"}, 3, 4});
    expectRoundTrip(ForwardRequest{"in", 9, "out"});
    expectRoundTrip(ForwardReply{{{"out", {1, 10}, -1.5, 2.25, 0.5}}});
    expectRoundTrip(GradientRequest{"a", {{3, 4}}, "in", 1, "image"});
    expectRoundTrip(GradientRequest{"a", {}, "", 0, ""});
    expectRoundTrip(GradientReply{{3, 4}, PixelBox{0, 1, 2, 3}});
    expectRoundTrip(GradientReply{{3, 4}, std::nullopt});
}

TEST(EngineMessages, ReadEveryMemberOfALoad)
{
    const LoadRequest read = messageFrom<LoadRequest>(toJson(everything()));
    EXPECT_TRUE(diff(read.graph, everything().graph).empty());
    EXPECT_EQ(read.size, everything().size);
    EXPECT_EQ(read.weights, everything().weights);
    ASSERT_EQ(read.tensors.size(), 1u);
    EXPECT_EQ(read.tensors[0].dtype, DType::BFloat16);
    EXPECT_EQ(read.tensors[0].offset, 128);
    EXPECT_EQ(read.seed, 7u);
    EXPECT_TRUE(read.support && read.doublePrecision);
    EXPECT_EQ(read.device, "cuda:1");
}

TEST(EngineMessages, NameThePlaceOfWhatIsWrong)
{
    const auto complaint = [](const char* params) {
        try {
            messageFrom<GradientRequest>(parseJson(params));
        } catch (const Error& error) {
            return error.message();
        }
        return std::string("nothing");
    };
    EXPECT_EQ(complaint("{}"), "the document has no 'layer'.");
    EXPECT_EQ(complaint(R"({"layer":"a","unit":[1]})"), "unit must have 2 elements, but has 1.");
    EXPECT_EQ(complaint(R"({"layer":"a","unit":[1,-2]})"), "unit[1] must lie between 0 and 1000000, but is -2.");
    EXPECT_EQ(complaint(R"({"layer":7})"), "layer must be a string, but is a whole number.");
    EXPECT_EQ(complaint(R"({"layer":"a","seed":1e300})"),
              "seed must be a whole number, but is a number with a fraction.");
}

TEST(EngineMessages, NothingOnALineBreaksTheReader)
{
    std::mt19937 random(5);
    const std::string good = requestLine(1, LoadRequest::kMethod, toJson(everything()));
    int refused = 0;
    for (int round = 0; round < 5000; ++round) {
        std::string line = good;
        for (int i = 0; i < 1 + round % 5; ++i) line[random() % line.size()] = static_cast<char>(random() % 256);
        if (round % 4 == 0) line.resize(random() % line.size());
        try {
            messageFrom<LoadRequest>(requestFrom(line).params);
        } catch (const Error&) {
            ++refused;
        }
    }
    EXPECT_GT(refused, 2500);
}

TEST(EngineMessages, DeepNestingIsRefused)
{
    EXPECT_THROW(requestFrom(std::string(100'000, '[')), Error);
    EXPECT_THROW(replyFrom(R"({"jsonrpc":"2.0","id":1})"), Error);
}

}  // namespace
}  // namespace fovea
