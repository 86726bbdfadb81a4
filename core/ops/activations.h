#pragma once

#include "core/ops/op_def.h"

#include <vector>

namespace fovea {

// The activations and element-wise functions that one ONNX node expresses.
const std::vector<OpDef>& activationOps();

}  // namespace fovea
