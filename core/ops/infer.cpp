#include "core/ops/common.h"
#include "core/ops/grid.h"
#include "core/ops/registry.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace fovea {

std::int32_t Prepared::entryOf(NodeId id) const
{
    const auto it = std::lower_bound(index.begin(), index.end(), id, [](const auto& row, NodeId key) { return row.first < key; });
    return it != index.end() && it->first == id ? it->second : -1;
}

namespace {

// Networks use few kinds: remembers those it has looked up.
class KindCache {
public:
    const OpDef* find(const std::string& kind)
    {
        const std::size_t slot = kind.empty() ? 0 : (kind.size() * 7 + static_cast<unsigned char>(kind[0]) * 3 + static_cast<unsigned char>(kind.back())) % m_known.size();
        auto& [name, op] = m_known[slot];
        if (!op || name != kind) {
            name = kind;
            op = &opFor(kind);
        }
        return op;
    }

private:
    std::array<std::pair<std::string_view, const OpDef*>, 64> m_known{};
};

}  // namespace

Prepared prepare(const Graph& graph)
{
    Prepared out;
    const std::vector<NodeId> order = executionOrder(graph, &out.cyclic);
    const auto& nodes = graph.nodes();
    const bool ascending = std::is_sorted(order.begin(), order.end());
    out.entries.reserve(order.size());
    out.index.reserve(order.size());
    std::uint32_t values = 0;
    KindCache kinds;
    for (std::size_t i = 0; i < order.size(); ++i) {
        const Node* node = ascending ? nodes[i].get() : graph.find(order[i]);
        const OpDef* op = kinds.find(node->kind);
        const auto outputs = static_cast<std::uint32_t>(op->outputCount(*node));
        out.entries.push_back({node, op, 0, static_cast<std::uint32_t>(node->inputs.size()), values, outputs});
        out.index.emplace_back(node->id, static_cast<std::int32_t>(i));
        values += outputs;
    }
    if (!ascending) std::sort(out.index.begin(), out.index.end());
    for (std::size_t i = 0; i < out.entries.size(); ++i) {
        auto& entry = out.entries[i];
        entry.firstInput = static_cast<std::uint32_t>(out.sources.size());
        for (const Port& port : entry.node->inputs) {
            // Most inputs come from the layer right before.
            std::int32_t from = i > 0 && out.entries[i - 1].node->id == port.node ? static_cast<std::int32_t>(i) - 1 : out.entryOf(port.node);
            // A reader before its producer stands on a cycle: that edge counts as not connected.
            const bool usable = from >= 0 && from < static_cast<std::int32_t>(i) && port.output >= 0 &&
                                port.output < static_cast<int>(out.entries[static_cast<std::size_t>(from)].outputCount);
            out.sourceEntries.push_back(usable ? from : -1);
            out.sources.push_back(usable ? static_cast<std::int32_t>(out.entries[static_cast<std::size_t>(from)].firstOutput) + port.output : -1);
        }
        // A kind may rely on having its inputs, connected or not.
        for (; entry.inputCount < static_cast<std::uint32_t>(entry.op->minInputs); ++entry.inputCount) {
            out.sourceEntries.push_back(-1);
            out.sources.push_back(-1);
        }
    }
    return out;
}

namespace {

void missingInputs(const Prepared::Entry& entry, std::span<const std::int32_t> sources, std::vector<Issue>& issues)
{
    const auto connected = std::count_if(sources.begin(), sources.end(), [](std::int32_t s) { return s >= 0; });
    if (connected == static_cast<std::ptrdiff_t>(sources.size())) return;
    issues.push_back({"missing-input", Severity::Error, entry.node->name, "",
                      entry.node->kind + " has an input that is not connected.", "Connect it to a layer, or remove it."});
}

}  // namespace

namespace {

void refoldAll(const OpDef& op, const NodeView& view, std::span<Value> out)
{
    const auto isFolded = [](const Value& value) { return value.folded != nullptr; };
    if (std::none_of(view.in.begin(), view.in.end(), isFolded)) return;
    for (Value& value : out) refold(op, view, value);
}

}  // namespace

ShapeInference::ShapeInference(const Prepared& graph, std::vector<Issue>& issues) : m_graph(graph), m_issues(issues)
{
    if (!graph.entries.empty()) m_values.resize(graph.entries.back().firstOutput + graph.entries.back().outputCount);
}

NodeView ShapeInference::infer(std::size_t index)
{
    const auto& entry = m_graph.entries[index];
    const std::span sources(m_graph.sources.data() + entry.firstInput, entry.inputCount);
    missingInputs(entry, sources, m_issues);
    m_in.clear();
    for (const std::int32_t source : sources) m_in.push_back(source < 0 ? Value{} : m_values[static_cast<std::size_t>(source)]);
    const std::span out(m_values.data() + entry.firstOutput, entry.outputCount);
    if (entry.op->infer) {
        InferContext context(*entry.node, m_in, out, m_issues);
        entry.op->infer(context);
        refoldAll(*entry.op, {*entry.node, m_in, out}, out);
    } else if (!m_in.empty() && !out.empty()) {
        out[0] = m_in[0];
    }
    return {*entry.node, m_in, out};
}

void ShapeInference::finish()
{
    if (m_graph.cyclic.empty()) return;
    const std::int32_t at = m_graph.entryOf(m_graph.cyclic.front());
    m_issues.push_back({"cycle", Severity::Error, m_graph.entries[static_cast<std::size_t>(at)].node->name, "",
                        "The layer feeds itself through others.", "Remove one of the connections of the cycle."});
}

std::vector<Value> inferShapes(const Prepared& graph, std::vector<Issue>& issues)
{
    ShapeInference inference(graph, issues);
    for (std::size_t i = 0; i < graph.entries.size(); ++i) inference.infer(i);
    inference.finish();
    return std::move(inference.values());
}

std::vector<Value> inferNode(const Node& node, std::span<const Value> inputs, std::vector<Issue>& issues)
{
    const OpDef& op = opFor(node.kind);
    std::vector<Value> out(static_cast<std::size_t>(op.outputCount(node)));
    if (op.infer) {
        InferContext context(node, inputs, out, issues);
        op.infer(context);
        refoldAll(op, {node, inputs, out}, out);
    } else if (!inputs.empty() && !out.empty()) {
        out[0] = inputs[0];
    }
    return out;
}

namespace {

void outOfRange(const Node& node, const AttrDef& def, std::int64_t value, std::vector<Issue>& issues)
{
    if (value >= def.min && value <= def.max) return;
    issues.push_back({"attribute-range", Severity::Error, node.name, def.name,
                      std::string(def.name) + " must be between " + std::to_string(def.min) + " and " + std::to_string(def.max) + ", got " + std::to_string(value) + ".",
                      "Set it to a value in that range."});
}

bool hasType(const AttrDef& def, const AttrValue& value)
{
    switch (def.type) {
    case AttrType::Int: return std::holds_alternative<std::int64_t>(value);
    case AttrType::Real: return std::holds_alternative<double>(value) || std::holds_alternative<std::int64_t>(value);
    case AttrType::Bool: return std::holds_alternative<bool>(value);
    case AttrType::Choice:
    case AttrType::Text: return std::holds_alternative<std::string>(value);
    case AttrType::Pair: return std::holds_alternative<Ints>(value) && std::get<Ints>(value).size() == 2;
    case AttrType::Quad: return std::holds_alternative<Ints>(value) && std::get<Ints>(value).size() == 4;
    case AttrType::IntList: return std::holds_alternative<Ints>(value);
    }
    return false;
}

}  // namespace

void validate(const Node& node, std::vector<Issue>& issues)
{
    for (const AttrDef& def : opFor(node.kind).attrs) {
        const AttrValue* value = node.attrs.find(def.name);
        if (!value) continue;
        if (!hasType(def, *value)) {
            issues.push_back({"attribute-type", Severity::Error, node.name, def.name, std::string(def.name) + " has the wrong type: " + toText(*value) + ".",
                              "Set it in the inspector."});
            continue;
        }
        if (const auto* number = std::get_if<std::int64_t>(value)) outOfRange(node, def, *number, issues);
        if (const auto* list = std::get_if<Ints>(value))
            for (const std::int64_t item : *list) outOfRange(node, def, item, issues);
        if (def.type == AttrType::Choice &&
            std::none_of(def.choices.begin(), def.choices.end(), [&](const char* choice) { return std::get<std::string>(*value) == choice; }))
            issues.push_back({"attribute-choice", Severity::Error, node.name, def.name, std::string(def.name) + " cannot be '" + toText(*value) + "'.",
                              "Choose one of the listed values."});
    }
}

}  // namespace fovea
