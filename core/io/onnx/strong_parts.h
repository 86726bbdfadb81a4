// The strongly connected parts of a graph: Tarjan, "Depth-First Search and Linear Graph Algorithms", SIAM Journal on
// Computing 1(2), 1972. Without recursion, so that chains of any length do.
#pragma once

#include "core/io/onnx/links.h"

namespace fovea {

// Those of at least two nodes: two are in the same one where each can be reached from the other.
std::vector<std::vector<std::size_t>> strongParts(const Links& successors);

}  // namespace fovea
