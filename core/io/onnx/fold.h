// Evaluates the arithmetic on sizes that exporters leave in a graph, so that it disappears from the network.
#pragma once

#include "core/ops/onnx_form.h"

#include <optional>

namespace fovea {

// The constant that a node with constant inputs gives; nullopt where it is not one that exporters use on
// sizes and small constants, or where its result would have more than 65,536 elements. `sizes` receives, per
// element, how it follows from sizes of maps; it stays empty where it does not.
std::optional<Tensor> foldConstant(const OnnxCall& call, std::vector<SizeExpr>& sizes);

}  // namespace fovea
