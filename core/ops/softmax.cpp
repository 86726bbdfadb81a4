#include "core/graph/dimensions.h"
#include "core/ops/common.h"

#include <array>

namespace fovea {

namespace {

Reach reach(const NodeView& view)
{
    Reach out;
    const int axis = view.in.empty() ? -1 : normalAxis(attrInt(view.node, "dim", -1), view.in[0].shape.rank());
    if (axis < 0) return out;
    if (axisRead(view.in[0], Axis::Height, std::array{axis}).whole) out.h.kind = ReachKind::Global;
    if (axisRead(view.in[0], Axis::Width, std::array{axis}).whole) out.w.kind = ReachKind::Global;
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
        writer.finish("Softmax", {writer.input()}, {{"axis", attrInt(writer.node(), "dim", -1)}});
    });
    return def;
}

const OpDef& logSoftmaxOp()
{
    static const OpDef def = define("LogSoftmax", TorchOp::LogSoftmax, "LogSoftmax", "Logarithm of softmax.", [](OnnxWriter& writer) {
        writer.finish("LogSoftmax", {writer.input()}, {{"axis", attrInt(writer.node(), "dim", -1)}});
    });
    return def;
}

}  // namespace fovea
