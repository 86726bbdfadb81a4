// A tensor of a layer that the file computes from tensors which it stores: from which, for counting parameters.
#pragma once

#include "core/graph/graph.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fovea {

// The binding that names source number `index` of the tensor of `role`, and the attribute with the number of elements
// of the tensor itself and of each source.
std::string sourceRole(std::string_view role, std::size_t index);
std::string sourcesAttr(std::string_view role);

// Name and number of elements of each source of the tensor of `role`; empty where it is not computed, or where the
// layer needs another number of elements now than the file computes. The names live as long as the node.
std::vector<std::pair<std::string_view, std::int64_t>> sourcesOf(const Node& node, std::string_view role, std::int64_t elements);

}  // namespace fovea
