// Between core tensors and LibTorch's. Private to this room.
#pragma once

#include "core/graph/tensor.h"

#include <ATen/ATen.h>

#include <string>

namespace fovea {

// A copy in `type` on `device`; integer types keep theirs. Error(Usage) for a type that LibTorch lacks.
at::Tensor toTorch(const Tensor& tensor, at::ScalarType type, const at::Device& device, const std::string& name);
// A copy as F32, F64 or I64.
Tensor fromTorch(const at::Tensor& tensor);

}  // namespace fovea
