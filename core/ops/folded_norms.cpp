#include "core/ops/folded_norms.h"

#include "core/ops/tensor_sources.h"

#include <algorithm>

namespace fovea {

namespace {

bool isModuleName(const std::string& tensor) { return tensor.ends_with(".weight"); }

}  // namespace

std::vector<NodeId> foldedConvolutions(const Graph& graph)
{
    const auto readers = consumers(graph);
    std::vector<NodeId> out;
    for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
        const Node& node = *graph.nodes()[i];
        if (node.kind != "Conv2d" || !node.attrs.getBool("bias", true)) continue;
        const TensorBinding* weight = node.tensor("weight");
        // What the file computes is no kernel that a norm was folded into.
        if (!weight || isModuleName(weight->tensor) || node.tensor(sourceRole("weight", 0))) continue;
        const bool normed = std::any_of(readers[i].begin(), readers[i].end(),
                                        [&](NodeId id) { return graph.at(id).kind == "BatchNorm2d"; });
        if (!normed) out.push_back(node.id);
    }
    return out;
}

}  // namespace fovea
