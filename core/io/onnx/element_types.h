// Element types of the values of a network, which matter to what is written beside them only.
#pragma once

#include "core/io/onnx/onnx.h"
#include "core/io/onnx/proto.h"
#include "core/ops/registry.h"

#include <vector>

namespace fovea {

// Per value of `graph`. What the file states (`skeleton`: its inputs, outputs and value_info) goes before what follows
// from tensors and inputs; Float32 where nothing says.
std::vector<DType> elementTypes(const Model& model, const Prepared& graph, const onnx::ModelProto& skeleton,
                                std::int64_t opset);

}  // namespace fovea
