// What a layer reads of one of its inputs, unit by unit of the two maps' grids (dimensions.h).
#pragma once

#include "core/ops/op_def.h"

namespace fovea {

// Along one axis: first the parts of the axis that lie in other dimensions and are read together, then the layer's rule.
struct GridReach {
    AxisReach parts, own;
};

struct GridReaches {
    GridReach h, w;
};

// For output `output` of input `input`. `reach` is the layer's own, in units of the dimension that carries each axis.
GridReaches gridReaches(const OpDef& op, const NodeView& view, const Reach& reach, std::size_t input = 0, std::size_t output = 0);

// Makes the dimensions of an output that a layer has inferred from a folded map fit its shape: what a sliding window leaves
// as it is stays folded, and a dimension of another size is of the axis that it was of.
void refold(const OpDef& op, const NodeView& view, Value& out);

// The dimension that a Concat joins or a Split cuts; -1 for other layers, and where tokens are joined to the positions of
// one map, whose rows and columns stay as they are.
int partedDimension(const OpDef& op, const NodeView& view);

}  // namespace fovea
