// The image that a network reads, before anything is known of its shapes.
#pragma once

#include "core/graph/graph.h"

namespace fovea {

// The first input of rank 4, [n, c, h, w]; null: there is none.
const Node* firstImage(const Graph& graph);

}  // namespace fovea
