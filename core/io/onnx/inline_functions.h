// Functions that a model defines itself (IR version 8 on): a node that calls one is so many nodes of its body.
#pragma once

#include "core/io/onnx/proto.h"

#include <optional>

namespace fovea {

// The model with every call of its own functions, outside of control flow, replaced by the function's body; nullopt
// where there is none. Error(Limit) where that makes too many nodes, Error(Format) for a function that calls itself.
std::optional<onnx::ModelProto> withFunctionsInlined(const onnx::ModelProto& model);

}  // namespace fovea
