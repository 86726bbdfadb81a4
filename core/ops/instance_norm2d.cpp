#include "core/ops/norms.h"

namespace fovea {

const OpDef& instanceNorm2dOp()
{
    static const OpDef def{
        .kind = "InstanceNorm2d",
        .opClass = OpClass::Normalization,
        .memory = keepsInputs,
        .doc = "Normalises each channel of each image by its own statistics.",
        .attrs = {epsAttr()},
        .params = [](const NodeView& view) { return affine({normalisedChannels(view)}); },
        .torch = {TorchOp::InstanceNorm2d, {"eps"}, {"weight", "bias"}},
        .onnx = {.types = {"InstanceNormalization"},
                 .read =
                     [](OnnxCall& call) {
                         call.node.attrs.set("eps", call.getReal("epsilon", 1e-5));
                         return call.has(2) && call.bind("weight", 1) && call.bind("bias", 2);
                     },
                 .write =
                     [](OnnxWriter& writer) {
                         writer.finish("InstanceNormalization", {writer.input(), writer.tensor("weight"), writer.tensor("bias")},
                                       {{"epsilon", writer.node().attrs.getDouble("eps", 1e-5)}});
                     }},
    };
    return def;
}

}  // namespace fovea
