#include "core/io/engine/jobs.h"

#include "core/io/json/graph_json.h"
#include "core/io/json/preprocessing_json.h"

#include <cmath>
#include <limits>
#include <type_traits>

namespace fovea {

namespace {

constexpr double kHuge = std::numeric_limits<double>::max();
constexpr std::int64_t kLow = std::numeric_limits<std::int64_t>::min(),
                       kHigh = std::numeric_limits<std::int64_t>::max();

Json valueJson(const std::string& value) { return textJson(value); }
Json valueJson(bool value) { return value; }
Json valueJson(std::int64_t value) { return value; }
Json valueJson(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }
Json valueJson(const Recipe& value) { return toJson(value); }
Json valueJson(const Graph& value) { return toJson(value); }
Json valueJson(const Preprocessing& value) { return toJson(value); }
template <JobMessage Message>
Json valueJson(const Message& value)
{
    return jobJson(value);
}
template <typename List>
requires requires(const List& list)
{
    list.begin();
    list.size();
}
Json valueJson(const List& list)
{
    Json out = Json::array();
    for (const auto& item : list) out.push_back(valueJson(item));
    return out;
}
template <typename Value>
Json valueJson(const std::optional<Value>& value)
{
    return value ? valueJson(*value) : Json(nullptr);
}

void readValue(const JsonAt& at, std::string& out) { out = at.text(); }
void readValue(const JsonAt& at, bool& out) { out = at.boolean(); }
void readValue(const JsonAt& at, std::int64_t& out) { out = at.integer(kLow, kHigh); }
void readValue(const JsonAt& at, double& out)
{
    out = at.isNull() ? std::numeric_limits<double>::quiet_NaN() : at.real(-kHuge, kHuge);
}
void readValue(const JsonAt& at, Recipe& out) { read(at, out); }
void readValue(const JsonAt& at, Graph& out) { out = graphFrom(at); }
void readValue(const JsonAt& at, Preprocessing& out) { out = preprocessingFrom(at); }
template <JobMessage Message>
void readValue(const JsonAt& at, Message& out)
{
    readJob(at, out);
}
template <std::size_t Count>
void readValue(const JsonAt& at, std::array<std::int64_t, Count>& out)
{
    if (at.size() != Count)
        at.wrong("must have " + std::to_string(Count) + " elements, but has " + std::to_string(at.size()));
    for (std::size_t i = 0; i < Count; ++i) readValue(at[i], out[i]);
}
template <typename Value>
void readValue(const JsonAt& at, std::optional<Value>& out)
{
    readValue(at, out.emplace());
}
template <typename Item>
void readValue(const JsonAt& at, std::vector<Item>& out)
{
    out.assign(at.size(), {});
    for (std::size_t i = 0; i < out.size(); ++i) readValue(at[i], out[i]);
}

}  // namespace

template <typename Message>
Json jobJson(const Message& message)
{
    Json out = Json::object();
    Message::fields(message, [&](const char* name, const auto& value) { out[name] = valueJson(value); });
    return out;
}

template <typename Message>
void readJob(const JsonAt& at, Message& out)
{
    at.object();
    Message::fields(out, [&](const char* name, auto& value) {
        // A number that is none is written as null.
        constexpr bool isReal = std::is_same_v<std::decay_t<decltype(value)>, double>;
        if (const auto found = at.find(name)) readValue(*found, value);
        else if (isReal && at.json().contains(name)) readValue(at.at(name), value);
    });
}

#define FOVEA_JOB(Message)                                                                                             \
    template Json jobJson(const Message& message);                                                                     \
    template void readJob(const JsonAt& at, Message& out);
FOVEA_JOB(Progress)
FOVEA_JOB(Log)
FOVEA_JOB(TrainRequest)
FOVEA_JOB(TrainReply)
FOVEA_JOB(EvaluateRequest)
FOVEA_JOB(EvaluateReply)
FOVEA_JOB(ProbeRequest)
FOVEA_JOB(ProbeReply)
FOVEA_JOB(RateRequest)
FOVEA_JOB(RateReply)
FOVEA_JOB(RecalibrateRequest)
FOVEA_JOB(RecalibrateReply)
FOVEA_JOB(UnfoldRequest)
FOVEA_JOB(UnfoldReply)
FOVEA_JOB(EffectiveRequest)
FOVEA_JOB(EffectiveReply)
FOVEA_JOB(CostRequest)
FOVEA_JOB(CostReply)
#undef FOVEA_JOB

}  // namespace fovea
