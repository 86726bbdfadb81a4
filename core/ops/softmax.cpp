#include "core/ops/common.h"
#include "core/ops/older_forms.h"

namespace fovea {

namespace {

Reach reach(const NodeView& view)
{
    Reach out;
    const int axis = view.in.empty() ? -1 : normalAxis(attrInt(view.node, "dim", -1), view.in[0].shape.rank());
    if (axis < 0) return out;
    if (axis == view.in[0].layout.h) out.h.kind = ReachKind::Global;
    if (axis == view.in[0].layout.w) out.w.kind = ReachKind::Global;
    return out;
}

bool read(OnnxCall& call)
{
    // Before opset 13 the node flattened everything behind the axis.
    const int rank = call.value(0).shape.rank();
    const std::int64_t axis = call.getInt("axis", call.opset >= 13 ? -1 : 1);
    if (call.opset < 13 && (rank < 0 || normalAxis(axis, rank) != rank - 1)) return false;
    call.node.attrs.set("dim", axis);
    return true;
}

OpDef define(const char* kind, TorchOp torch, const char* onnx, const char* doc, void (*write)(OnnxWriter&))
{
    return OpDef{.kind = kind,
                 .opClass = OpClass::Activation,
                 .memory = keepsOutput,
                 .doc = doc,
                 .attrs = {{.name = "dim", .type = AttrType::Int, .fallback = std::int64_t{-1}, .doc = "Dimension that sums to 1", .min = -8}},
                 .reach = reach,
                 .torch = {torch, {"dim"}},
                 .onnx = {.types = {onnx}, .read = read, .write = write}};
}

}  // namespace

const OpDef& softmaxOp()
{
    static const OpDef def = define("Softmax", TorchOp::Softmax, "Softmax", "Exponentials that sum to 1.", [](OnnxWriter& writer) {
        emitSoftmax(writer, "Softmax", attrInt(writer.node(), "dim", -1), {writer.output()});
    });
    return def;
}

const OpDef& logSoftmaxOp()
{
    static const OpDef def = define("LogSoftmax", TorchOp::LogSoftmax, "LogSoftmax", "Logarithm of softmax.", [](OnnxWriter& writer) {
        emitSoftmax(writer, "LogSoftmax", attrInt(writer.node(), "dim", -1), {writer.output()});
    });
    return def;
}

}  // namespace fovea
