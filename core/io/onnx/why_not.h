// What could not be read of a node, in words.
#pragma once

#include "core/ops/onnx_form.h"

#include <string>

namespace fovea {

// A clause behind the layer's name, where no reader of the node said one: "its weight is computed by Div, which is not
// followed".
std::string whyNot(const OnnxCall& call);

}  // namespace fovea
