// The tensors that the layers of a graph own under their current settings, with shapes from inference.
#pragma once

#include "core/graph/graph.h"
#include "core/ops/op_def.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace fovea {

struct OwnedParam {
    const Node* layer;  // in the graph that was asked; a shared tensor is listed at its first user
    ParamSpec spec;
    std::string tensor;
    bool known;  // every dimension is known
};

// A new layer that changes nothing yet: it starts as the identity or at zero.
inline bool isNeutral(const Node& layer) { return layer.attrs.getText("init", "default") != "default"; }

// Every layer of the graph with its shapes, in execution order.
void eachLayer(const Graph& graph, const std::function<void(const NodeView&)>& visit);

bool isKnown(const Ints& dims);
// Without dimensions of one unit: exporters write a slope per channel as [64, 1, 1] where a layer owns [64].
Ints squeezed(const Ints& dims);

// In execution order. The pointers live as long as the graph.
std::vector<OwnedParam> ownedParams(const Graph& graph);

// Product of the dims; Error(Limit) where one is negative or the product is beyond any real layer.
std::int64_t boundedElements(const Ints& dims, const std::string& name);

}  // namespace fovea
