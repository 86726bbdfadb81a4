#include "core/refine/blocks.h"

#include <algorithm>

namespace fovea::refine {

bool isPointwise(OpClass opClass)
{
    return opClass == OpClass::Normalization || opClass == OpClass::Activation || opClass == OpClass::Regularization;
}

bool isPadding(const Node& node) { return node.kind.ends_with("Pad2d"); }

std::vector<std::size_t> waists(const Scene& scene)
{
    std::vector<std::size_t> out;
    int open = 0;
    for (std::size_t entry = 0; entry < scene.size(); ++entry) {
        for (const std::int32_t source : scene.inputs(entry)) open -= source >= 0;
        if (open == 0 && scene.isMap(entry) && !isPadding(scene.node(entry))) {
            // A normalisation or activation that follows belongs to the layer before it.
            if (!out.empty() && isPointwise(scene.op(entry).opClass) && out.back() + 1 == entry) out.pop_back();
            out.push_back(entry);
        }
        open += scene.readers(entry);
    }
    return out;
}

std::vector<Stretch> stretches(const Scene& scene)
{
    std::vector<Stretch> out;
    const std::vector<std::size_t> ends = waists(scene);
    for (std::size_t i = 0; i + 1 < ends.size(); ++i) {
        Stretch stretch{ends[i], ends[i + 1]};
        for (std::size_t entry = stretch.from + 1; entry <= stretch.to; ++entry)
            if (const LayerReport* layer = scene.layer(entry);
                layer && layer->window && layer->finite && scene.op(entry).opClass == OpClass::Convolution)
                stretch.windows = true;
        const LayerReport *first = scene.layer(stretch.from), *last = scene.layer(stretch.to);
        const auto rfMin = [](const LayerReport* layer) {
            return layer ? PerAxis<std::int64_t>{layer->field.h.rfMin, layer->field.w.rfMin}
                         : PerAxis<std::int64_t>{1, 1};
        };
        stretch.skipped = stretch.windows && rfMin(first) == rfMin(last);
        out.push_back(stretch);
    }
    return out;
}

// A 1x1 convolution over all channels, as at the end of an inverted residual.
bool holdsProjection(const Scene& scene, const Stretch& stretch)
{
    for (std::size_t entry = stretch.from + 1; entry <= stretch.to; ++entry)
        if (scene.op(entry).opClass == OpClass::Convolution && scene.layer(entry)->finite &&
            !scene.layer(entry)->window && attrInt(scene.node(entry), "groups", 1) == 1)
            return true;
    return false;
}

NodeId Additions::add(Node node, const std::string& wantedName, const std::string& group,
                      const std::vector<NodeId>& inputs, NodeId takesOver)
{
    node.id = m_nextId++;
    node.name = freeName(group.empty() ? wantedName : group + "." + wantedName);
    node.group = group;
    node.tensors.clear();
    node.origin.reset();
    node.inputs.clear();
    std::vector<std::string> names;
    for (NodeId input : inputs) {
        for (auto taker = m_takers.find(input); taker != m_takers.end(); taker = m_takers.find(input))
            input = taker->second;
        node.inputs.push_back({input, 0});
        names.push_back(nameOf(input));
    }
    m_changes.push_back(Change::add(std::move(node), names, takesOver));
    const NodeId id = m_changes.back().layer;
    if (takesOver != kNoNode) m_takers[takesOver] = id;
    return id;
}

std::string Additions::nameOf(NodeId id) const
{
    if (const Node* node = m_graph.find(id)) return node->name;
    for (const Change& change : m_changes)
        if (change.layer == id) return change.added->name;
    return {};
}

std::string Additions::freeName(const std::string& wanted) const
{
    const auto taken = [&](const std::string& name) {
        return m_graph.findByName(name) || std::any_of(m_changes.begin(), m_changes.end(), [&](const Change& change) {
                   return change.added->name == name;
               });
    };
    std::string name = wanted;
    for (int i = 1; taken(name); ++i) name = wanted + "_" + std::to_string(i);
    return name;
}

Style styleOf(const Scene& scene, std::size_t entry)
{
    Style out;
    for (std::size_t next = entry + 1; next < scene.size(); ++next) {
        const auto inputs = scene.inputs(next);
        if (inputs.size() != 1 || inputs[0] != static_cast<std::int32_t>(next - 1)) break;
        const OpClass opClass = scene.op(next).opClass;
        if (scene.node(next).kind == "BatchNorm2d") {
            out.norm = true;
        } else if (opClass == OpClass::Activation) {
            out.activation = scene.node(next);
            break;
        } else if (!isPointwise(opClass)) {
            break;
        }
    }
    return out;
}

}  // namespace fovea::refine
