#include "core/ops/clothes.h"
#include "core/ops/common.h"

namespace fovea {

// On the bits of whole numbers, point by point.
const OpDef& bitwiseOp()
{
    static const OpDef def{
        .kind = "Bitwise",
        .opClass = OpClass::Merge,
        .doc = "Shifts or joins the bits of whole numbers.",
        .maxInputs = 2,
        .infer =
            [](InferContext& context) {
                context.out() = context.in(0);
                if (context.in().size() > 1 && !broadcast(context.in(0), context.in(1), context.out()))
                    context.issue("shape-mismatch", Severity::Error, "",
                                  "It joins " + context.in(0).shape.text() + " and " + context.in(1).shape.text() +
                                      ", which do not match.",
                                  "Give both branches the same stride, padding and number of channels.");
            },
        .onnx = {.types = {"BitShift", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "BitwiseNot"},
                 .read =
                     [](OnnxCall& call) {
                         if (call.args.size() > 1) call.dataInputs = {0, 1};
                         keepClothes(call, call.type, false);
                         return true;
                     },
                 .write = writeInClothes}};
    return def;
}

}  // namespace fovea
