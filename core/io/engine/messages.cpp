#include "core/io/engine/messages.h"

#include "core/io/json/graph_json.h"

#include <limits>

namespace fovea {

namespace {

constexpr std::int64_t kHighest = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMaxSide = 1'000'000;

Json intsJson(const Ints& values)
{
    Json out = Json::array();
    for (const std::int64_t value : values) out.push_back(value);
    return out;
}

Ints intsFrom(const JsonAt& at, std::int64_t low)
{
    Ints out(at.size());
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = at[i].integer(low, kHighest);
    return out;
}

template <typename Pair>
Json pairJson(const std::optional<Pair>& pair)
{
    return pair ? Json::array({(*pair)[0], (*pair)[1]}) : Json(nullptr);
}

std::array<std::int64_t, 2> pairFrom(const JsonAt& at, std::int64_t low)
{
    if (at.size() != 2) at.wrong("must have 2 elements, but has " + std::to_string(at.size()));
    return {at[0].integer(low, kMaxSide), at[1].integer(low, kMaxSide)};
}

double realFrom(const JsonAt& at)
{
    if (at.isNull()) return std::numeric_limits<double>::quiet_NaN();
    if (!at.json().is_number()) at.fail("be a number");
    return at.json().get<double>();
}

void readText(const JsonAt& at, const char* key, std::string& out)
{
    if (const auto found = at.find(key)) out = found->text();
}

void readSeed(const JsonAt& at, std::uint64_t& out)
{
    if (const auto found = at.find("seed")) out = static_cast<std::uint64_t>(found->integer(0, kHighest));
}

void readFlag(const JsonAt& at, const char* key, bool& out)
{
    if (const auto found = at.find(key)) out = found->boolean();
}

template <typename Item, typename Read>
void readList(const JsonAt& at, std::vector<Item>& out, Read readItem)
{
    for (std::size_t i = 0; i < at.size(); ++i) out.push_back(readItem(at[i]));
}

LoadRequest::Place placeFrom(const JsonAt& at)
{
    LoadRequest::Place out{at.at("name").text(), at.at("file").text(), at.at("offset").integer(0, kHighest),
                           DType::Float32, intsFrom(at.at("shape"), 0)};
    const std::string type = at.at("dtype").text();
    const auto dtype = dtypeFromText(type);
    if (!dtype) at.at("dtype").wrong("is '" + type + "', a type that Fovea does not read");
    out.dtype = *dtype;
    return out;
}

Json toJson(const LoadRequest::Place& place)
{
    return Json{{"name", textJson(place.name)},
                {"file", textJson(place.file)},
                {"offset", place.offset},
                {"dtype", std::string(toString(place.dtype))},
                {"shape", intsJson(place.dims)}};
}

}  // namespace

Json toJson(const HelloRequest& message) { return Json{{"protocol", message.protocol}}; }
void read(const JsonAt& at, HelloRequest& out)
{
    out.protocol = static_cast<int>(at.at("protocol").integer(0, 1'000'000));
}

Json toJson(const HelloReply& message)
{
    Json devices = Json::array();
    for (const auto& device : message.devices)
        devices.push_back(Json{{"name", device.name}, {"memory", device.memory}});
    return Json{{"protocol", message.protocol},
                {"fovea", message.fovea},
                {"libtorch", message.libtorch},
                {"devices", devices},
                {"why_no_gpu", message.whyNoGpu}};
}

void read(const JsonAt& at, HelloReply& out)
{
    out.protocol = static_cast<int>(at.at("protocol").integer(0, 1'000'000));
    out.fovea = at.at("fovea").text();
    out.libtorch = at.at("libtorch").text();
    readList(at.at("devices"), out.devices, [](const JsonAt& item) {
        return HelloReply::Device{item.at("name").text(), item.at("memory").integer(0, kHighest)};
    });
    readText(at, "why_no_gpu", out.whyNoGpu);
}

Json toJson(const LoadRequest& message)
{
    Json weights = Json::array(), tensors = Json::array();
    for (const std::string& file : message.weights) weights.push_back(textJson(file));
    for (const auto& place : message.tensors) tensors.push_back(toJson(place));
    return Json{{"graph", toJson(message.graph)},
                {"size", pairJson(message.size)},
                {"weights", weights},
                {"tensors", tensors},
                {"seed", message.seed},
                {"support", message.support},
                {"double", message.doublePrecision},
                {"device", message.device}};
}

void read(const JsonAt& at, LoadRequest& out)
{
    out.graph = graphFrom(at.at("graph"));
    if (const auto size = at.find("size")) out.size = pairFrom(*size, 1);
    if (const auto weights = at.find("weights"))
        readList(*weights, out.weights, [](const JsonAt& item) { return item.text(); });
    if (const auto tensors = at.find("tensors")) readList(*tensors, out.tensors, placeFrom);
    readSeed(at, out.seed);
    readFlag(at, "support", out.support);
    readFlag(at, "double", out.doublePrecision);
    readText(at, "device", out.device);
}

Json toJson(const LoadReply& message)
{
    Json inputs = Json::array(), outputs = Json::array();
    for (const auto& input : message.inputs)
        inputs.push_back(Json{{"name", textJson(input.name)}, {"shape", intsJson(input.shape)}});
    for (const std::string& name : message.outputs) outputs.push_back(textJson(name));
    return Json{
        {"inputs", inputs}, {"outputs", outputs}, {"given", message.given}, {"initialised", message.initialised}};
}

void read(const JsonAt& at, LoadReply& out)
{
    readList(at.at("inputs"), out.inputs, [](const JsonAt& item) {
        return LoadReply::Input{item.at("name").text(), intsFrom(item.at("shape"), -1)};
    });
    readList(at.at("outputs"), out.outputs, [](const JsonAt& item) { return item.text(); });
    out.given = at.at("given").integer(0, kHighest);
    out.initialised = at.at("initialised").integer(0, kHighest);
}

Json toJson(const ForwardRequest& message)
{
    return Json{{"inputs", textJson(message.inputs)}, {"seed", message.seed}, {"outputs", textJson(message.outputs)}};
}

void read(const JsonAt& at, ForwardRequest& out)
{
    readText(at, "inputs", out.inputs);
    readSeed(at, out.seed);
    readText(at, "outputs", out.outputs);
}

Json toJson(const ForwardReply& message)
{
    Json outputs = Json::array();
    for (const auto& output : message.outputs)
        outputs.push_back(Json{{"name", textJson(output.name)},
                               {"shape", intsJson(output.shape)},
                               {"min", output.low},
                               {"max", output.high},
                               {"mean", output.mean}});
    return Json{{"outputs", outputs}};
}

void read(const JsonAt& at, ForwardReply& out)
{
    readList(at.at("outputs"), out.outputs, [](const JsonAt& item) {
        return ForwardReply::Output{item.at("name").text(), intsFrom(item.at("shape"), 0), realFrom(item.at("min")),
                                    realFrom(item.at("max")), realFrom(item.at("mean"))};
    });
}

Json toJson(const GradientRequest& message)
{
    return Json{{"layer", textJson(message.layer)},
                {"unit", pairJson(message.unit)},
                {"inputs", textJson(message.inputs)},
                {"seed", message.seed},
                {"image", textJson(message.image)}};
}

void read(const JsonAt& at, GradientRequest& out)
{
    out.layer = at.at("layer").text();
    if (const auto unit = at.find("unit")) out.unit = pairFrom(*unit, 0);
    readText(at, "inputs", out.inputs);
    readSeed(at, out.seed);
    readText(at, "image", out.image);
}

Json toJson(const GradientReply& message)
{
    const auto& box = message.box;
    return Json{{"unit", Json::array({message.unit[0], message.unit[1]})},
                {"box", box ? intsJson({box->top, box->left, box->bottom, box->right}) : Json(nullptr)}};
}

void read(const JsonAt& at, GradientReply& out)
{
    out.unit = pairFrom(at.at("unit"), 0);
    const auto box = at.find("box");
    if (!box) return;
    const Ints sides = intsFrom(*box, 0);
    if (sides.size() != 4) box->wrong("must have 4 elements, but has " + std::to_string(sides.size()));
    out.box = PixelBox{sides[0], sides[1], sides[2], sides[3]};
}

}  // namespace fovea
