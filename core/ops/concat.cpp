#include "core/ops/common.h"

namespace fovea {

namespace {

void infer(InferContext& context)
{
    Value out = context.in(0);
    const int axis = normalAxis(attrInt(context.node(), "dim", 1), out.shape.rank());
    if (axis < 0) {
        context.out() = unknownLike(out);
        return;
    }
    for (std::size_t i = 1; i < context.in().size(); ++i) {
        const Value& next = context.in(i);
        if (next.shape.rank() != out.shape.rank()) {
            if (next.shape.hasRank())
                context.issue("shape-mismatch", Severity::Error, "", "Concat joins ranks " + out.shape.text() + " and " + next.shape.text() + ".",
                              "Give all inputs the same rank.");
            context.out() = unknownLike(out);
            return;
        }
        for (int dim = 0; dim < out.shape.rank(); ++dim) {
            const std::int64_t a = out.shape[dim], b = next.shape[dim];
            if (dim == axis) out.shape[dim] = a < 0 || b < 0 ? kUnknown : saturatingAdd(a, b);
            else if (a >= 0 && b >= 0 && a != b) {
                context.issue("shape-mismatch", Severity::Error, "",
                              "Concat joins " + context.in(0).shape.text() + " and " + next.shape.text() + ", which differ outside dimension " + std::to_string(axis) + ".",
                              "Give all branches the same stride and padding.");
                context.out() = unknownLike(out);
                return;
            } else if (a < 0) out.shape[dim] = b;
        }
    }
    context.out() = out;
}

}  // namespace

const OpDef& concatOp()
{
    static const OpDef def{
        .kind = "Concat",
        .opClass = OpClass::Merge,
        .doc = "Stacks its inputs along a dimension, mostly the channels.",
        .attrs = {{.name = "dim", .type = AttrType::Int, .fallback = std::int64_t{1}, .doc = "Dimension that grows; 1 are the channels", .min = -8}},
        .minInputs = 1,
        .maxInputs = -1,
        .infer = infer,
        .torch = {TorchOp::Concat, {"dim"}},
        .onnx = {.types = {"Concat"},
                 .read =
                     [](OnnxCall& call) {
                         call.node.attrs.set("dim", call.getInt("axis", 1));
                         call.dataInputs.clear();
                         for (std::size_t i = 0; i < call.args.size(); ++i) call.dataInputs.push_back(i);
                         return !call.args.empty();
                     },
                 .write =
                     [](OnnxWriter& writer) {
                         std::vector<std::string> inputs;
                         for (std::size_t i = 0; i < writer.node().inputs.size(); ++i) inputs.push_back(writer.input(i));
                         writer.finish("Concat", inputs, {{"axis", writer.axis(attrInt(writer.node(), "dim", 1))}});
                     }},
    };
    return def;
}

}  // namespace fovea
