// Layers that a file spells with another operator than their kind's own: a quantised or fused convolution, a sum of
// quantised maps. They are the kind that they compute, and keep which operator it was and with which operands, so that
// they are written with it again.
#pragma once

#include "core/ops/onnx_form.h"
#include "core/ops/op_def.h"

#include <span>
#include <string_view>

namespace fovea {

struct OtherClothes {
    const char* kind;
    bool (*read)(OnnxCall&);
};
// Kinds that a type of this name may stand for, in the order in which they are tried; as opsForOnnx() names types.
std::span<const OtherClothes> clothesFor(std::string_view type);

// For `read`: what is neither a data input nor bound to a role yet is bound, the operator's settings are kept.
// `type` as the writer takes it. Operands that are no constants become further inputs.
// `quantised`: none of these is a parameter. Else those are that hold reals and are initializers, and those of `tables`
// (matrices, biases), which some files hold as Constant nodes.
void keepClothes(OnnxCall& call, const std::string& type, bool quantised,
                 std::initializer_list<std::size_t> tables = {});

// OpDef::params of such operands. A layer says of each which shape its parameter has.
std::vector<ParamSpec> learnedOperands(const NodeView& view);
void setLearned(Node& node, const std::string& role, const Ints& dims);

bool wearsClothes(const Node& node);

// OnnxForm::write of such a layer, and of kinds that only an operator of their own can say.
void writeInClothes(OnnxWriter& writer);

// It computes with whole numbers and scales: its tensors cannot be trained or fitted to another shape.
bool isQuantised(const Node& node);

}  // namespace fovea
