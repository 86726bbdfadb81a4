#include "core/ops/common.h"

namespace fovea {

const OpDef& localResponseNormOp()
{
    static const OpDef def{
        .kind = "LocalResponseNorm",
        .opClass = OpClass::Normalization,
        .memory = [](const NodeView&) { return Memory{.inputs = true, .copies = 3}; },
        .doc = "Divides by the energy of neighbouring channels.",
        .attrs = {{.name = "size", .type = AttrType::Int, .fallback = std::int64_t{5}, .doc = "Neighbouring channels", .min = 1},
                  {.name = "alpha", .type = AttrType::Real, .fallback = 1e-4, .doc = "Weight of the energy"},
                  {.name = "beta", .type = AttrType::Real, .fallback = 0.75, .doc = "Exponent"},
                  {.name = "k", .type = AttrType::Real, .fallback = 1.0, .doc = "Added before the power"}},
        .torch = {TorchOp::LocalResponseNorm, {"size", "alpha", "beta", "k"}},
        .onnx = {.types = {"LRN"},
                 .read =
                     [](OnnxCall& call) {
                         call.node.attrs.set("size", call.getInt("size", 5));
                         call.node.attrs.set("alpha", call.getReal("alpha", 1e-4));
                         call.node.attrs.set("beta", call.getReal("beta", 0.75));
                         call.node.attrs.set("k", call.getReal("bias", 1.0));
                         return true;
                     },
                 .write =
                     [](OnnxWriter& writer) {
                         const Attributes& attrs = writer.node().attrs;
                         writer.finish("LRN", {writer.input()},
                                       {{"size", attrs.getInt("size", 5)},
                                        {"alpha", attrs.getDouble("alpha", 1e-4)},
                                        {"beta", attrs.getDouble("beta", 0.75)},
                                        {"bias", attrs.getDouble("k", 1.0)}});
                     }},
    };
    return def;
}

}  // namespace fovea
