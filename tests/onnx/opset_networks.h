// Networks for each way in which a layer kind is written as ONNX: beside those of tests/support/kind_networks.h, what
// opsets say differently.
#pragma once

#include "core/graph/graph.h"
#include "core/ops/op_def.h"

#include <string>
#include <vector>

namespace fovea::test {

struct OpsetNetwork {
    std::string name;  // KIND_NUMBER
    Graph graph;       // every output of its last layers is one of the network
};
// None for a kind that nothing here instantiates.
std::vector<OpsetNetwork> opsetNetworksOf(const OpDef& op);

}  // namespace fovea::test
