#include "core/ops/common.h"

namespace fovea {

const OpDef& preluOp()
{
    static const OpDef def{
        .kind = "PReLU",
        .opClass = OpClass::Activation,
        .memory = keepsInputs,
        .doc = "x where positive, a learned fraction of x where negative.",
        .attrs = {{.name = "weight_shape", .type = AttrType::IntList, .fallback = Ints{1}, .doc = "Shape of the learned slopes", .shown = false}},
        .params =
            [](const NodeView& view) {
                const Ints* dims = view.node.attrs.getInts("weight_shape");
                return std::vector<ParamSpec>{{.role = "weight", .dims = dims ? *dims : Ints{1}, .init = Init::Constant, .value = 0.25}};
            },
        .torch = {TorchOp::PReLU, {}, {"weight"}},
        .onnx = {.types = {"PRelu"},
                 .read =
                     [](OnnxCall& call) {
                         const Tensor* slope = call.constant(1);
                         if (!slope) return false;
                         call.node.attrs.set("weight_shape", Ints(slope->dims));
                         return call.bind("weight", 1);
                     },
                 .write = [](OnnxWriter& writer) { writer.finish("PRelu", {writer.input(), writer.tensor("weight")}); }},
    };
    return def;
}

}  // namespace fovea
