// A network as PyTorch source: one file with an nn.Module, a reader of safetensors, and nothing of Fovea.
#pragma once

#include "core/graph/graph.h"
#include "core/weights/weights.h"

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace fovea {

// What a network that learns needs on top.
struct LearningForm {
    std::optional<Port> logits;  // a method logits() that computes this value alone
    std::set<NodeId> frozen;     // dropout that never drops, norms that never take a batch's statistics
};

// Error(Usage) that names the layers without a PyTorch form, or what else keeps the network from being run.
std::string pytorchSource(const Graph& graph, const LearningForm& learning = {});

// PATH.py and, beside it, PATH.safetensors with its state_dict (keys.h). Returns the tensors that had no values and
// were made as PyTorch does.
std::vector<std::string> writePytorch(const Graph& graph, const Weights& weights, const std::filesystem::path& path,
                                      const LearningForm& learning = {});

}  // namespace fovea
