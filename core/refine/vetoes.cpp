#include "core/refine/vetoes.h"

#include "core/ops/clothes.h"

#include <algorithm>

namespace fovea::refine {

namespace {

bool holdsQuantised(const Graph& graph)
{
    return std::any_of(graph.nodes().begin(), graph.nodes().end(), [](const auto& node) {
        const std::string type = node->attrs.getText("onnx_op");  // of one that could not be read
        return isQuantised(*node) || type.find("QuantizeLinear") != std::string::npos || type.find("QLinear") != std::string::npos;
    });
}

// Settings that leave a layer's tensors as they are; a new side does that to every layer.
bool keepsTensors(const std::string& attribute)
{
    return attribute == "stride" || attribute == "padding" || attribute == "dilation" || attribute == "step" ||
           attribute == "shape";
}

}  // namespace

Vetoes::Vetoes(const Scene& scene)
    : m_scene(scene), m_shared(scene), m_unknown(scene.report()), m_isQuantised(holdsQuantised(scene.graph()))
{}

std::optional<Candidate> Vetoes::passed(Candidate candidate) const
{
    std::optional<Candidate> out = m_shared.closed(std::move(candidate));
    if (!out || touchesKept(*out) || m_unknown.isTouchedBy(*out)) return std::nullopt;
    if (m_isQuantised && changesWeights(*out)) return std::nullopt;
    return out;
}

// Whether a layer that must stay would change its settings, its place, or the shape of its weights.
bool Vetoes::touchesKept(const Candidate& candidate) const
{
    if (std::any_of(candidate.changes.begin(), candidate.changes.end(), [this](const Change& change) {
            return change.edit.op != Edit::Op::Add && m_scene.keeps(change.layer);
        }))
        return true;
    for (const NodeId id : m_scene.keep()) {
        if (!candidate.reshaped.any.contains(id) && !candidate.reshaped.fewer.contains(id)) continue;
        if (const LayerReport* layer = m_scene.report().find(id); layer && layer->parameters > 0) return true;
    }
    return false;
}

bool Vetoes::changesWeights(const Candidate& candidate) const
{
    return std::any_of(candidate.changes.begin(), candidate.changes.end(), [this](const Change& change) {
        switch (change.edit.op) {
        case Edit::Op::Set: return !keepsTensors(change.edit.attribute);
        case Edit::Op::Move: return false;
        case Edit::Op::Add: return true;
        case Edit::Op::Remove: break;
        }
        const LayerReport* layer = m_scene.report().find(change.layer);
        return !layer || !layer->node->tensors.empty() || layer->parameters != 0;
    });
}

}  // namespace fovea::refine
