// A network as PyTorch source: one file with an nn.Module, a reader of safetensors, and nothing of Fovea.
#pragma once

#include "core/graph/graph.h"
#include "core/weights/weights.h"

#include <filesystem>
#include <string>
#include <vector>

namespace fovea {

// Error(Usage) that names the layers without a PyTorch form, or what else keeps the network from being run.
std::string pytorchSource(const Graph& graph);

// PATH.py and, beside it, PATH.safetensors with its state_dict (keys.h). Returns the tensors that had no values and
// were made as PyTorch does.
std::vector<std::string> writePytorch(const Graph& graph, const Weights& weights, const std::filesystem::path& path);

}  // namespace fovea
