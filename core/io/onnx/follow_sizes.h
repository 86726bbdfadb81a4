#pragma once

#include "core/io/onnx/draft.h"

namespace fovea {

// Sizes that a file states as numbers although they belong to its own height or width: each becomes what it follows, by
// the first rule that fits.
//  1. Features that a weight reads are constant.
//  2. Sizes of height or width that a later Add, Mul or Concat needs follow the map that they meet there.
//  4. A dimension of a Reshape follows the dimensions of its input whose elements it holds, in row-major order; of a
//     dimension of the image cut in two the second part is constant (blocks), or the one that makes a number standing
//     beside a -1 in a later Reshape.
// On an axis whose size the file leaves open (`height`, `width` false) every number stands as it is.
struct FixedSides {
    bool height = true, width = true;
};
void followSizes(Draft& draft, const FixedSides& fixed);

}  // namespace fovea
