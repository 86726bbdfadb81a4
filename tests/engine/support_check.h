// Holds predicted fields of units against gradients of the network in RunMode::Support.
#pragma once

#include "core/graph/graph.h"
#include "core/train/module.h"

#include <string>
#include <vector>

namespace fovea::test {

// Corners, middle and edges of a layer's map; fewer where they coincide. Empty where the size is unknown.
std::vector<UnitOf> someUnits(const Graph& graph, const std::string& layer, std::size_t atMost = 5);

// Adds a failure that names `what`, layer and unit where the gradient is not positive on exactly the predicted
// pixels. Returns how many units were compared. Layers without a path from the image are compared too: nothing.
int expectExactSupport(const Graph& graph, const std::vector<UnitOf>& units, const std::string& what);

// Every layer of the graph, as many units each.
int expectExactSupportEverywhere(const Graph& graph, const std::string& what, std::size_t unitsPerLayer = 5);

}  // namespace fovea::test
