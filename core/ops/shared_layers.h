// Layers that are called several times: each call reads the same kernel.
#pragma once

#include "core/graph/graph.h"

#include <vector>

namespace fovea {

// Layers of one kind that are bound to the same kernel tensor are one layer called several times (siamese towers,
// heads shared by several maps). The calls of each such layer, at least two, in ascending id.
std::vector<std::vector<NodeId>> sharedLayers(const Graph& graph);

// The calls of the layer that `layer` is a call of, itself among them.
std::vector<NodeId> callsOf(const Graph& graph, NodeId layer);

// Sets an attribute of a layer, in all of its calls that had the value that this one had.
void setInCalls(Graph& graph, NodeId call, const std::string& attribute, const AttrValue& value);

}  // namespace fovea
