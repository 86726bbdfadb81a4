#include "core/ops/tensor_sources.h"

namespace fovea {

std::string sourceRole(std::string_view role, std::size_t index) { return std::string(role) + ".source" + std::to_string(index); }

std::string sourcesAttr(std::string_view role) { return std::string(role) + "_sources"; }

std::vector<std::pair<std::string_view, std::int64_t>> sourcesOf(const Node& node, std::string_view role, std::int64_t elements)
{
    const Ints* counts = node.tensors.size() > 1 ? node.attrs.getInts(sourcesAttr(role)) : nullptr;
    if (!counts || counts->empty() || counts->front() != elements) return {};
    std::vector<std::pair<std::string_view, std::int64_t>> out;
    for (std::size_t i = 0; i + 1 < counts->size(); ++i) {
        const TensorBinding* binding = node.tensor(sourceRole(role, i));
        if (!binding) return {};
        out.emplace_back(binding->tensor, (*counts)[i + 1]);
    }
    return out;
}

}  // namespace fovea
