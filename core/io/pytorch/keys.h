// Names of tensors in PyTorch: the keys of a module's state_dict. A key is the tensor's own name where that is a path
// of modules ("layer1.0.conv1.weight"), else it follows from the layer ("onnx::Conv_193" of layer
// "/layer1/layer1.0/conv1/Conv" becomes "layer1.0.conv1.weight"). A graph alone decides, so whoever has it maps back.
#pragma once

#include "core/graph/graph.h"
#include "core/weights/weights.h"

#include <map>
#include <string>
#include <vector>

namespace fovea {

// Tensor name -> key, of every tensor that the graph's layers own.
std::map<std::string, std::string> pytorchKeys(const Graph& graph);

// The state_dict of the module that pytorchSource() writes: every tensor under its key, made as PyTorch does where
// `weights` has none (their names go to `fresh`), and the counters of batches that norms have there.
Weights stateDict(const Graph& graph, const Weights& weights, std::vector<std::string>* fresh = nullptr);

// The opposite: the graph's tensors from a state_dict; keys that nobody asks for are left out, and a tensor may also
// stand under its own name. Error(Format) that names what is missing or has another shape.
Weights weightsFromStateDict(const Graph& graph, const Weights& state);

}  // namespace fovea
