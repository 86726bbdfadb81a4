#pragma once

#include "core/ops/op_def.h"

namespace fovea {

// Whether weight decay pulls at a tensor of such a layer: at kernels, but not at norms, biases and what else has one value
// a channel, in whatever shape an import has it ([1, C, 1, 1]).
bool isDecayed(OpClass opClass, const Ints& dims);

}  // namespace fovea
