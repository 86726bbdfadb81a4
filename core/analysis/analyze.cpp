#include "core/analysis/costs.h"
#include "core/analysis/fields.h"
#include "core/analysis/findings/findings.h"
#include "core/analysis/report.h"
#include "core/analysis/verdicts.h"
#include "core/graph/dimensions.h"
#include "core/graph/first_image.h"
#include "core/ops/grid.h"
#include "core/ops/opaque.h"

#include <algorithm>
#include <map>
#include <set>

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

const Value& ValueRefs::operator[](std::size_t index) const
{
    static const Value unknown;
    return m_at[index] < 0 ? unknown : m_all[m_at[index]];
}

const LayerReport* Report::find(NodeId id) const
{
    const auto it = std::lower_bound(index.begin(), index.end(), id, [](const auto& row, NodeId key) { return row.first < key; });
    return it != index.end() && it->first == id ? &layers[it->second] : nullptr;
}

const Node* imageInput(const Graph& graph, const std::string& name)
{
    if (name.empty()) return firstImage(graph);
    const Node* found = graph.findByName(name);
    if (!found || found->kind != "Input") throw Error(ErrorCode::Usage, "The network has no input called '" + name + "'.");
    return found;
}

namespace {

// The opaque layers that a name of withReach() means.
std::vector<NodeId> opaqueLayers(const Graph& graph, const std::string& name)
{
    std::vector<NodeId> out;
    constexpr std::string_view kAll = "op:";
    const Node* node = graph.findByName(name);
    if (!node && name.starts_with(kAll)) {
        const std::string type = name.substr(kAll.size());
        for (const auto& candidate : graph.nodes()) {
            const std::string own = candidate->attrs.getText("onnx_op");
            if (candidate->kind == "opaque" && (own == type || own.ends_with("::" + type))) out.push_back(candidate->id);
        }
        if (out.empty()) throw Error(ErrorCode::Usage, "There is no opaque layer of the ONNX type '" + type + "'.");
        return out;
    }
    if (!node) throw Error(ErrorCode::Usage, "There is no layer called '" + name + "'.");
    if (node->kind != "opaque") throw Error(ErrorCode::Usage, "'" + name + "' is a " + node->kind + ", whose reach is known; a reach can be stated for opaque layers only.");
    return {node->id};
}

}  // namespace

Graph withReach(const Graph& graph, const std::string& name, const std::string& text)
{
    const std::vector<NodeId> layers = opaqueLayers(graph, name);
    if (!parseStatedReach(text))
        throw Error(ErrorCode::Usage, "'" + text + "' is no reach; write it as k3s2p1 (kernel, stride, padding, d for dilation), up2 (a map twice as large), global, or same.");
    Graph out = graph;
    for (const NodeId id : layers) out.update(id, [&](Node& edited) { edited.attrs.set("reach", text); });
    return out;
}

namespace {

struct Field {
    AxisField h, w;
};

bool isGlobalNorm(const OpDef& op)
{
    const std::string_view kind = op.kind;
    return kind == "GroupNorm" || kind == "InstanceNorm2d" || kind == "MeanVarianceNorm";
}

// Of a folded map: along the dimension that carries the axis, parts of it among the channels read together.
FieldReport reported(const AxisField& field, const Value& value, Axis axis, std::int64_t inMin)
{
    if (!field.finite) return {};
    FieldReport out{field.jump(), field.rfMin(), field.rfMax(), field.start(), inMin};
    if (!value.folded) return out;
    out.rfMax = saturatingAdd(out.rfMax, (Rational(gridExtent(value, axis)) * out.jump).ceil());
    out.jump = out.jump * Rational(gridStep(value, axis));
    return out;
}

// Rows of one are columns of the other.
bool areExchanged(const Value& a, const Value& b)
{
    const auto isLong = [&](int at) { return at >= 0 && at < a.shape.rank() && at < b.shape.rank() && a.shape[at] != 1 && b.shape[at] != 1; };
    if (a.layout.h == a.layout.w || b.layout.h == b.layout.w) return false;
    return (a.layout.h == b.layout.w && isLong(a.layout.h)) || (a.layout.w == b.layout.h && isLong(a.layout.w));
}

bool isPlain(const OpDef& op, const NodeView& view)
{
    for (std::size_t k = 0; k < view.in.size(); ++k)
        if (view.in[k].folded || (k > 0 && op.opClass == OpClass::Merge && view.in[k].layout != view.in[0].layout && areExchanged(view.in[0], view.in[k]))) return false;
    for (const Value& value : view.out)
        if (value.folded) return false;
    if (view.in.empty()) return true;
    const Layout& layout = view.in[0].layout;
    const int parted = partedDimension(op, view);
    if (parted >= 0) return parted != layout.h && parted != layout.w;
    return layout == kNchw || !slides(op.opClass);
}

bool runsOver(const AxisReach& reach) { return (reach.kind == ReachKind::Window || reach.kind == ReachKind::Transposed || reach.kind == ReachKind::Resize) && reach != AxisReach{}; }

// Carries fields through a prepared graph and writes one row a layer.
class Analysis {
public:
    Analysis(const Graph& graph, const AnalysisOptions& options);
    Report run();

private:
    void findInput();
    void findBorders();
    void addInput(std::size_t i);
    void addLayer(std::size_t i, const NodeView& view);
    void setField(LayerReport& layer, std::size_t i, const NodeView& view);
    Field plainField(std::size_t i, const Reach& reach) const;
    AxisField fieldOf(std::size_t i, const NodeView& view, Axis axis, std::size_t output);
    void addSeams();
    void setVerdict(LayerReport& layer, const Field& field);
    const Reach* reachOf(const OpDef& op, const NodeView& view);
    void addOutputs();

    AnalysisOptions m_options;
    Report m_report;
    Prepared m_prepared;
    ShapeInference m_shapes;
    std::shared_ptr<ReportTensors> m_tensors = std::make_shared<ReportTensors>();
    std::vector<Field> m_fields;  // one per tensor
    std::vector<bool> m_crossed;  // per entry: it joins maps along an image axis, and a window runs over the seam
    bool m_anySeam = false;
    std::set<NodeId> m_borders;  // permutations that bring the image into another layout, or the result back
    Bounds m_boundsH, m_boundsW;
    Costs m_costs;
};

Analysis::Analysis(const Graph& graph, const AnalysisOptions& options) : m_options(options), m_prepared(prepare(graph)), m_shapes(m_prepared, m_report.issues)
{
    m_report.graph = graph;
    m_report.issues = graph.notes();
    m_tensors->sources = m_prepared.sources;
    m_fields.resize(m_shapes.values().size());
    m_crossed.resize(m_prepared.entries.size());
    m_tensors->constant.resize(m_shapes.values().size());
    m_report.layers.reserve(m_prepared.entries.size());
    m_report.index.reserve(m_prepared.entries.size());
}

void Analysis::findInput()
{
    const Node* image = imageInput(m_report.graph, m_options.input);
    if (!image) return;
    m_report.inputName = image->name;
    m_report.input = image->id;
    if (!isImage(*image)) {
        m_report.input = kNoNode;
        return;
    }
    m_report.inputShape = imageShape(*image);
    if (const std::string layout = image->attrs.getText("layout"); !layout.empty()) m_report.inputLayout = (layout.size() == 3 ? "N" : "") + layout;
    m_report.side = {m_report.inputShape[2], m_report.inputShape[3]};
    if (inputLayout(*image) != kNchw) findBorders();
}

// Of a network whose image has its channels last, or in another order than is usual.
void Analysis::findBorders()
{
    std::set<NodeId> ends;
    std::map<NodeId, int> readers;
    for (const GraphOutput& output : m_report.graph.outputs()) ends.insert(output.port.node);
    for (const auto& entry : m_prepared.entries)
        for (const Port& port : entry.node->inputs) ++readers[port.node];
    const auto isPermutation = [](const Node& node) { return opFor(node.kind).torch.op == TorchOp::Permute && !node.inputs.empty(); };
    std::set<NodeId> borders{m_report.input};
    for (const auto& entry : m_prepared.entries) {
        const Node& node = *entry.node;
        if (isPermutation(node) && (borders.contains(node.inputs[0].node) || (ends.contains(node.id) && readers[node.id] == 0))) borders.insert(node.id);
    }
    m_borders = std::move(borders);
}

// Without an image to analyse, nobody can say what an input's readers see of one.
void Analysis::addInput(std::size_t i)
{
    const auto& entry = m_prepared.entries[i];
    for (std::uint32_t k = 0; k < entry.outputCount; ++k) {
        Field& field = m_fields[entry.firstOutput + k];
        if (entry.node->id == m_report.input) field = {AxisField::source(), AxisField::source()};
        else if (m_report.input == kNoNode) field = {AxisField::ofUnknown(), AxisField::ofUnknown()};
    }
    m_report.inputs.emplace_back(entry.node->name, entry.outputCount > 0 ? m_shapes.values()[entry.firstOutput].shape : Shape{});
}

// Layers that read point by point, which most do, share one reach.
const Reach* Analysis::reachOf(const OpDef& op, const NodeView& view)
{
    static const Reach same;
    Reach reach = op.reach ? op.reach(view) : Reach{};
    if (m_options.globalNorms && isGlobalNorm(op)) reach.h.kind = reach.w.kind = ReachKind::Global;
    return reach == same ? &same : &m_tensors->reaches.emplace_back(reach);
}

// The same for layers whose inputs and outputs hold each axis in a dimension of its own, which most do.
Field Analysis::plainField(std::size_t i, const Reach& reach) const
{
    const auto& entry = m_prepared.entries[i];
    Field joined;
    bool first = true;
    for (std::uint32_t k = 0; k < entry.inputCount; ++k) {
        const std::int32_t from = m_prepared.sources[entry.firstInput + k];
        if (from < 0 || (entry.op->pathInputs >= 0 && k >= static_cast<std::uint32_t>(entry.op->pathInputs))) continue;
        const Field& source = m_fields[static_cast<std::size_t>(from)];
        joined.h = first ? source.h : merge(joined.h, source.h);
        joined.w = first ? source.w : merge(joined.w, source.w);
        first = false;
    }
    return {step(joined.h, reach.h), step(joined.w, reach.w)};
}

// The field of one output: what is read of each input, joined.
AxisField Analysis::fieldOf(std::size_t i, const NodeView& view, Axis axis, std::size_t output)
{
    const auto& entry = m_prepared.entries[i];
    const bool rows = axis == Axis::Height;
    const int parted = partedDimension(*entry.op, view);
    AxisField out;
    std::vector<FieldPart> parts;
    std::int64_t begin = 0;
    bool first = true, joins = false;
    for (std::uint32_t k = 0; k < entry.inputCount; ++k) {
        const std::int32_t from = m_prepared.sources[entry.firstInput + k];
        if (from < 0 || (entry.op->pathInputs >= 0 && k >= static_cast<std::uint32_t>(entry.op->pathInputs))) continue;
        const Field& source = m_fields[static_cast<std::size_t>(from)];
        const AxisField& in = rows ? source.h : source.w;
        const GridReaches reaches = gridReaches(*entry.op, view, *m_report.layers.back().reach, k, output);
        const GridReach& reach = rows ? reaches.h : reaches.w;
        if (in.seam >= 0 && runsOver(reach.own)) m_crossed[static_cast<std::size_t>(in.seam)] = true;
        const AxisField read = step(in, reach.parts);
        if (entry.op->opClass == OpClass::Merge && parted >= 0 && (joins || parted == view.in[k].layout.of(axis))) {
            joins = true;
            const std::int64_t units = parted < view.in[k].shape.rank() ? view.in[k].shape[parted] : kUnknown;
            parts.push_back({begin, units, read});
            begin = saturatingAdd(begin, std::max<std::int64_t>(units, 0));
            continue;
        }
        const AxisField made = step(read, reach.own);
        out = first ? made : merge(out, made);
        if (!first && entry.op->opClass == OpClass::Merge && areExchanged(view.in[0], view.in[k]) && made.carriesPath()) {
            out = AxisField{};
            out.unbounded = out.approximate = true;
        }
        first = false;
    }
    if (!joins) return out;
    m_anySeam = m_anySeam || parts.size() > 1;
    AxisField whole = joined(std::move(parts), static_cast<std::int32_t>(i));
    return first ? whole : merge(out, whole);
}

void Analysis::setField(LayerReport& layer, std::size_t i, const NodeView& view)
{
    const auto& entry = m_prepared.entries[i];
    PerAxis<std::int64_t> inMin{kSaturated, kSaturated};
    for (std::uint32_t k = 0; k < entry.inputCount; ++k) {
        const std::int32_t from = m_prepared.sources[entry.firstInput + k];
        if (from < 0 || (entry.op->pathInputs >= 0 && k >= static_cast<std::uint32_t>(entry.op->pathInputs))) continue;
        const Field& source = m_fields[static_cast<std::size_t>(from)];
        if (source.h.finite) inMin.h = std::min(inMin.h, source.h.rfMin());
        if (source.w.finite) inMin.w = std::min(inMin.w, source.w.rfMin());
    }
    if (entry.outputCount == 0) return;
    const bool plain = isPlain(*entry.op, view) && !m_anySeam;
    if (plain) m_fields[entry.firstOutput] = plainField(i, *layer.reach);
    for (std::uint32_t k = plain ? 1 : 0; k < entry.outputCount; ++k)
        m_fields[entry.firstOutput + k] = plain ? m_fields[entry.firstOutput] : Field{fieldOf(i, view, Axis::Height, k), fieldOf(i, view, Axis::Width, k)};
    // An output that is no map but a number, such as a scale, carries no path.
    for (std::uint32_t k = entry.op->pathOutputs < 0 ? entry.outputCount : static_cast<std::uint32_t>(entry.op->pathOutputs); k < entry.outputCount; ++k) m_fields[entry.firstOutput + k] = {};
    const Field& field = m_fields[entry.firstOutput];
    const Value& made = view.out[0];
    layer.finite = field.h.finite && field.w.finite;
    layer.unbounded = field.h.unbounded || field.w.unbounded;
    layer.unknown = m_report.input != kNoNode && (field.h.unknown || field.w.unknown);
    layer.approximate = (field.h.finite && field.h.approximate) || (field.w.finite && field.w.approximate);
    layer.field = {reported(field.h, made, Axis::Height, inMin.h), reported(field.w, made, Axis::Width, inMin.w)};
}

// Near a seam that a window runs over, units see two regions, so the numbers hold further inside only: from where maps
// are joined on.
void Analysis::addSeams()
{
    if (!m_anySeam || std::find(m_crossed.begin(), m_crossed.end(), true) == m_crossed.end()) return;
    const LayerReport* first = nullptr;
    for (LayerReport& layer : m_report.layers) {
        const auto& entry = m_prepared.entries[static_cast<std::size_t>(m_prepared.entryOf(layer.id))];
        if (entry.outputCount == 0 || !layer.finite) continue;
        const Field& field = m_fields[entry.firstOutput];
        const auto isCrossed = [&](const AxisField& axis) { return axis.finite && axis.seam >= 0 && m_crossed[static_cast<std::size_t>(axis.seam)]; };
        if (!isCrossed(field.h) && !isCrossed(field.w)) continue;
        layer.approximate = true;
        if (!first) first = &layer;
    }
    if (first)
        m_report.issues.push_back({"seam", Severity::Info, first->name(), "dim",
                                   "Maps are joined along the height or width here, and a window runs over the seam: the fields shown are those of units "
                                   "further inside the largest part, and units near the seam see two regions.",
                                   "Nothing needs to be done; the exact pixels of a single unit are shown by 'fovea field'."});
}

void Analysis::setVerdict(LayerReport& layer, const Field& field)
{
    const bool sliding = slides(layer.op->opClass);
    const bool perPosition = layer.op->opClass == OpClass::Linear && *layer.reach == Reach{};
    layer.window = sliding && isWindow(*layer.reach);
    layer.coversMap = coversMap(layer);
    const bool judged = layer.window || (m_options.pointwise && (sliding || perPosition));
    if (field.h.unknown || field.w.unknown) {
        const bool shown = sliding || perPosition || layer.op->opClass == OpClass::Opaque;
        layer.verdict = shown ? Verdict::Unknown : Verdict::NotApplicable;
        const bool opaque = layer.op->opClass == OpClass::Opaque && slidesByName(layer.node->attrs.getText("onnx_op"));
        m_report.summary.bounded = m_report.summary.bounded && !(layer.unknown && (sliding || opaque));
        m_report.summary.judged = m_report.summary.judged && !(layer.unknown && (judged || opaque));
    } else if (layer.finite && judged) {
        layer.verdict = judge(layer.field, m_report.side);
    }
    if (layer.finite && sliding) {
        m_boundsH.add(layer.field.h, layer.reach->h);
        m_boundsW.add(layer.field.w, layer.reach->w);
    }
    ++m_report.summary.verdicts[static_cast<std::size_t>(layer.verdict)];
    // Behind a layer of unknown reach the first one that is known to be unproductive need not be the first.
    const bool first = !m_report.summary.borderLayer && m_report.summary.judged;
    if (layer.verdict == Verdict::Unproductive && first) m_report.summary.borderLayer = layer.id;
}

void Analysis::addLayer(std::size_t i, const NodeView& view)
{
    const auto& entry = m_prepared.entries[i];
    LayerReport& layer = m_report.layers.emplace_back();
    layer.id = entry.node->id;
    layer.node = entry.node;
    layer.op = entry.op;
    layer.in = ValueRefs(m_shapes.values().data(), {m_tensors->sources.data() + entry.firstInput, entry.inputCount});
    layer.out = view.out;
    layer.reach = reachOf(*entry.op, view);
    setField(layer, i, view);
    setVerdict(layer, entry.outputCount > 0 ? m_fields[entry.firstOutput] : Field{});
    m_costs.add(layer, view, m_report.summary);
    if (m_borders.contains(layer.id)) {
        --m_report.summary.verdicts[static_cast<std::size_t>(layer.verdict)];
        m_report.layers.pop_back();
        return;
    }
    m_report.index.emplace_back(layer.id, m_report.layers.size() - 1);
}

// A constant that is no parameter is part of whatever reads it, not a layer.
bool isSetting(const Node& node) { return node.kind == "Constant" && !node.attrs.getBool("learned", false); }

void Analysis::addOutputs()
{
    for (const GraphOutput& output : m_report.graph.outputs()) {
        const std::int32_t at = m_prepared.entryOf(output.port.node);
        const auto* entry = at < 0 ? nullptr : &m_prepared.entries[static_cast<std::size_t>(at)];
        const bool known = entry && output.port.output < static_cast<int>(entry->outputCount);
        const std::size_t position = known ? entry->firstOutput + static_cast<std::size_t>(output.port.output) : 0;
        m_report.outputs.emplace_back(output.name, known ? m_tensors->values[position].shape : Shape{});
    }
}

Report Analysis::run()
{
    findInput();
    for (std::size_t i = 0; i < m_prepared.entries.size(); ++i) {
        const NodeView view = m_shapes.infer(i);
        validate(view.node, m_report.issues);
        if (m_prepared.entries[i].op->opClass == OpClass::Input) addInput(i);
        else if (isSetting(view.node)) m_tensors->constant[m_prepared.entries[i].firstOutput] = true;
        else addLayer(i, view);
    }
    m_shapes.finish();
    addSeams();
    m_tensors->values = std::move(m_shapes.values());  // the rows' views move along with the elements
    std::sort(m_report.index.begin(), m_report.index.end());
    setBounds(m_report.summary, m_boundsH, m_boundsW);
    m_report.summary.complete = m_report.summary.counted && m_report.summary.bounded && m_report.summary.judged;
    addOutputs();
    m_report.tensors = m_tensors;
    addFindings(m_report);
    return std::move(m_report);
}

}  // namespace

Report analyze(const Graph& graph, const AnalysisOptions& options) { return Analysis(graph, options).run(); }

}  // namespace fovea
