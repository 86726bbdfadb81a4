// Which layers a recipe leaves as they are.
#pragma once

#include "core/graph/graph.h"

#include <set>
#include <string>
#include <vector>

namespace fovea {

// The names that frozenLayers() takes, each once, in the network's order: a group ("layer1", "layer1.0") before the layers
// that stand in it.
std::vector<std::string> layerAndGroupNames(const Graph& graph);

// The layer, or all layers of the group, and everything before them; none where `name` is empty. Error(Usage) where
// there is neither, with the name that may have been meant.
std::set<NodeId> frozenLayers(const Graph& graph, const std::string& name);

}  // namespace fovea
