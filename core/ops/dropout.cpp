#include "core/ops/common.h"

namespace fovea {

const OpDef& dropoutOp()
{
    static const OpDef def{
        .kind = "Dropout",
        .opClass = OpClass::Regularization,
        .memory = [](const NodeView&) { return Memory{.bytes = 1}; },
        .doc = "Sets random elements to zero while training; passes its input on afterwards.",
        .attrs = {{.name = "p", .type = AttrType::Real, .fallback = 0.5, .doc = "Share of elements dropped", .max = 1},
                  {.name = "mask", .type = AttrType::Bool, .fallback = false, .doc = "A second output says which elements were kept: all, but while training", .shown = false}},
        .outputs = [](const Node& node) { return node.attrs.getBool("mask", false) ? 2 : 1; },
        .infer =
            [](InferContext& context) {
                for (std::size_t i = 0; i < context.outCount(); ++i) context.out(i) = context.in(0);
            },
        .torch = {TorchOp::Dropout, {"p", "mask"}},
        .onnx = {.types = {"Dropout"},
                 .read =
                     [](OnnxCall& call) {
                         if (call.outputCount > 1) call.node.attrs.set("mask", true);
                         const Tensor* ratio = call.constant(1);
                         call.node.attrs.set("p", ratio ? ratio->real(0) : call.getReal("ratio", 0.5));
                         return true;
                     },
                 .write =
                     [](OnnxWriter& writer) {
                         const double p = writer.node().attrs.getDouble("p", 0.5);
                         std::vector<std::string> outputs{writer.output(0)};
                         if (writer.node().attrs.getBool("mask", false)) {
                             writer.needOpset(12, "the mask of a Dropout, where nothing is dropped,");
                             outputs.push_back(writer.output(1));
                         }
                         if (writer.opset() >= 12) writer.emit("Dropout", {writer.input(), writer.real(p)}, {}, outputs);
                         else writer.emit("Dropout", {writer.input()}, {{"ratio", p}}, outputs);
                     }},
    };
    return def;
}

}  // namespace fovea
