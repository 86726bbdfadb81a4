// Batch norms that an exporter folded away.
#pragma once

#include "core/graph/graph.h"

#include <vector>

namespace fovea {

// Convolutions whose norm an exporter folded into their kernel and bias: with a bias and no norm behind, under a tensor
// name that is the exporter's own ("onnx::Conv_193") instead of a module's ("conv1.weight").
std::vector<NodeId> foldedConvolutions(const Graph& graph);

}  // namespace fovea
