#pragma once

#include "core/io/onnx/proto.h"

#include <string>
#include <vector>

namespace fovea {

// The graph's nodes in an order in which each stands behind what it reads: the file's where that is one.
// Error(Format) for a cycle, a value that two nodes make, or one that nobody makes.
std::vector<const onnx::NodeProto*> executionOrder(const onnx::GraphProto& graph);

// Names that a node's subgraphs read from the graph around them.
std::vector<std::string> outerReads(const onnx::NodeProto& node);

}  // namespace fovea
