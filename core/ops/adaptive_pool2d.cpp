#include "core/ops/common.h"
#include "core/ops/registry.h"
#include "core/ops/older_forms.h"

#include <algorithm>

namespace fovea {

namespace {

// Over the last two dimensions; an axis that stands elsewhere is left as it is.
Reach globalReach(const NodeView& view)
{
    Reach reach;
    const Layout layout = view.in.empty() ? kNchw : windowLayout(view.in[0], 2);
    if (layout.h != 0 && layout.h != 1) reach.h.kind = ReachKind::Global;
    if (layout.w != 0 && layout.w != 1) reach.w.kind = ReachKind::Global;
    return reach;
}

void infer(InferContext& context)
{
    const Node& node = context.node();
    const Value& in = context.in(0);
    Value out{Shape::ofRank(4), windowLayout(in, 2)};
    if (in.shape.hasRank()) {
        if (in.shape.rank() != 4) {
            context.issue("rank-mismatch", Severity::Error, "", node.kind + " needs an image of rank 4 (NxCxHxW), got " + in.shape.text() + ".",
                          "Move it before the layer that flattens.");
            out.layout = kNchw;
            context.out() = out;
            return;
        }
        out.shape[0] = in.shape[0];
    }
    out.shape[1] = imageChannels(in);
    out.shape[2] = attrAt(node, "output_size", 0, 1);
    out.shape[3] = attrAt(node, "output_size", 1, 1);
    if (!node.attrs.getBool("keepdim", true)) {
        const auto kept = [](std::int8_t dim) { return dim < 2 ? dim : std::int8_t{-1}; };
        out = {Shape{out.shape[0], out.shape[1]}, {kept(out.layout.c), kept(out.layout.h), kept(out.layout.w)}};
    }
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

// Of a sequence or a volume it is a mean (or the largest value) over all dimensions behind the second.
template <bool Average>
bool read(OnnxCall& call)
{
    const int rank = call.value(0).shape.rank();
    if (rank == 4) return true;
    if (rank < 3) return false;
    Ints dims;
    for (std::int64_t dim = 2; dim < rank; ++dim) dims.push_back(dim);
    call.node = makeNode(Average ? "Mean" : "Amax", call.node.name);
    call.node.attrs.set("dim", dims);
    call.node.attrs.set("keepdim", true);
    return true;
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
        .onnx = {.types = {onnxType}, .read = read<Average>, .write = write<Average>},
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
