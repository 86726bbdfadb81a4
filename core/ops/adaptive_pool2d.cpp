#include "core/ops/common.h"
#include "core/ops/older_forms.h"

#include <algorithm>

namespace fovea {

namespace {

Reach globalReach(const NodeView&)
{
    Reach reach;
    reach.h.kind = reach.w.kind = ReachKind::Global;
    return reach;
}

void infer(InferContext& context)
{
    const Node& node = context.node();
    const Value& in = context.in(0);
    Value out{Shape::ofRank(4), kNchw};
    if (in.shape.hasRank()) {
        if (in.shape.rank() != 4) {
            context.issue("rank-mismatch", Severity::Error, "", node.kind + " needs an image of rank 4 (NxCxHxW), got " + in.shape.text() + ".",
                          "Move it before the layer that flattens.");
            context.out() = out;
            return;
        }
        out.shape[0] = in.shape[0];
    }
    out.shape[1] = imageChannels(in);
    out.shape[2] = attrAt(node, "output_size", 0, 1);
    out.shape[3] = attrAt(node, "output_size", 1, 1);
    if (!node.attrs.getBool("keepdim", true)) out = {Shape{out.shape[0], out.shape[1]}, {1, -1, -1}};
    context.out() = out;
}

// Only a pooling to 1x1 has an ONNX form that follows its input; others are written as what they are at the present
// size: with the kernel that gives the same windows, or region by region.
template <bool Average>
void write(OnnxWriter& writer)
{
    const std::int64_t oh = attrAt(writer.node(), "output_size", 0, 1), ow = attrAt(writer.node(), "output_size", 1, 1);
    if (oh == 1 && ow == 1) {
        if (Average && !writer.node().attrs.getBool("keepdim", true)) {
            emitReduce(writer, "ReduceMean", writer.input(), {2, 3}, false, {writer.output()});
            return;
        }
        writer.finish(Average ? "GlobalAveragePool" : "GlobalMaxPool", {writer.input()});
        return;
    }
    writer.needFixedSides("An adaptive pooling can be written");
    const std::int64_t h = writer.known(writer.inputValue().height(), "the size of its input"),
                       w = writer.known(writer.inputValue().width(), "the size of its input");
    if (h % oh != 0 || w % ow != 0) {
        (Average ? emitRegionMeans : emitRegionMaxima)(writer, {oh, ow}, {writer.output()});
        return;
    }
    const Ints window{h / oh, w / ow};
    writer.finish(Average ? "AveragePool" : "MaxPool", {writer.input()}, {{"kernel_shape", window}, {"strides", window}});
}

template <bool Average>
Memory memory(const NodeView&)
{
    return {.inputs = true, .bytes = Average ? 0 : 8};
}

template <bool Average>
OpDef define(const char* kind, const char* doc, TorchOp torch, const char* onnxType)
{
    return OpDef{
        .kind = kind,
        .opClass = OpClass::GlobalPooling,
        .memory = memory<Average>,
        .doc = doc,
        .attrs = {{.name = "output_size", .type = AttrType::Pair, .fallback = Ints{1, 1}, .doc = "Height and width it always gives", .min = 1, .unit = "units"},
                  {.name = "keepdim", .type = AttrType::Bool, .fallback = true, .doc = "Keeps height and width as dimensions of size 1", .shown = false}},
        .reach = globalReach,
        .infer = infer,
        .torch = {torch, {"output_size", "keepdim"}},
        .onnx = {.types = {onnxType}, .read = [](OnnxCall& call) { return call.value(0).shape.rank() == 4; }, .write = write<Average>},
    };
}

}  // namespace

const OpDef& adaptiveAvgPool2dOp()
{
    static const OpDef def = define<true>("AdaptiveAvgPool2d", "Mean over as many regions as the output has units; global at 1x1.", TorchOp::AdaptiveAvgPool2d, "GlobalAveragePool");
    return def;
}

const OpDef& adaptiveMaxPool2dOp()
{
    static const OpDef def = define<false>("AdaptiveMaxPool2d", "Largest value of as many regions as the output has units; global at 1x1.", TorchOp::AdaptiveMaxPool2d, "GlobalMaxPool");
    return def;
}

}  // namespace fovea
