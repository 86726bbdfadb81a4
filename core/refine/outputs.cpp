#include "core/refine/outputs.h"

#include <algorithm>
#include <set>

namespace fovea::refine {

namespace {

bool enlarges(const LayerReport& layer)
{
    const auto enlarges = [](const AxisReach& r) {
        return r.kind == ReachKind::Transposed || (r.kind == ReachKind::Resize && r.scale > Rational(1));
    };
    return layer.op->opClass == OpClass::Resample || layer.op->opClass == OpClass::Transposed ||
           enlarges(layer.reach->h) || enlarges(layer.reach->w);
}

// Whether a map was brought back to a larger side on the way to this layer, as heads of dense prediction do.
bool isUpsampled(const Report& report, NodeId layer)
{
    std::vector<NodeId> open{layer};
    std::set<NodeId> seen;
    while (!open.empty()) {
        const LayerReport* at = report.find(open.back());
        open.pop_back();
        if (!at || !seen.insert(at->id).second) continue;
        if (enlarges(*at)) return true;
        for (const Port& port : at->node->inputs) open.push_back(port.node);
    }
    return false;
}

bool hasSide(const Value& value) { return value.layout.h >= 0 || value.layout.w >= 0; }

bool isSpatial(const Value& value, int dim) { return dim == value.layout.h || dim == value.layout.w; }

// What was unknown, as it is behind an error, is no bound; what was known stays known.
bool mayBecome(const Value& old, const Value& now, bool fixedSide)
{
    if (!old.shape.hasRank()) return true;
    if (now.shape.rank() != old.shape.rank()) return false;
    for (int dim = 0; dim < old.shape.rank(); ++dim) {
        if (old.shape[dim] == kUnknown) continue;
        const bool isFree = isSpatial(old, dim) && !fixedSide;
        if (isFree ? now.shape[dim] == kUnknown : now.shape[dim] != old.shape[dim]) return false;
    }
    return true;
}

// Its labels are made for one side, so that side has to stay.
bool fixesSide(const Report& report, const GraphOutput& output, const Value& value)
{
    if (!hasSide(value)) return false;
    return PerAxis<std::int64_t>{value.height(), value.width()} == report.side ||
           isUpsampled(report, output.port.node);
}

// What the network gives, in the order of its outputs.
std::vector<Value> outputsOf(const Report& report)
{
    std::vector<Value> out;
    for (std::size_t i = 0; i < report.outputs.size(); ++i) {
        const Port port = i < report.graph.outputs().size() ? report.graph.outputs()[i].port : Port{};
        const LayerReport* layer = report.find(port.node);
        const auto at = static_cast<std::size_t>(port.output);
        out.push_back(layer && port.output >= 0 && at < layer->out.size() ? layer->out[at]
                                                                          : Value{report.outputs[i].second, {}});
    }
    return out;
}

// The same at the file's own side; unknown where the layer has come from no file.
std::vector<Value> outputsOfFile(const Report& report)
{
    std::vector<Value> out(report.outputs.size());
    for (std::size_t i = 0; i < out.size() && i < report.graph.outputs().size(); ++i) {
        const Port port = report.graph.outputs()[i].port;
        const Node* node = report.graph.find(port.node);
        const auto at = static_cast<std::size_t>(port.output);
        if (node && node->origin && port.output >= 0 && at < node->origin->outputs.size()) out[i] = node->origin->outputs[at];
    }
    return out;
}

bool hasErrors(const Report& report)
{
    return std::any_of(report.issues.begin(), report.issues.end(),
                       [](const Issue& issue) { return issue.severity == Severity::Error; });
}

// "32x32"; one number where only one of the axes is left.
std::string sideText(const Value& value)
{
    if (value.layout.h < 0) return std::to_string(value.width());
    if (value.layout.w < 0 || value.layout.w == value.layout.h) return std::to_string(value.height());
    return std::to_string(value.height()) + "x" + std::to_string(value.width());
}

}  // namespace

Outputs::Outputs(const Report& before) : m_side(before.side), m_before(outputsOf(before))
{
    const bool isPyramid = std::count_if(m_before.begin(), m_before.end(), hasSide) > 1;
    const auto& outputs = before.graph.outputs();
    for (std::size_t i = 0; i < m_before.size(); ++i)
        m_fixed.push_back((isPyramid && hasSide(m_before[i])) ||
                          (i < outputs.size() && fixesSide(before, outputs[i], m_before[i])));
    if (hasErrors(before)) m_ofFile = outputsOfFile(before);
}

bool Outputs::areKept(const Report& after) const
{
    const std::vector<Value> now = outputsOf(after);
    if (now.size() != m_before.size()) return false;
    const bool sameSide = after.side == m_side;
    if (m_ofFile.empty()) return are(m_before, now, sameSide);
    return (are(m_before, now, sameSide) || are(m_ofFile, now, sameSide)) && stayCommon(now);
}

bool Outputs::are(const std::vector<Value>& wanted, const std::vector<Value>& now, bool sameSide) const
{
    for (std::size_t i = 0; i < now.size(); ++i)
        if (!mayBecome(wanted[i], now[i], m_fixed[i] && sameSide)) return false;
    return true;
}

// Whether dimensions that are equal in the file, at the same place of two outputs, still are.
bool Outputs::stayCommon(const std::vector<Value>& now) const
{
    for (std::size_t i = 0; i < now.size(); ++i)
        for (std::size_t j = i + 1; j < now.size(); ++j)
            for (int dim = 0; dim < std::min(m_ofFile[i].shape.rank(), m_ofFile[j].shape.rank()); ++dim)
                if (m_ofFile[i].shape[dim] == m_ofFile[j].shape[dim] && dim < now[i].shape.rank() &&
                    dim < now[j].shape.rank() && now[i].shape[dim] != now[j].shape[dim])
                    return false;
    return true;
}

std::vector<Issue> Outputs::changes(const Report& after) const
{
    std::vector<Issue> out;
    if (after.side != m_side) return out;
    const std::vector<Value> now = outputsOf(after);
    for (std::size_t i = 0; i < std::min(now.size(), m_before.size()); ++i) {
        const Value &old = m_before[i], &made = now[i];
        if (!hasSide(old) || (made.height() == old.height() && made.width() == old.width())) continue;
        if (std::min({old.shape.elements(), made.shape.elements()}) < 0) continue;
        const Node* layer = after.graph.find(after.graph.outputs()[i].port.node);
        out.push_back({"output-shrinks", Severity::Info, layer ? layer->name : "", "",
                       "Output '" + after.outputs[i].first + "' becomes " + sideText(made) + " instead of " +
                           sideText(old) + " at the same input size.",
                       "What reads it must expect that; keep the layers before it as they are where it cannot."});
    }
    return out;
}

}  // namespace fovea::refine
