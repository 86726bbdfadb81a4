#include "core/io/json/node_json.h"

#include "core/io/json/base64.h"

#include <cmath>
#include <limits>

namespace fovea {

namespace {

constexpr std::int64_t kLowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kHighest = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMaxOutput = 1'000'000;

// JSON has no infinities; a padding value of -inf is real, though.
Json realJson(double value)
{
    if (std::isfinite(value)) return value;
    return Json{{"real", std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf"}};
}

Json attrJson(const AttrValue& value)
{
    if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
    if (const auto* real = std::get_if<double>(&value)) return realJson(*real);
    if (const auto* flag = std::get_if<bool>(&value)) return *flag;
    if (const auto* text = std::get_if<std::string>(&value)) return textJson(*text);
    Json list = Json::array();
    for (const std::int64_t item : std::get<Ints>(value)) list.push_back(item);
    return list;
}

double specialReal(const JsonAt& at)
{
    const std::string text = at.at("real").text();
    if (text == "nan") return std::numeric_limits<double>::quiet_NaN();
    if (text == "inf") return std::numeric_limits<double>::infinity();
    if (text == "-inf") return -std::numeric_limits<double>::infinity();
    at.at("real").wrong("must be nan, inf or -inf, but is '" + text + "'");
}

Ints intsFrom(const JsonAt& at)
{
    Ints out(at.size());
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = at[i].integer(kLowest, kHighest);
    return out;
}

AttrValue attrFrom(const JsonAt& at)
{
    const Json& value = at.json();
    if (value.is_number_integer()) return at.integer(kLowest, kHighest);
    if (value.is_number_float()) return value.get<double>();
    if (value.is_boolean()) return value.get<bool>();
    if (value.is_array()) return intsFrom(at);
    if (value.is_object() && value.contains("real")) return specialReal(at);
    if (value.is_string() || value.is_object()) return at.text();
    at.fail("be a number, a text, true, false or a list of whole numbers");
}

Json portJson(const Port& port)
{
    if (port.node == kNoNode) return nullptr;
    return Json::array({port.node, port.output});
}

Port portFrom(const JsonAt& at)
{
    if (at.isNull()) return {};
    if (at.size() != 2) at.wrong("must be [layer, output] or null, but has " + std::to_string(at.size()) + " elements");
    return {at[0].integer(1, kMaxNodeId), static_cast<int>(at[1].integer(0, kMaxOutput))};
}

Json valueJson(const Value& value)
{
    Json shape = nullptr;
    if (value.shape.hasRank()) {
        shape = Json::array();
        for (const std::int64_t dim : value.shape.dims()) shape.push_back(dim < 0 ? Json(nullptr) : Json(dim));
    }
    return Json{{"shape", shape}, {"layout", Json::array({value.layout.c, value.layout.h, value.layout.w})}};
}

Value valueFrom(const JsonAt& at)
{
    Value value;
    if (const auto shape = at.find("shape")) {
        if (shape->size() > Shape::kMaxRank) shape->wrong("has more than " + std::to_string(Shape::kMaxRank) + " dimensions");
        value.shape = Shape::ofRank(static_cast<int>(shape->size()));
        for (int i = 0; i < value.shape.rank(); ++i)
            if (const JsonAt dim = (*shape)[static_cast<std::size_t>(i)]; !dim.isNull()) value.shape[i] = dim.integer(0, kHighest);
    }
    const JsonAt layout = at.at("layout");
    if (layout.size() != 3) layout.wrong("must have 3 elements, but has " + std::to_string(layout.size()));
    const auto axis = [&](std::size_t i) { return static_cast<std::int8_t>(layout[i].integer(-1, Shape::kMaxRank - 1)); };
    value.layout = {axis(0), axis(1), axis(2)};
    return value;
}

Json textsJson(const std::vector<std::string>& texts)
{
    Json out = Json::array();
    for (const std::string& text : texts) out.push_back(textJson(text));
    return out;
}

std::vector<std::string> textsFrom(const JsonAt& at)
{
    std::vector<std::string> out(at.size());
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = at[i].text();
    return out;
}

std::string textOr(const JsonAt& at, const char* key)
{
    const auto found = at.find(key);
    return found ? found->text() : std::string();
}

Severity severityFrom(const JsonAt& at)
{
    const std::string text = at.text();
    for (const Severity severity : {Severity::Info, Severity::Warning, Severity::Error})
        if (text == toString(severity)) return severity;
    at.wrong("must be error, warning or info, but is '" + text + "'");
}

}  // namespace

Json toJson(const Node& node)
{
    Json out{{"id", node.id}, {"name", textJson(node.name)}, {"kind", textJson(node.kind)}};
    Json inputs = Json::array();
    for (const Port& port : node.inputs) inputs.push_back(portJson(port));
    out["inputs"] = std::move(inputs);
    Json attrs = Json::object();
    for (const auto& [name, value] : node.attrs.entries()) attrs[name] = attrJson(value);
    out["attrs"] = std::move(attrs);
    if (!node.group.empty()) out["group"] = textJson(node.group);
    if (!node.tensors.empty()) {
        Json tensors = Json::object();
        for (const TensorBinding& binding : node.tensors) tensors[binding.role] = textJson(binding.tensor);
        out["tensors"] = std::move(tensors);
    }
    return out;
}

Node nodeFrom(const JsonAt& at)
{
    Node node;
    node.id = at.at("id").integer(1, kMaxNodeId);
    node.name = at.at("name").text();
    if (node.name.empty()) at.at("name").wrong("must not be empty");
    node.kind = at.at("kind").text();
    const JsonAt inputs = at.at("inputs");
    for (std::size_t i = 0; i < inputs.size(); ++i) node.inputs.push_back(portFrom(inputs[i]));
    if (const auto attrs = at.find("attrs"))
        for (const auto& [name, value] : attrs->object().items()) node.attrs.set(name, attrFrom(at.inside(value)));
    node.group = textOr(at, "group");
    if (const auto tensors = at.find("tensors"))
        for (const auto& [role, name] : tensors->object().items()) node.tensors.push_back({role, at.inside(name).text()});
    return node;
}

Json toJson(const GraphOutput& output) { return Json{{"name", textJson(output.name)}, {"from", portJson(output.port)}}; }

GraphOutput outputFrom(const JsonAt& at)
{
    const auto from = at.find("from");
    return {at.at("name").text(), from ? portFrom(*from) : Port{}};
}

Json toJson(const Issue& issue)
{
    return Json{{"code", textJson(issue.code)},           {"severity", toString(issue.severity)},
                {"layer", textJson(issue.layer)},         {"attribute", textJson(issue.attribute)},
                {"message", textJson(issue.message)},     {"hint", textJson(issue.hint)}};
}

Issue issueFrom(const JsonAt& at)
{
    return {at.at("code").text(),   severityFrom(at.at("severity")), textOr(at, "layer"),
            textOr(at, "attribute"), at.at("message").text(),         textOr(at, "hint")};
}

KnownNodes::KnownNodes(const std::vector<std::string>& all) : m_all(all)
{
    for (std::size_t i = 0; i < all.size(); ++i) m_index.emplace(all[i], i);
}

Json KnownNodes::reference(const std::string& bytes) const
{
    const auto it = m_index.find(bytes);
    return it == m_index.end() ? Json(toBase64(bytes)) : Json(it->second);
}

std::string KnownNodes::resolve(const JsonAt& at) const
{
    if (at.json().is_string()) return at.bytes();
    if (m_all.empty()) at.wrong("points at a node of the imported file, but the document holds none");
    return m_all[static_cast<std::size_t>(at.integer(0, static_cast<std::int64_t>(m_all.size()) - 1))];
}

Json toJson(NodeId layer, const Origin& origin, const KnownNodes& known)
{
    Json nodes = Json::array(), in = Json::array(), out = Json::array();
    for (const std::string& bytes : origin.nodes) nodes.push_back(known.reference(bytes));
    for (const Value& value : origin.inputs) in.push_back(valueJson(value));
    for (const Value& value : origin.outputs) out.push_back(valueJson(value));
    return Json{{"layer", layer},
                {"nodes", std::move(nodes)},
                {"input_names", textsJson(origin.inputNames)},
                {"output_names", textsJson(origin.outputNames)},
                {"inputs", std::move(in)},
                {"outputs", std::move(out)},
                {"sizes_baked", origin.sizesBaked}};
}

Origin originFrom(const JsonAt& at, const KnownNodes& known)
{
    Origin origin;
    const JsonAt nodes = at.at("nodes"), in = at.at("inputs"), out = at.at("outputs");
    for (std::size_t i = 0; i < nodes.size(); ++i) origin.nodes.push_back(known.resolve(nodes[i]));
    for (std::size_t i = 0; i < in.size(); ++i) origin.inputs.push_back(valueFrom(in[i]));
    for (std::size_t i = 0; i < out.size(); ++i) origin.outputs.push_back(valueFrom(out[i]));
    origin.inputNames = textsFrom(at.at("input_names"));
    origin.outputNames = textsFrom(at.at("output_names"));
    origin.sizesBaked = at.at("sizes_baked").boolean();
    return origin;
}

}  // namespace fovea
