// Networks to measure on.
#pragma once

#include "core/graph/graph.h"

#include <cstdint>

namespace fovea::bench {

// A chain of `layers` layers behind its input: Conv2d 3x3, BatchNorm2d, ReLU, again and again, with a
// skip over every third triple (Add in place of its ReLU), at 3x224x224.
Graph chain(std::int64_t layers);

}  // namespace fovea::bench
