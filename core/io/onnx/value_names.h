// How the values of a network are called in the ONNX file that is written.
#pragma once

#include "core/io/onnx/onnx.h"
#include "core/io/onnx/proto.h"
#include "core/ops/registry.h"

#include <set>
#include <string>
#include <vector>

namespace fovea {

struct ValueNames {
    std::vector<std::vector<std::string>> names;  // per entry and output
    std::set<std::string> taken;                  // by them, by tensors and by what the file had
};

// The file's own names where it had them. An output of the network keeps its name, whoever makes it now.
// `skeleton`: the file's, with the outputs it had.
ValueNames nameValues(const Model& model, const Prepared& graph, const onnx::ModelProto& skeleton);

}  // namespace fovea
