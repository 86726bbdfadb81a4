#pragma once

#include "core/ops/op_def.h"

#include <vector>

namespace fovea {

// Add, Mul, Sub, Div, Pow, Maximum, Minimum.
const std::vector<OpDef>& elementwiseOps();

}  // namespace fovea
