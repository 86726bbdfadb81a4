#include "core/io/reports/report_json.h"
#include "core/io/reports/reports.h"

#include <algorithm>

namespace fovea {

namespace {

ReportJson textOrNull(const std::string& text) { return text.empty() ? ReportJson(nullptr) : ReportJson(text); }

ReportJson countOrNull(const std::optional<std::int64_t>& count) { return count ? ReportJson(*count) : ReportJson(nullptr); }

ReportJson shapeObject(const Shape& shape)
{
    if (!shape.hasRank()) return nullptr;
    ReportJson out = ReportJson::array();
    for (const std::int64_t dim : shape.dims()) out.push_back(dim < 0 ? ReportJson(nullptr) : ReportJson(dim));
    return out;
}

ReportJson namedShapes(const std::vector<std::pair<std::string, Shape>>& values)
{
    ReportJson out = ReportJson::array();
    for (const auto& [name, shape] : values) out.push_back({{"name", name}, {"shape", shapeObject(shape)}});
    return out;
}

ReportJson jumpObject(const Rational& jump) { return jump.isWhole() ? ReportJson(jump.num()) : ReportJson(jump.text()); }

// A list attribute of the node, or the kind's default for it; null where the kind has none.
ReportJson listAttr(const Node& node, const OpDef& op, const char* name)
{
    const Ints* values = node.attrs.getInts(name);
    if (!values)
        if (const AttrDef* def = op.attr(name)) values = std::get_if<Ints>(&def->fallback);
    return values ? ReportJson(*values) : ReportJson(nullptr);
}

bool slides(OpClass opClass)
{
    return opClass == OpClass::Convolution || opClass == OpClass::Transposed || opClass == OpClass::Pooling;
}

// Of a window along both image axes: in the image's order, with the padding that it has at the present size.
bool addReach(ReportJson& out, const Reach& reach, const OpDef& op)
{
    const AttrDef* kernel = op.attr("kernel_size");
    const bool known = reach.h.kind != ReachKind::Unknown && reach.w.kind != ReachKind::Unknown;
    if (!kernel || kernel->type != AttrType::Pair || !known) return false;
    const auto& [h, w] = reach;
    out["kernel"] = Ints{h.kernel, w.kernel};
    out["stride"] = Ints{h.stride, w.stride};
    out["padding"] = Ints{h.padBegin, w.padBegin, h.padEnd, w.padEnd};
    out["dilation"] = Ints{h.dilation, w.dilation};
    return true;
}

void addWindow(ReportJson& out, const LayerReport& layer)
{
    const Node& node = *layer.node;
    const OpDef& op = *layer.op;
    const std::pair<const char*, const char*> keys[] = {
        {"kernel", "kernel_size"}, {"stride", "stride"}, {"padding", "padding"}, {"dilation", "dilation"}};
    const bool window = slides(op.opClass);
    if (!window || !addReach(out, *layer.reach, op))
        for (const auto& [key, attr] : keys) out[key] = window ? listAttr(node, op, attr) : ReportJson(nullptr);
    // An average has no dilation to set; its window is one of dilation 1 all the same.
    if (out["kernel"].is_array() && out["dilation"].is_null()) out["dilation"] = Ints(out["kernel"].size(), 1);
    const bool grouped = window && op.opClass != OpClass::Pooling && op.attr("groups");
    out["groups"] = grouped ? ReportJson(attrInt(node, "groups", 1)) : ReportJson(nullptr);
}

void addField(ReportJson& out, const LayerReport& layer)
{
    const auto& [h, w] = layer.field;
    const auto put = [&](const char* key, ReportJson onH, ReportJson onW) {
        out[key] = layer.finite ? ReportJson::array({std::move(onH), std::move(onW)}) : ReportJson(nullptr);
    };
    put("jump", jumpObject(h.jump), jumpObject(w.jump));
    put("rf_min", h.rfMin, w.rfMin);
    put("rf_max", h.rfMax, w.rfMax);
    put("start", h.start, w.start);
}

ReportJson layerObject(const LayerReport& layer, const LayerMemory& memory)
{
    const Node& node = *layer.node;
    const OpDef& op = *layer.op;
    ReportJson out{{"name", layer.name()}, {"kind", op.kind}};
    if (op.kind == std::string_view("opaque")) out["onnx_op"] = node.attrs.getText("onnx_op", node.kind);
    out["group"] = textOrNull(layer.group());
    addWindow(out, layer);
    ReportJson inputs = ReportJson::array();
    for (std::size_t i = 0; i < layer.in.size(); ++i) inputs.push_back(shapeObject(layer.in[i].shape));
    out["in_shape"] = std::move(inputs);
    out["out_shape"] = layer.out.empty() ? ReportJson(nullptr) : shapeObject(layer.out.front().shape);
    addField(out, layer);
    out["unbounded"] = layer.unbounded;
    out["approximate"] = layer.approximate;
    out["verdict"] = toString(layer.verdict);
    out["covers_map"] = layer.coversMap;
    out["parameters"] = countOrNull(layer.parameters);
    out["macs"] = countOrNull(layer.macs);
    out["memory"] = {{"kept", memory.kept}, {"live", memory.live}};
    return out;
}

ReportJson memoryObject(const Report& report, const MemoryReport& memory)
{
    const LayerReport* peak = memory.peak ? report.find(*memory.peak) : nullptr;
    return {{"batch", memory.options.batch},
            {"element_type", toString(memory.options.element)},
            {"training", memory.training},
            {"inference", memory.inference},
            {"peak_layer", peak ? ReportJson(peak->name()) : ReportJson(nullptr)},
            {"parameters", memory.parameters},
            {"complete", memory.complete}};
}

std::string compact(const ReportJson& json) { return json.dump(-1, ' ', false, ReportJson::error_handler_t::replace); }

bool isShort(const ReportJson& json)
{
    return json.is_primitive() || json.empty() ||
           (json.is_array() && std::all_of(json.begin(), json.end(), [](const ReportJson& item) { return item.is_primitive(); }));
}

// As nlohmann's indentation, but a shape stays on one line.
void print(const ReportJson& json, std::size_t depth, std::string& out)
{
    if (isShort(json)) {
        out += compact(json);
        return;
    }
    const std::string indent(depth + 1, ' ');
    out += json.is_object() ? "{\n" : "[\n";
    bool first = true;
    for (auto it = json.begin(); it != json.end(); ++it) {
        out += (first ? "" : ",\n") + indent + (json.is_object() ? compact(it.key()) + ": " : "");
        print(*it, depth + 1, out);
        first = false;
    }
    out += "\n" + std::string(depth, ' ') + (json.is_object() ? "}" : "]");
}

}  // namespace

ReportJson issueObject(const Issue& issue)
{
    return {{"code", issue.code},
            {"severity", toString(issue.severity)},
            {"layer", textOrNull(issue.layer)},
            {"attribute", textOrNull(issue.attribute)},
            {"message", issue.message},
            {"hint", issue.hint}};
}

ReportJson sideObject(const std::optional<PerAxis<std::int64_t>>& side)
{
    return side ? ReportJson::array({side->h, side->w}) : ReportJson(nullptr);
}

ReportJson summaryObject(const Summary& summary, const Report* report)
{
    ReportJson verdicts = ReportJson::object();
    for (const Verdict verdict : {Verdict::Productive, Verdict::Partial, Verdict::Critical, Verdict::Unproductive,
                                  Verdict::NotApplicable, Verdict::Unknown})
        verdicts[toString(verdict)] = summary.count(verdict);
    const LayerReport* border = report && summary.borderLayer ? report->find(*summary.borderLayer) : nullptr;
    ReportJson out{{"i_min", sideObject(summary.iMin)},
                   {"i_min_productive", sideObject(summary.iMinProductive)},
                   {"i_min_rfa", sideObject(summary.iMinRfa)},
                   {"i_max", sideObject(summary.iMax)},
                   {"parameters", summary.parameters},
                   {"macs", summary.macs},
                   {"verdicts", std::move(verdicts)},
                   {"border_layer", border ? ReportJson(border->name()) : ReportJson(nullptr)},
                   {"complete", summary.complete}};
    // Products of two activations are no MACs of layers (semantics: listed apart), and rare.
    if (summary.products > 0) out["products"] = summary.products;
    return out;
}

std::string jsonText(const ReportJson& json)
{
    std::string out;
    print(json, 0, out);
    return out + "\n";
}

ReportJson analysisObject(const Report& report, const MemoryReport& memory, const std::string& model)
{
    ReportJson input = nullptr;
    if (report.input != kNoNode) input = {{"name", report.inputName}, {"shape", shapeObject(report.inputShape)}, {"layout", report.inputLayout}};
    ReportJson layers = ReportJson::array(), issues = ReportJson::array();
    for (std::size_t row = 0; row < report.layers.size(); ++row) layers.push_back(layerObject(report.layers[row], memory.layers[row]));
    for (const Issue& issue : report.issues) issues.push_back(issueObject(issue));
    return {{"schema", "fovea.analysis/1"},
            {"model", model},
            {"inputs", namedShapes(report.inputs)},
            {"outputs", namedShapes(report.outputs)},
            {"input", std::move(input)},
            {"summary", summaryObject(report.summary, &report)},
            {"memory", memoryObject(report, memory)},
            {"layers", std::move(layers)},
            {"issues", std::move(issues)}};
}

}  // namespace fovea
