#include "core/graph/dimensions.h"
#include "core/ops/common.h"
#include "core/ops/older_forms.h"

#include <array>

namespace fovea {

namespace {

// Before opset 13 a softmax runs over all dimensions from its axis on, as one.
bool isFlattened(const Node& node) { return node.attrs.getBool("flattened", false); }

// The dimensions that sum to 1 together.
std::pair<int, int> dimsOf(const NodeView& view)
{
    const int rank = view.in.empty() ? -1 : view.in[0].shape.rank(), axis = normalAxis(attrInt(view.node, "dim", -1), rank);
    return {axis, axis < 0 ? -1 : isFlattened(view.node) ? rank - 1 : axis};
}

Reach reach(const NodeView& view)
{
    Reach out;
    const auto [first, last] = dimsOf(view);
    for (int dim = first; dim >= 0 && dim <= last; ++dim) {
        if (isFlattened(view.node) && view.in[0].shape[dim] == 1) continue;  // all there is of it
        if (axisRead(view.in[0], Axis::Height, std::array{dim}).whole) out.h.kind = ReachKind::Global;
        if (axisRead(view.in[0], Axis::Width, std::array{dim}).whole) out.w.kind = ReachKind::Global;
    }
    return out;
}

bool read(OnnxCall& call)
{
    const int rank = call.value(0).shape.rank();
    const std::int64_t axis = call.getInt("axis", call.opset >= 13 ? -1 : 1);
    call.node.attrs.set("dim", axis);
    if (call.opset >= 13 || (rank >= 0 && normalAxis(axis, rank) == rank - 1)) return true;
    if (rank >= 0 && normalAxis(axis, rank) < 0) return false;
    call.node.attrs.set("flattened", true);
    return true;
}

// Of several dimensions all but one may have one element at the present size: then PyTorch can say it of that one.
void flattening(const NodeView& view, Attributes& args)
{
    const auto [first, last] = dimsOf(view);
    if (!isFlattened(view.node) || first < 0) return;
    int longer = 0, at = last;
    for (int dim = first; dim <= last; ++dim)
        if (view.in[0].shape[dim] != 1) {
            ++longer;
            at = dim;
        }
    args.set("dim", static_cast<std::int64_t>(longer > 1 ? first : at));
    args.set("flattened", longer > 1);
}

void write(OnnxWriter& writer, const char* type)
{
    const std::int64_t axis = attrInt(writer.node(), "dim", -1);
    if (!isFlattened(writer.node())) {
        emitSoftmax(writer, type, axis, {writer.output()});
        return;
    }
    if (writer.opset() < 13) {
        writer.finish(type, {writer.input()}, {{"axis", writer.axis(axis)}});
        return;
    }
    const std::string flat = writer.emit(type, {writer.emit("Flatten", {writer.input()}, {{"axis", axis}})}, {{"axis", std::int64_t{-1}}});
    writer.finish("Reshape", {flat, writer.emit("Shape", {writer.input()})});
}

OpDef define(const char* kind, TorchOp torch, const char* onnx, const char* doc, void (*write)(OnnxWriter&))
{
    return OpDef{.kind = kind,
                 .opClass = OpClass::Activation,
                 .memory = keepsOutput,
                 .doc = doc,
                 .attrs = {{.name = "dim", .type = AttrType::Int, .fallback = std::int64_t{-1}, .doc = "Dimension that sums to 1", .min = -8},
                           {.name = "flattened", .type = AttrType::Bool, .fallback = false, .doc = "All dimensions from that one on sum to 1 together", .shown = false}},
                 .reach = reach,
                 .torch = {torch, {"dim"}, {}, flattening},
                 .onnx = {.types = {onnx}, .read = read, .write = write}};
}

}  // namespace

const OpDef& softmaxOp()
{
    static const OpDef def = define("Softmax", TorchOp::Softmax, "Softmax", "Exponentials that sum to 1.", [](OnnxWriter& writer) { write(writer, "Softmax"); });
    return def;
}

const OpDef& logSoftmaxOp()
{
    static const OpDef def = define("LogSoftmax", TorchOp::LogSoftmax, "LogSoftmax", "Logarithm of softmax.", [](OnnxWriter& writer) { write(writer, "LogSoftmax"); });
    return def;
}

}  // namespace fovea
