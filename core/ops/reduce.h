#pragma once

#include "core/ops/op_def.h"

#include <vector>

namespace fovea {

// Mean, Sum, Amax, Amin, Norm.
const std::vector<OpDef>& reduceOps();

}  // namespace fovea
