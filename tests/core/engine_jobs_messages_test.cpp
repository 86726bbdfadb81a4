#include "core/io/engine/jobs.h"
#include "core/io/engine/messages.h"
#include "tests/support/text_graph.h"

#include <gtest/gtest.h>

#include <random>

namespace fovea {
namespace {

// Gives every member a value of its own that is not its default.
class Filler {
public:
    template <typename Message>
    Message filled()
    {
        Message out;
        fill(out);
        return out;
    }

private:
    void fill(std::string& value) { value = "text " + std::to_string(++m_count); }
    void fill(bool& value) { value = !value; }
    void fill(std::int64_t& value) { value = 1000 + ++m_count; }
    void fill(double& value) { value = 0.25 + static_cast<double>(++m_count); }
    void fill(Recipe& value)
    {
        value.lr = 0.125;
        value.opt = "adamw";
        value.epochs = ++m_count;
    }
    void fill(Preprocessing& value) { value = {256, ChannelOrder::Bgr, {0.5}, {0.25}}; }
    void fill(Graph& value) { value = test::graphOf("input 3x8x8 > conv:a k=3 c=4 > relu:r"); }
    template <std::size_t Count>
    void fill(std::array<std::int64_t, Count>& value)
    {
        for (std::int64_t& item : value) fill(item);
    }
    template <typename Value>
    void fill(std::optional<Value>& value)
    {
        fill(value.emplace());
    }
    template <typename Item>
    void fill(std::vector<Item>& value)
    {
        value.resize(2);
        for (Item& item : value) fill(item);
    }
    template <JobMessage Message>
    void fill(Message& value)
    {
        Message::fields(value, [&](const char*, auto& member) { fill(member); });
    }

    std::int64_t m_count = 0;
};

template <typename Message>
class JobMessages : public ::testing::Test {};
using Messages = ::testing::Types<Progress, Log, TrainRequest, TrainReply, EvaluateRequest, EvaluateReply, ProbeRequest,
                                  ProbeReply, RateRequest, RateReply, RecalibrateRequest, RecalibrateReply,
                                  UnfoldRequest, UnfoldReply, EffectiveRequest, EffectiveReply, CostRequest, CostReply>;
TYPED_TEST_SUITE(JobMessages, Messages);

TYPED_TEST(JobMessages, EveryMemberSurvivesARoundTrip)
{
    const Json json = toJson(Filler().filled<TypeParam>());
    std::size_t members = 0;
    TypeParam defaults;
    TypeParam::fields(defaults, [&](const char* name, auto&) {
        ++members;
        EXPECT_TRUE(json.contains(name)) << name;
        EXPECT_NE(json[name], toJson(TypeParam{})[name]) << name;
    });
    EXPECT_EQ(json.size(), members);
    EXPECT_EQ(jsonLine(toJson(messageFrom<TypeParam>(parseJson(jsonLine(json))))), jsonLine(json));
}

TYPED_TEST(JobMessages, WhatIsAbsentKeepsItsDefaultAndWhatIsUnknownIsIgnored)
{
    const Json read = toJson(messageFrom<TypeParam>(parseJson(R"({"of a newer version":[1,{"a":2}]})")));
    EXPECT_EQ(jsonLine(read), jsonLine(toJson(TypeParam{})));
}

// A member of another type, or cut short, is refused with its place; nothing is ever read past its end.
TYPED_TEST(JobMessages, AMemberOfAnotherTypeIsRefused)
{
    const Json good = toJson(Filler().filled<TypeParam>());
    for (const auto& [name, value] : good.items()) {
        Json wrong = good;
        wrong[name] = Json::object({{"unexpected", Json::array({1, "x"})}});
        if (value.is_object()) wrong[name] = 7;
        try {
            messageFrom<TypeParam>(wrong);
            ADD_FAILURE() << name << " was read from " << wrong[name].dump();
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::Format);
            EXPECT_EQ(error.message().rfind(name, 0), 0u) << error.message();
        }
    }
    for (const char* text : {"[]", "7", "null", "\"text\""})
        EXPECT_THROW(messageFrom<TypeParam>(parseJson(text)), Error) << text;
}

TYPED_TEST(JobMessages, NoBytesBreakTheReader)
{
    std::mt19937 random(7);
    const std::string good = jsonLine(toJson(Filler().filled<TypeParam>()));
    int refused = 0;
    for (int round = 0; round < 500; ++round) {
        std::string line = good;
        for (int i = 0; i < 1 + round % 5; ++i) line[random() % line.size()] = static_cast<char>(random() % 256);
        if (round % 4 == 0) line.resize(random() % line.size());
        try {
            messageFrom<TypeParam>(parseJson(line));
        } catch (const Error&) {
            ++refused;
        }
    }
    EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace fovea
