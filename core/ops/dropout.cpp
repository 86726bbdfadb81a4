#include "core/ops/common.h"

namespace fovea {

const OpDef& dropoutOp()
{
    static const OpDef def{
        .kind = "Dropout",
        .opClass = OpClass::Regularization,
        .memory = [](const NodeView&) { return Memory{.bytes = 1}; },
        .doc = "Sets random elements to zero while training; passes its input on afterwards.",
        .attrs = {{.name = "p", .type = AttrType::Real, .fallback = 0.5, .doc = "Share of elements dropped", .max = 1}},
        .torch = {TorchOp::Dropout, {"p"}},
        .onnx = {.types = {"Dropout"},
                 .read =
                     [](OnnxCall& call) {
                         if (call.outputCount > 1) return false;
                         const Tensor* ratio = call.constant(1);
                         call.node.attrs.set("p", ratio ? ratio->real(0) : call.getReal("ratio", 0.5));
                         return true;
                     },
                 .write =
                     [](OnnxWriter& writer) {
                         const double p = writer.node().attrs.getDouble("p", 0.5);
                         if (writer.opset() >= 12) writer.finish("Dropout", {writer.input(), writer.real(p)});
                         else writer.finish("Dropout", {writer.input()}, {{"ratio", p}});
                     }},
    };
    return def;
}

}  // namespace fovea
