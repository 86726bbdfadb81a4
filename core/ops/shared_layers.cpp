#include "core/ops/shared_layers.h"

#include "core/ops/registry.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <memory_resource>
#include <string_view>
#include <unordered_map>

namespace fovea {

namespace {

// What a layer multiplies by, where that is bound to a tensor.
struct Kernel {
    std::string_view kind, tensor;
    bool operator==(const Kernel&) const = default;
};

struct KernelHash {
    std::size_t operator()(const Kernel& kernel) const { return std::hash<std::string_view>()(kernel.tensor); }
};

// An empty tensor: none, or one of the layer's own.
Kernel kernelOf(const Node& node)
{
    if (node.tensors.empty()) return {};
    const TensorBinding* binding = node.tensor("weight");
    if (!binding || !hasKernel(opFor(node.kind).opClass)) return {};
    return {node.kind, binding->tensor};
}

}  // namespace

std::vector<std::vector<NodeId>> sharedLayers(const Graph& graph)
{
    // Asked for at every analysis, so it takes its room from the stack where that is enough.
    std::array<std::byte, 16'384> room;
    std::pmr::monotonic_buffer_resource memory(room.data(), room.size());
    std::pmr::unordered_map<Kernel, NodeId, KernelHash> first(&memory);
    std::unordered_map<NodeId, std::vector<NodeId>> calls;  // by the first one
    for (const auto& node : graph.nodes()) {
        const Kernel kernel = kernelOf(*node);
        if (kernel.tensor.empty()) continue;
        const auto [known, isNew] = first.emplace(kernel, node->id);
        if (isNew) continue;
        std::vector<NodeId>& of = calls[known->second];
        if (of.empty()) of.push_back(known->second);
        of.push_back(node->id);
    }
    std::vector<std::vector<NodeId>> out;
    for (auto& [unused, of] : calls) out.push_back(std::move(of));
    std::sort(out.begin(), out.end());
    return out;
}

std::vector<NodeId> callsOf(const Graph& graph, NodeId layer)
{
    const Kernel kernel = kernelOf(graph.at(layer));
    if (kernel.tensor.empty()) return {layer};
    std::vector<NodeId> out;
    for (const auto& node : graph.nodes())
        if (kernelOf(*node) == kernel) out.push_back(node->id);
    return out;
}

void setInCalls(Graph& graph, NodeId call, const std::string& attribute, const AttrValue& value)
{
    const auto valueOf = [&](NodeId id) -> const AttrValue* {
        const Node& node = graph.at(id);
        if (const AttrValue* own = node.attrs.find(attribute)) return own;
        const AttrDef* def = opFor(node.kind).attr(attribute);
        return def ? &def->fallback : nullptr;
    };
    const AttrValue* old = valueOf(call);
    std::vector<NodeId> same;
    for (const NodeId id : callsOf(graph, call))
        if (const AttrValue* own = valueOf(id); id == call || (own && old && *own == *old)) same.push_back(id);
    for (const NodeId id : same) graph.update(id, [&](Node& node) { setChosen(node, attribute, value); });
}

}  // namespace fovea
