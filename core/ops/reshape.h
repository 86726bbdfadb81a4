#pragma once

#include "core/graph/shape.h"
#include "core/graph/attributes.h"

#include <span>

namespace fovea {

// The "shape" attribute of a Reshape that views `in` as `out` and follows its input at other sizes.
Ints alignReshape(const Value& in, std::span<const std::int64_t> out);

}  // namespace fovea
