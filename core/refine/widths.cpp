#include "core/refine/widths.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>

namespace fovea::refine {

namespace {

// Norms and activations of whole channels; those that mix or number channels care which is which.
bool passesChannels(const Scene& scene, std::size_t entry)
{
    const OpClass opClass = scene.op(entry).opClass;
    const std::string& kind = scene.node(entry).kind;
    if (opClass == OpClass::Normalization) return kind == "BatchNorm2d" || kind == "InstanceNorm2d";
    if (opClass == OpClass::Activation) return kind != "Softmax" && kind != "LogSoftmax" && kind != "PReLU";
    return opClass == OpClass::Pooling || opClass == OpClass::GlobalPooling || opClass == OpClass::Regularization;
}

bool joinsMaps(const Node& node) { return (node.kind == "Add" || node.kind == "Mul") && node.tensors.empty(); }

std::int64_t scaled(std::int64_t channels, double factor)
{
    const auto wide = static_cast<std::int64_t>(std::floor(static_cast<double>(channels) * factor));
    const std::int64_t step = channels % 8 == 0 ? 8 : 1;
    return std::max(channels, wide / step * step);
}

}  // namespace

Widths::Widths(const Scene& scene)
    : m_scene(scene), m_parent(scene.size()), m_frozen(scene.size(), false), m_depthwise(scene.size(), false)
{
    for (std::size_t entry = 0; entry < scene.size(); ++entry) m_parent[entry] = entry;
    std::map<std::string_view, std::size_t> users;  // of a tensor: layers that share one must stay as they are
    for (std::size_t entry = 0; entry < scene.size(); ++entry) {
        visit(entry);
        for (const TensorBinding& binding : scene.node(entry).tensors)
            if (const auto [first, isNew] = users.emplace(binding.tensor, entry); !isNew)
                for (const std::size_t user : {first->second, entry}) freezeAround(user);
    }
    for (const GraphOutput& output : scene.graph().outputs())
        for (std::size_t entry = 0; entry < scene.size(); ++entry)
            if (scene.node(entry).id == output.port.node) freeze(entry);
}

std::size_t Widths::root(std::size_t entry) const
{
    while (m_parent[entry] != entry) entry = m_parent[entry] = m_parent[m_parent[entry]];
    return entry;
}

void Widths::join(std::size_t a, std::size_t b)
{
    a = root(a);
    b = root(b);
    m_frozen[a] = m_frozen[a] || m_frozen[b];
    m_parent[b] = a;
}

std::optional<std::size_t> Widths::source(std::size_t entry, std::size_t input) const
{
    const auto inputs = m_scene.inputs(entry);
    if (input >= inputs.size() || inputs[input] < 0) return std::nullopt;
    return static_cast<std::size_t>(inputs[input]);
}

std::int64_t Widths::channels(std::size_t entry) const
{
    const LayerReport* layer = m_scene.layer(entry);
    return layer && !layer->out.empty() ? layer->out[0].channels() : kUnknown;
}

void Widths::visit(std::size_t entry)
{
    const Node& node = m_scene.node(entry);
    if (m_scene.kept(entry)) freezeAround(entry);
    if (node.kind == "Conv2d") return visitConvolution(entry);
    if (node.kind == "Linear") return freeze(entry);  // reads any number of channels, makes the classes
    if (node.kind == "Flatten") return visitFlatten(entry);
    if (passesChannels(m_scene, entry) || joinsMaps(node)) {
        for (std::size_t input = 0; input < m_scene.inputs(entry).size(); ++input)
            if (const auto from = source(entry, input)) join(*from, entry);
        if (!source(entry)) freeze(entry);
        return;
    }
    freezeAround(entry);
}

void Widths::visitConvolution(std::size_t entry)
{
    const std::int64_t groups = attrInt(m_scene.node(entry), "groups", 1);
    const auto from = source(entry);
    if (groups == 1 && from && channels(entry) > 0) return;
    if (from && groups == channels(*from) && groups == channels(entry)) {
        m_depthwise[entry] = true;
        join(*from, entry);
        return;
    }
    freezeAround(entry);
}

void Widths::freezeAround(std::size_t entry)
{
    freeze(entry);
    for (std::size_t input = 0; input < m_scene.inputs(entry).size(); ++input)
        if (const auto from = source(entry, input)) freeze(*from);
}

// Of a map of one unit it leaves the channels.
void Widths::visitFlatten(std::size_t entry)
{
    const auto from = source(entry);
    const LayerReport* layer = m_scene.layer(entry);
    if (from) join(*from, entry);
    const bool single = layer && !layer->in.empty() &&
                        (layer->in[0].shape.rank() == 2 || (layer->in[0].height() == 1 && layer->in[0].width() == 1));
    if (!from || !single) freeze(entry);
}

bool Widths::canGrow() const
{
    for (std::size_t entry = 0; entry < m_scene.size(); ++entry)
        if (m_scene.node(entry).kind == "Conv2d" && isFree(entry)) return true;
    return false;
}

std::vector<Change> Widths::times(double factor) const
{
    std::vector<Change> out;
    for (std::size_t entry = 0; entry < m_scene.size(); ++entry) {
        const Node& node = m_scene.node(entry);
        const std::int64_t stated = node.kind == "Linear" ? attrInt(node, "in_features") : 0;
        if (const auto from = source(entry); stated > 0 && from && isFree(*from) && scaled(stated, factor) != stated)
            out.push_back(Change::set(node, "in_features", scaled(stated, factor)));
        if (node.kind != "Conv2d" || !isFree(entry)) continue;
        const std::int64_t now = channels(entry), wide = scaled(now, factor);
        if (wide == now) continue;
        out.push_back(Change::set(node, "out_channels", wide));
        if (m_depthwise[entry]) out.push_back(Change::set(node, "groups", wide));
    }
    return out;
}

std::set<NodeId> Widths::affected() const
{
    std::set<NodeId> out;
    for (std::size_t entry = 0; entry < m_scene.size(); ++entry) {
        const auto from = source(entry);
        if (isFree(entry) || (from && isFree(*from))) out.insert(m_scene.node(entry).id);
    }
    return out;
}

}  // namespace fovea::refine
