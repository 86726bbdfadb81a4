#include "core/ops/common.h"

namespace fovea {

namespace {

void infer(InferContext& context)
{
    Value first, out;
    const bool fits = broadcast(context.in(1), context.in(2), first);
    if (!broadcast(first, context.in(0), out) || !fits) {
        context.issue("shape-mismatch", Severity::Error, "",
                      "Where joins " + context.in(0).shape.text() + ", " + context.in(1).shape.text() + " and " + context.in(2).shape.text() + ", which do not match.",
                      "Give the branches the same stride, padding and number of channels.");
    }
    context.out() = out;
}

}  // namespace

// A choice between two maps, point by point.
const OpDef& whereOp()
{
    static const OpDef def{
        .kind = "Where",
        .opClass = OpClass::Merge,
        .memory = keepsInputs,
        .doc = "Of its second input where the first is true, else of the third.",
        .minInputs = 3,
        .maxInputs = 3,
        .infer = infer,
        .torch = {TorchOp::Where},
        .onnx = {.types = {"Where"},
                 .read =
                     [](OnnxCall& call) {
                         call.dataInputs = {0, 1, 2};
                         return call.args.size() == 3;
                     },
                 .write =
                     [](OnnxWriter& writer) {
                         const std::string condition = writer.emit("Cast", {writer.input(0)}, {{"to", std::int64_t{9}}});
                         writer.finish("Where", {condition, writer.input(1), writer.input(2)});
                     }},
    };
    return def;
}

}  // namespace fovea
