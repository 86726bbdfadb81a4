#include "core/analysis/fields.h"
#include "core/analysis/findings.h"
#include "core/analysis/report.h"
#include "core/ops/opaque.h"

#include <algorithm>
#include <unordered_set>

namespace fovea {

const char* toString(Verdict verdict)
{
    switch (verdict) {
    case Verdict::Productive: return "productive";
    case Verdict::Critical: return "critical";
    case Verdict::Partial: return "partial";
    case Verdict::Unproductive: return "unproductive";
    case Verdict::NotApplicable: return "not_applicable";
    case Verdict::Unknown: return "unknown";
    }
    return "unknown";
}

const LayerReport* Report::find(NodeId id) const
{
    const auto it = std::lower_bound(index.begin(), index.end(), id, [](const auto& row, NodeId key) { return row.first < key; });
    return it != index.end() && it->first == id ? &layers[it->second] : nullptr;
}

const Node* imageInput(const Graph& graph, const std::string& name)
{
    const Node* found = nullptr;
    for (const auto& node : graph.nodes()) {
        if (node->kind != "Input") continue;
        const Ints* dims = node->attrs.getInts("shape");
        if (name.empty() ? dims && dims->size() == 4 : node->name == name) {
            found = node.get();
            break;
        }
    }
    if (!found && !name.empty()) throw Error(ErrorCode::Usage, "The network has no input called '" + name + "'.");
    return found;
}

Graph withSide(const Graph& graph, std::int64_t height, std::int64_t width, const std::string& input)
{
    const Node* node = imageInput(graph, input);
    const Ints* dims = node ? node->attrs.getInts("shape") : nullptr;
    if (!dims || dims->size() != 4) throw Error(ErrorCode::Usage, "The network has no image input (NxCxHxW), so it has no side to set.");
    for (const std::int64_t side : {height, width})
        if (side < 1 || side > 1'000'000)
            throw Error(ErrorCode::Usage, "A side must be between 1 and 1000000 pixels, got " + std::to_string(side) + ".");
    Graph out = graph;
    Ints shape = *dims;
    if (shape[2] != height || shape[3] != width) {
        shape[2] = height;
        shape[3] = width;
        out.update(node->id, [&](Node& edited) { edited.attrs.set("shape", shape); });
    }
    std::vector<Issue> notes;
    for (const Issue& note : graph.notes())
        if (note.code != "size-assumed") notes.push_back(note);
    out.setNotes(std::move(notes));
    return out;
}

Graph withReach(const Graph& graph, const std::string& name, const std::string& text)
{
    const Node* node = graph.findByName(name);
    if (!node) throw Error(ErrorCode::Usage, "There is no layer called '" + name + "'.");
    if (node->kind != "opaque") throw Error(ErrorCode::Usage, "'" + name + "' is a " + node->kind + ", whose reach is known; a reach can be stated for opaque layers only.");
    if (!parseStatedReach(text)) throw Error(ErrorCode::Usage, "'" + text + "' is no reach; write it as k3s2p1 (kernel, stride, padding, d for dilation), global, or same.");
    Graph out = graph;
    out.update(node->id, [&](Node& edited) { edited.attrs.set("reach", text); });
    return out;
}

namespace {

struct Field {
    AxisField h, w;
};

bool isGlobalNorm(const OpDef& op) { return op.opClass == OpClass::Normalization && (std::string_view(op.kind) == "GroupNorm" || std::string_view(op.kind) == "InstanceNorm2d"); }

Field fieldOfInput(const Prepared::Entry& entry, NodeId analysed)
{
    if (entry.node->id == analysed) return {AxisField::source(), AxisField::source()};
    return analysed == kNoNode ? Field{AxisField::ofUnknown(), AxisField::ofUnknown()} : Field{};
}

FieldReport reported(const AxisField& field, std::int64_t inMin)
{
    FieldReport out;
    if (!field.finite) return out;
    out.jump = field.jump();
    out.rfMin = field.rfMin();
    out.rfMax = field.rfMax();
    out.start = field.start();
    out.inMin = inMin;
    return out;
}

// On one axis, every path into the layer has already seen the whole side.
bool seenAll(const FieldReport& field, std::int64_t side) { return field.inMin >= side && field.rfMin > side; }

Verdict judge(const PerAxis<FieldReport>& field, const PerAxis<std::int64_t>& side)
{
    const bool h = seenAll(field.h, side.h), w = seenAll(field.w, side.w);
    if (h && w) return Verdict::Unproductive;
    if (h || w) return Verdict::Partial;
    return field.h.rfMin > side.h || field.w.rfMin > side.w ? Verdict::Critical : Verdict::Productive;
}

bool counts(OpClass opClass) { return opClass == OpClass::Convolution || opClass == OpClass::Transposed || opClass == OpClass::Pooling; }

bool coversMap(const LayerReport& layer)
{
    if (!layer.window || layer.in.empty()) return false;
    const std::int64_t h = layer.in[0].height(), w = layer.in[0].width();
    return h > 0 && w > 0 && layer.reach.h.effectiveKernel() >= h && layer.reach.w.effectiveKernel() >= w;
}

// Bounds along one axis.
struct Bounds {
    bool any = false, anyWindow = false;
    std::int64_t rfMin = 0, rfMax = 0, inMin = 0, kernelJump = 0;

    void add(const FieldReport& field, const AxisReach& reach)
    {
        any = true;
        rfMin = std::max(rfMin, field.rfMin);
        rfMax = std::max(rfMax, field.rfMax);
        kernelJump = std::max(kernelJump, (Rational(reach.kernel) * field.jump).ceil());
        if (reach.effectiveKernel() > 1) {
            anyWindow = true;
            inMin = std::max(inMin, field.inMin);
        }
    }
};

using Sides = std::optional<PerAxis<std::int64_t>>;

void addBounds(Summary& summary, const Bounds& h, const Bounds& w)
{
    if (!h.any || !w.any) return;
    summary.iMin = {h.rfMin, w.rfMin};
    summary.iMax = {h.rfMax, w.rfMax};
    summary.iMinRfa = {std::max(h.rfMin, h.kernelJump), std::max(w.rfMin, w.kernelJump)};
    if (h.anyWindow || w.anyWindow) summary.iMinProductive = {h.inMin + 1, w.inMin + 1};
}

class Costs {
public:
    void add(LayerReport& layer, const OpDef& op, const NodeView& view, Summary& summary)
    {
        layer.parameters = parameters(op, view);
        layer.macs = macs(op, view);
        summary.parameters = saturatingAdd(summary.parameters, layer.parameters.value_or(0));
        summary.macs = saturatingAdd(summary.macs, layer.macs.value_or(0));
        summary.complete = summary.complete && layer.parameters && layer.macs;
        if (op.products) summary.products = saturatingAdd(summary.products, op.products(view).value_or(0));
    }

private:
    std::optional<std::int64_t> parameters(const OpDef& op, const NodeView& view)
    {
        if (op.opClass == OpClass::Opaque) return std::nullopt;
        if (!op.params) return 0;
        std::int64_t total = 0;
        for (const ParamSpec& spec : op.params(view)) {
            if (!spec.trainable) continue;
            // A tensor that several layers share is listed at its first user.
            if (const TensorBinding* binding = view.node.tensor(spec.role))
                if (!m_seen.insert(binding->tensor).second) continue;
            std::int64_t elements = 1;
            for (const std::int64_t dim : spec.dims) {
                if (dim < 0) return std::nullopt;
                elements = saturatingMul(elements, dim);
            }
            total = saturatingAdd(total, elements);
        }
        return total;
    }

    static std::optional<std::int64_t> macs(const OpDef& op, const NodeView& view)
    {
        if (op.opClass == OpClass::Opaque) return std::nullopt;
        return op.macs ? op.macs(view) : 0;
    }

    std::unordered_set<std::string_view> m_seen;
};

}  // namespace

Report analyze(const Graph& graph, const AnalysisOptions& options)
{
    Report report;
    report.issues = graph.notes();
    const Prepared prepared = prepare(graph);
    const std::vector<Value> values = inferShapes(prepared, report.issues);

    if (const Node* image = imageInput(graph, options.input)) {
        report.inputName = image->name;
        report.input = image->id;
        if (const Ints* dims = image->attrs.getInts("shape")) report.inputShape = Shape(std::span(*dims));
        if (report.inputShape.rank() == 4) report.side = {report.inputShape[2], report.inputShape[3]};
        else report.input = kNoNode;
    }

    std::vector<Field> fields(prepared.entries.size());
    report.layers.reserve(prepared.entries.size());
    Bounds boundsH, boundsW;
    Costs costs;
    std::vector<Value> in;
    for (std::size_t i = 0; i < prepared.entries.size(); ++i) {
        const auto& entry = prepared.entries[i];
        const std::span sources(prepared.sources.data() + entry.firstInput, entry.inputCount);
        const std::span from(prepared.sourceEntries.data() + entry.firstInput, entry.inputCount);
        const std::span<const Value> out(values.data() + entry.firstOutput, entry.outputCount);
        validate(*entry.node, report.issues);
        if (entry.op->opClass == OpClass::Input) {
            fields[i] = fieldOfInput(entry, report.input);
            report.inputs.emplace_back(entry.node->name, out.empty() ? Shape{} : out[0].shape);
            continue;
        }
        in.clear();
        for (const std::int32_t source : sources) in.push_back(source < 0 ? Value{} : values[static_cast<std::size_t>(source)]);
        const NodeView view{*entry.node, in, out};

        Field joined;
        PerAxis<std::int64_t> inMin{kSaturated, kSaturated};
        for (std::size_t k = 0; k < from.size(); ++k) {
            if (from[k] < 0 || (entry.op->pathInputs >= 0 && k >= static_cast<std::size_t>(entry.op->pathInputs))) continue;
            const Field& source = fields[static_cast<std::size_t>(from[k])];
            if (source.h.finite) inMin.h = std::min(inMin.h, source.h.rfMin());
            if (source.w.finite) inMin.w = std::min(inMin.w, source.w.rfMin());
            joined.h = k == 0 ? source.h : merge(joined.h, source.h);
            joined.w = k == 0 ? source.w : merge(joined.w, source.w);
        }

        LayerReport layer;
        layer.id = entry.node->id;
        layer.name = entry.node->name;
        layer.kind = entry.node->kind;
        layer.group = entry.node->group;
        layer.in = in;
        layer.out.assign(out.begin(), out.end());
        if (entry.op->reach) layer.reach = entry.op->reach(view);
        if (options.globalNorms && isGlobalNorm(*entry.op)) layer.reach.h.kind = layer.reach.w.kind = ReachKind::Global;
        fields[i].h = step(joined.h, layer.reach.h);
        fields[i].w = step(joined.w, layer.reach.w);
        const Field& field = fields[i];
        layer.finite = field.h.finite && field.w.finite;
        layer.unbounded = field.h.unbounded || field.w.unbounded;
        layer.approximate = (field.h.finite && field.h.approximate) || (field.w.finite && field.w.approximate);
        layer.field = {reported(field.h, inMin.h), reported(field.w, inMin.w)};

        const bool slides = counts(entry.op->opClass);
        layer.window = slides && isWindow(layer.reach);
        layer.coversMap = coversMap(layer);
        const bool perPosition = entry.op->opClass == OpClass::Linear && layer.reach == Reach{};
        if (field.h.unknown || field.w.unknown) layer.verdict = slides || perPosition || entry.op->opClass == OpClass::Opaque ? Verdict::Unknown : Verdict::NotApplicable;
        else if (layer.finite && (layer.window || (options.pointwise && (slides || perPosition)))) layer.verdict = judge(layer.field, report.side);
        if (layer.finite && slides) {
            boundsH.add(layer.field.h, layer.reach.h);
            boundsW.add(layer.field.w, layer.reach.w);
        }
        costs.add(layer, *entry.op, view, report.summary);
        ++report.summary.verdicts[static_cast<std::size_t>(layer.verdict)];
        if (layer.verdict == Verdict::Unproductive && !report.summary.borderLayer) report.summary.borderLayer = layer.id;
        report.index.emplace_back(layer.id, report.layers.size());
        report.layers.push_back(std::move(layer));
    }
    std::sort(report.index.begin(), report.index.end());
    addBounds(report.summary, boundsH, boundsW);
    for (const GraphOutput& output : graph.outputs()) {
        const std::int32_t at = prepared.entryOf(output.port.node);
        const bool known = at >= 0 && output.port.output < static_cast<int>(prepared.entries[static_cast<std::size_t>(at)].outputCount);
        report.outputs.emplace_back(output.name, known ? values[prepared.entries[static_cast<std::size_t>(at)].firstOutput + static_cast<std::size_t>(output.port.output)].shape : Shape{});
    }
    addFindings(graph, report);
    return report;
}

}  // namespace fovea
