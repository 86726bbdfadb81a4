// How a graph becomes a tree of modules. Private to this room.
#pragma once

#include "core/ops/registry.h"
#include "core/weights/owned_params.h"

#include <map>
#include <string>
#include <vector>

namespace fovea {

// A member of a module: another one, or a tensor.
struct TorchMember {
    std::string name;
    std::string constructor;  // Python that makes a torch.nn module or a tensor; empty: a group of the members below
    bool isTensor = false, trainable = false;
    std::vector<std::size_t> members;  // places in TorchLayout::tree, in order of first use
};

struct TorchLayer {
    const Prepared::Entry* entry;
    TorchCall call;
    std::vector<Value> in, out;
    std::map<std::string, std::string> keys;  // by role, of the tensors that the call takes
    std::map<std::string, Ints> dims;         // of the same
    bool frozen = false;                      // computes as in evaluation, always
    std::string module;                       // path of the torch.nn module that does it all; empty: none
};

struct TorchLayout {
    Prepared prepared;
    std::vector<Value> values;
    std::vector<TorchLayer> layers;  // one for each entry of `prepared`
    std::vector<OwnedParam> owned;
    std::map<std::string, std::string> keys;  // by tensor
    std::vector<std::string> counters;        // "bn1.num_batches_tracked"
    std::vector<TorchMember> tree;            // the first is the network itself
};

// Error(Usage) that names the layers without a PyTorch form, inputs that are not connected, or tensors whose size
// does not follow from the network. The graph has to outlive what comes back.
TorchLayout layOutTorch(const Graph& graph);

}  // namespace fovea
