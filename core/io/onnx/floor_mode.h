// Poolings in ceil mode whose size programs do not agree about.
#pragma once

#include "core/ops/op_def.h"

#include <optional>

namespace fovea {

// A pooling in ceil mode leaves out a last window that would start in the end padding: so do PyTorch and the kernels of
// ONNX Runtime, but not ONNX's formula, by which ONNX Runtime infers shapes. Where that makes a difference, the same
// pooling of these sizes without ceil mode; nullopt: there is none, or none is needed.
std::optional<Node> inFloorMode(const NodeView& view);

}  // namespace fovea
