#include "core/refine/unknown.h"

#include <algorithm>

namespace fovea {

namespace {

bool isUnknown(const LayerReport& layer)
{
    return layer.reach->h.kind == ReachKind::Unknown || layer.reach->w.kind == ReachKind::Unknown;
}

}  // namespace

bool dependsOnUnknown(const Summary& summary) { return !summary.bounded || !summary.judged; }

const LayerReport* firstUnknown(const Report& report)
{
    const auto it = std::find_if(report.layers.begin(), report.layers.end(), isUnknown);
    return it == report.layers.end() ? nullptr : &*it;
}

namespace refine {

// One that reads nothing of the feature extractor leaves what follows outside it, whatever it is.
UnknownLayers::UnknownLayers(const Report& report)
{
    if (!firstUnknown(report)) return;
    // By tensor; those that no layer makes are the inputs of the network.
    std::vector<bool> behind(report.tensors->values.size(), false), extracted(behind.size(), true);
    const auto anyInput = [](const LayerReport& layer, const std::vector<bool>& flags) {
        for (std::size_t i = 0; i < layer.in.size(); ++i)
            if (layer.in.position(i) >= 0 && flags[static_cast<std::size_t>(layer.in.position(i))]) return true;
        return false;
    };
    for (const LayerReport& layer : report.layers) {
        const bool unseen = anyInput(layer, behind) || (isUnknown(layer) && anyInput(layer, extracted));
        if (unseen || isUnknown(layer)) m_unseen.insert(layer.id);
        for (const Value& value : layer.out) {
            behind[report.tensors->positionOf(value)] = unseen;
            extracted[report.tensors->positionOf(value)] = layer.finite;
        }
        if (!isUnknown(layer)) continue;
        std::vector<Shape> shapes;
        for (std::size_t i = 0; i < layer.in.size(); ++i) shapes.push_back(layer.in[i].shape);
        m_reads.emplace_back(layer.id, std::move(shapes));
    }
}

bool UnknownLayers::isTouchedBy(const Candidate& candidate) const
{
    return !empty() && std::any_of(candidate.changes.begin(), candidate.changes.end(), [this](const Change& change) {
        if (isUnseen(change.layer) || isUnseen(change.behind) || isUnseen(change.takesOver)) return true;
        return change.added && std::any_of(change.added->inputs.begin(), change.added->inputs.end(),
                                           [this](const Port& port) { return isUnseen(port.node); });
    });
}

bool UnknownLayers::readTheSame(const Report& after) const
{
    return std::all_of(m_reads.begin(), m_reads.end(), [&](const auto& read) {
        const LayerReport* layer = after.find(read.first);
        if (!layer || layer->in.size() != read.second.size()) return false;
        for (std::size_t i = 0; i < read.second.size(); ++i)
            if (layer->in[i].shape != read.second[i]) return false;
        return true;
    });
}

}  // namespace refine
}  // namespace fovea
