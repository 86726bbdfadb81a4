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

// Reads kernel_shape, strides, pads, dilations and auto_pad into the attributes of a window over `axes` dimensions;
// false where the node has another number of them.
bool readWindow(OnnxCall& call, const Ints& kernel, std::size_t axes = 2);
// The same attributes on their way out. Settings that only hold for one size: see settled().
OnnxAttrs windowAttrs(const Node& node, bool withDilation = true);
// SAME padding that ONNX Runtime takes as numbers only: of a dilated window, and of a pooling that skips units.
bool needsNumbers(const NodeView& view);
// The layer as ONNX can say it at the present size: a pooling that is global along one axis has its map's side as
// kernel there, and SAME padding is numbers where it has to be.
Node settled(const NodeView& view);

// Applies windows to the dimensions behind the second: their sizes, or unknown ones and one finding. `channels` is
// the size of the second.
Value slide(InferContext& context, const DimWindows& windows, std::int64_t channels);

// The layout as a window layer over `count` dimensions takes it: a map of rank 4 that has lost track of its axes is
// NxCxHxW again.
Layout windowLayout(const Value& value, int count);

// Attribute tables that several kinds share.
AttrDef kernelAttr(const char* doc = "Height and width of the window");
AttrDef strideAttr();
AttrDef paddingAttr();
AttrDef dilationAttr();
AttrDef autoPadAttr();
// How tensors that have no values start, set where a layer is put into a network that is trained already: as
// PyTorch does, as the identity, or at zero (a branch that adds nothing yet).
AttrDef initAttr();

// OpDef::reads of convolutions: the dimension behind the batch.
std::vector<int> readsChannels(const NodeView& view);
// Of kinds whose result ONNX gives in a type of its own (true and false, whole numbers): a file has it so, while a map
// of Fovea's own is of reals.
AttrDef nativeTypeAttr();

// Elements along each axis of a map, 1 where the layout has no such axis; nullopt where unknown.
std::optional<std::int64_t> positions(const Value& value);

// Elements of one image of the batch, frames and windows that are folded into it included; nullopt where unknown.
std::optional<std::int64_t> elementsPerImage(const Value& value);

// a * b * ..., nullopt where one is unknown.
std::optional<std::int64_t> product(std::initializer_list<std::int64_t> factors);

// Normalises a negative axis; -1 where it is out of range.
int normalAxis(std::int64_t axis, int rank);

}  // namespace fovea
