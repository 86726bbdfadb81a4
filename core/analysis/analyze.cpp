#include "core/analysis/costs.h"
#include "core/analysis/fields.h"
#include "core/analysis/findings/findings.h"
#include "core/analysis/report.h"
#include "core/analysis/verdicts.h"
#include "core/ops/opaque.h"

#include <algorithm>

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

bool isGlobalNorm(const OpDef& op)
{
    const std::string_view kind = op.kind;
    return kind == "GroupNorm" || kind == "InstanceNorm2d";
}

FieldReport reported(const AxisField& field, std::int64_t inMin)
{
    if (!field.finite) return {};
    return {field.jump(), field.rfMin(), field.rfMax(), field.start(), inMin};
}

// Carries fields through a prepared graph and writes one row a layer.
class Analysis {
public:
    Analysis(const Graph& graph, const AnalysisOptions& options);
    Report run();

private:
    void findInput();
    void addInput(std::size_t i);
    void addLayer(std::size_t i, const NodeView& view);
    void setField(LayerReport& layer, std::size_t i);
    void setVerdict(LayerReport& layer, const Field& field);
    const Reach* reachOf(const OpDef& op, const NodeView& view);
    void addOutputs();

    AnalysisOptions m_options;
    Report m_report;
    Prepared m_prepared;
    ShapeInference m_shapes;
    std::shared_ptr<ReportTensors> m_tensors = std::make_shared<ReportTensors>();
    std::vector<Field> m_fields;  // one per entry
    Bounds m_boundsH, m_boundsW;
    Costs m_costs;
};

Analysis::Analysis(const Graph& graph, const AnalysisOptions& options) : m_options(options), m_prepared(prepare(graph)), m_shapes(m_prepared, m_report.issues)
{
    m_report.graph = graph;
    m_report.issues = graph.notes();
    m_tensors->sources = m_prepared.sources;
    m_fields.resize(m_prepared.entries.size());
    m_report.layers.reserve(m_prepared.entries.size());
    m_report.index.reserve(m_prepared.entries.size());
}

void Analysis::findInput()
{
    const Node* image = imageInput(m_report.graph, m_options.input);
    if (!image) return;
    m_report.inputName = image->name;
    m_report.input = image->id;
    if (const Ints* dims = image->attrs.getInts("shape")) m_report.inputShape = Shape(std::span(*dims));
    if (m_report.inputShape.rank() == 4) m_report.side = {m_report.inputShape[2], m_report.inputShape[3]};
    else m_report.input = kNoNode;
}

// Without an image to analyse, nobody can say what an input's readers see of one.
void Analysis::addInput(std::size_t i)
{
    const auto& entry = m_prepared.entries[i];
    if (entry.node->id == m_report.input) m_fields[i] = {AxisField::source(), AxisField::source()};
    else if (m_report.input == kNoNode) m_fields[i] = {AxisField::ofUnknown(), AxisField::ofUnknown()};
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

void Analysis::setField(LayerReport& layer, std::size_t i)
{
    const auto& entry = m_prepared.entries[i];
    Field joined;
    PerAxis<std::int64_t> inMin{kSaturated, kSaturated};
    for (std::uint32_t k = 0; k < entry.inputCount; ++k) {
        const std::int32_t from = m_prepared.sourceEntries[entry.firstInput + k];
        if (from < 0 || (entry.op->pathInputs >= 0 && k >= static_cast<std::uint32_t>(entry.op->pathInputs))) continue;
        const Field& source = m_fields[static_cast<std::size_t>(from)];
        if (source.h.finite) inMin.h = std::min(inMin.h, source.h.rfMin());
        if (source.w.finite) inMin.w = std::min(inMin.w, source.w.rfMin());
        joined.h = k == 0 ? source.h : merge(joined.h, source.h);
        joined.w = k == 0 ? source.w : merge(joined.w, source.w);
    }
    Field& field = m_fields[i];
    field = {step(joined.h, layer.reach->h), step(joined.w, layer.reach->w)};
    layer.finite = field.h.finite && field.w.finite;
    layer.unbounded = field.h.unbounded || field.w.unbounded;
    layer.approximate = (field.h.finite && field.h.approximate) || (field.w.finite && field.w.approximate);
    layer.field = {reported(field.h, inMin.h), reported(field.w, inMin.w)};
}

void Analysis::setVerdict(LayerReport& layer, const Field& field)
{
    const bool sliding = slides(layer.op->opClass);
    const bool perPosition = layer.op->opClass == OpClass::Linear && *layer.reach == Reach{};
    layer.window = sliding && isWindow(*layer.reach);
    layer.coversMap = coversMap(layer);
    if (field.h.unknown || field.w.unknown) {
        const bool judged = sliding || perPosition || layer.op->opClass == OpClass::Opaque;
        layer.verdict = judged ? Verdict::Unknown : Verdict::NotApplicable;
    } else if (layer.finite && (layer.window || (m_options.pointwise && (sliding || perPosition)))) {
        layer.verdict = judge(layer.field, m_report.side);
    }
    if (layer.finite && sliding) {
        m_boundsH.add(layer.field.h, layer.reach->h);
        m_boundsW.add(layer.field.w, layer.reach->w);
    }
    ++m_report.summary.verdicts[static_cast<std::size_t>(layer.verdict)];
    if (layer.verdict == Verdict::Unproductive && !m_report.summary.borderLayer) m_report.summary.borderLayer = layer.id;
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
    setField(layer, i);
    setVerdict(layer, m_fields[i]);
    m_costs.add(layer, view, m_report.summary);
    m_report.index.emplace_back(layer.id, m_report.layers.size() - 1);
}

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
        else addLayer(i, view);
    }
    m_shapes.finish();
    m_tensors->values = std::move(m_shapes.values());  // the rows' views move along with the elements
    std::sort(m_report.index.begin(), m_report.index.end());
    setBounds(m_report.summary, m_boundsH, m_boundsW);
    addOutputs();
    m_report.tensors = m_tensors;
    addFindings(m_report);
    return std::move(m_report);
}

}  // namespace

Report analyze(const Graph& graph, const AnalysisOptions& options) { return Analysis(graph, options).run(); }

}  // namespace fovea
