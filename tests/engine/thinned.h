// Networks made cheap for the gradient's support: fields depend on kernels, strides and wiring, not on channels.
#pragma once

#include "core/graph/graph.h"

namespace fovea::test {

// The same layers with about `divisor` times fewer channels, at the image side height x width. Channel counts that
// were equal stay equal; groups become what divides the new counts. Layers behind a flatten may no longer fit.
Graph thinned(const Graph& graph, std::int64_t divisor, std::int64_t height, std::int64_t width);

}  // namespace fovea::test
