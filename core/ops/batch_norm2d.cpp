#include "core/ops/norms.h"

namespace fovea {

const OpDef& batchNorm2dOp()
{
    static const OpDef def{
        .kind = "BatchNorm2d",
        .opClass = OpClass::Normalization,
        .memory = keepsInputs,
        .doc = "Normalises each channel by the statistics of the training set.",
        .attrs = {epsAttr(), {.name = "momentum", .type = AttrType::Real, .fallback = 0.1, .doc = "Share of the new batch in the running statistics"}, initAttr()},
        .params =
            [](const NodeView& view) {
                const std::int64_t channels = normalisedChannels(view);
                std::vector<ParamSpec> specs = affine({channels});
                specs.push_back({.role = "running_mean", .dims = {channels}, .trainable = false, .init = Init::Zeros});
                specs.push_back({.role = "running_var", .dims = {channels}, .trainable = false, .init = Init::Ones});
                return specs;
            },
        .torch = {TorchOp::BatchNorm2d, {"eps", "momentum"}, {"weight", "bias", "running_mean", "running_var"}},
        .onnx = {.types = {"BatchNormalization"},
                 .read =
                     [](OnnxCall& call) {
                         call.node.attrs.set("eps", call.getReal("epsilon", 1e-5));
                         call.node.attrs.set("momentum", 1.0 - call.getReal("momentum", 0.9));
                         return call.has(4) && call.bind("weight", 1) && call.bind("bias", 2) && call.bind("running_mean", 3) &&
                                call.bind("running_var", 4);
                     },
                 .write =
                     [](OnnxWriter& writer) {
                         writer.finish("BatchNormalization",
                                       {writer.input(), writer.tensor("weight"), writer.tensor("bias"), writer.tensor("running_mean"),
                                        writer.tensor("running_var")},
                                       {{"epsilon", writer.node().attrs.getDouble("eps", 1e-5)},
                                        {"momentum", 1.0 - writer.node().attrs.getDouble("momentum", 0.1)}});
                     }},
    };
    return def;
}

}  // namespace fovea
