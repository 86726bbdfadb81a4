// Small pieces that several layer kinds share.
#pragma once

#include "core/ops/onnx_form.h"
#include "core/ops/op_def.h"

#include <string>

namespace fovea {

// An output of known rank and layout with every size unknown: what a layer that does not fit leaves behind.
Value unknownLike(const Value& value);

// Channels as a convolution or pooling reads them: the second dimension of an image, whatever a reshape
// before it made of the layout.
std::int64_t imageChannels(const Value& value);

// NumPy broadcasting of two values; false where a dimension differs and neither is 1 (then it is unknown).
bool broadcast(const Value& a, const Value& b, Value& out);

// Reads kernel_shape, strides, pads, dilations, auto_pad (needs the input's size at import for SAME_*) and
// ceil_mode into the attributes of a two-dimensional window; false where the node is not two-dimensional.
bool readWindow(OnnxCall& call, const Ints& kernel);
// The same attributes on their way out.
OnnxAttrs windowAttrs(const Node& node, bool withDilation = true);

// Applies a window reach to a value of layout NCHW: spatial sizes, or unknown ones and one finding.
Value slide(InferContext& context, const Reach& reach, std::int64_t channels);

// Attribute tables that several kinds share.
AttrDef kernelAttr(const char* doc = "Height and width of the window");
AttrDef strideAttr();
AttrDef paddingAttr();
AttrDef dilationAttr();
// How tensors that have no values start, set where a layer is put into a network that is trained already: as
// PyTorch does, as the identity, or at zero (a branch that adds nothing yet).
AttrDef initAttr();

// OpDef::reads of convolutions: the dimension behind the batch.
std::vector<int> readsChannels(const NodeView& view);

// Elements along each axis of a map, 1 where the layout has no such axis; nullopt where unknown.
std::optional<std::int64_t> positions(const Value& value);

// Elements of one image of the batch, frames and windows that are folded into it included; nullopt where unknown.
std::optional<std::int64_t> elementsPerImage(const Value& value);

// a * b * ..., nullopt where one is unknown.
std::optional<std::int64_t> product(std::initializer_list<std::int64_t> factors);

// Normalises a negative axis; -1 where it is out of range.
int normalAxis(std::int64_t axis, int rank);

}  // namespace fovea
