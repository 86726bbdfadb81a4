#include "core/ops/common.h"

namespace fovea {

// A tensor of the file that enters the network beside the image. It carries no receptive field.
const OpDef& constantOp()
{
    static const OpDef def{
        .kind = "Constant",
        .opClass = OpClass::Shape,
        .doc = "A fixed tensor.",
        .attrs = {{.name = "shape", .type = AttrType::IntList, .fallback = Ints{}, .doc = "Its shape", .shown = false},
                  {.name = "learned", .type = AttrType::Bool, .fallback = false, .doc = "It is a parameter", .shown = false}},
        .minInputs = 0,
        .maxInputs = 0,
        .infer =
            [](InferContext& context) {
                const Ints* dims = context.node().attrs.getInts("shape");
                if (dims) context.out().shape = Shape(std::span(*dims));
            },
        .params =
            [](const NodeView& view) {
                const Ints* dims = view.node.attrs.getInts("shape");
                return std::vector<ParamSpec>{{.role = "value", .dims = dims ? *dims : Ints{}, .trainable = view.node.attrs.getBool("learned", false), .init = Init::Zeros}};
            },
        .torch = {TorchOp::Constant, {}, {"value"}},
        .onnx = {.write = [](OnnxWriter& writer) { writer.finish("Identity", {writer.tensor("value")}); }},
    };
    return def;
}

}  // namespace fovea
