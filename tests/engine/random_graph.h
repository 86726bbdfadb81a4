// Random networks for the gradient's support: windows of every shape, resamplings, crops, pads, and branches that
// meet again with the same shape.
#pragma once

#include "core/graph/graph.h"

#include <cstdint>

namespace fovea::test {

// A network of some 6 to 20 layers on an image of about 40x30; the same for the same seed everywhere.
Graph randomGraph(std::uint64_t seed);

}  // namespace fovea::test
