// Networks made cheap for the gradient's support: fields depend on kernels, strides and wiring, not on channels.
#pragma once

#include "core/graph/graph.h"

namespace fovea::test {

// The same layers with some 11 to 128 times fewer channels, at the image side height x width. Channel counts that
// were equal stay equal; groups become what divides the new counts. A linear head behind a flatten may no longer
// fit. Where channels cannot be reduced without breaking a sum, they stay as they are.
Graph thinned(const Graph& graph, std::int64_t height, std::int64_t width);

}  // namespace fovea::test
