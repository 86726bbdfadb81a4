// The network while it is being imported.
#pragma once

#include "core/base/files.h"
#include "core/io/onnx/names.h"
#include "core/io/onnx/onnx.h"
#include "core/io/onnx/proto.h"
#include "core/ops/onnx_form.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace fovea {

// One layer under import. Its id is its position in Draft::layers plus one.
struct DraftLayer {
    Node node;
    std::vector<std::size_t> fileNodes;   // positions in the file's node list, ascending
    std::vector<std::string> inputNames;  // the value name behind each of node.inputs
    std::vector<std::string> outputNames;
    std::vector<Value> in, out;
    bool sizesBaked = false;
    bool absorbed = false;  // went into another layer
    bool raw = false;       // nothing but point-by-point arithmetic lies between the image and it
    bool setting = false;   // a number of a quantisation, not a map
    std::vector<Issue> notes;
};

struct Draft {
    std::vector<DraftLayer> layers;
    std::vector<const onnx::NodeProto*> fileNodes;  // in execution order
    std::map<std::string, Tensor> tensors;          // every tensor that a layer may bind
    std::vector<GraphOutput> outputs;

    DraftLayer& layer(NodeId id) { return layers[static_cast<std::size_t>(id - 1)]; }
    const DraftLayer& layer(NodeId id) const { return layers[static_cast<std::size_t>(id - 1)]; }
};

// Replaces groups of layers by the one that the user built, wherever a layer kind recognises itself.
void fusePatterns(Draft& draft);

// The tag that all nodes of the layer share (core/io/onnx/names.h).
std::optional<LayerTag> tagOf(const Draft& draft, const DraftLayer& layer);

// Gives each of the layers, which are those of the draft that are left, its group: as Fovea wrote it, else where the
// names of its nodes or its weight say that it stands (core/io/onnx/groups.h).
void setGroups(const Draft& draft, const std::vector<DraftLayer*>& layers);

// The finished network: ids, unique names, groups, notes, and what is needed to write it back.
Model finishImport(Draft& draft, onnx::ModelProto& proto, const MappedFile& file, const std::vector<std::string>& initializers, std::vector<Issue> notes);

}  // namespace fovea
