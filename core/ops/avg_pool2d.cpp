#include "core/ops/common.h"
#include "core/ops/pooling.h"

namespace fovea {

namespace {

bool read(OnnxCall& call)
{
    const auto kernel = call.getInts("kernel_shape");
    if (!kernel || !readWindow(call, *kernel) || call.getInts("dilations")) return false;
    call.node.attrs.set("ceil_mode", call.getInt("ceil_mode", 0) != 0);
    call.node.attrs.set("count_include_pad", call.getInt("count_include_pad", 0) != 0);
    readAsGlobalWhereItCoversItsMap(call, "AdaptiveAvgPool2d");
    return true;
}

// PyTorch's exporter writes the padding of an average pooling as a Pad of its own.
bool fusePad(Rewriter& rewriter, const Node& last)
{
    if (last.kind != "AvgPool2d") return false;
    const Node* pad = rewriter.producer(last, 0);
    if (!pad || pad->kind != "ZeroPad2d" || pad->attrs.getDouble("value", 0) != 0) return false;
    Ints padding{0, 0, 0, 0};
    for (std::size_t side = 0; side < 4; ++side) {
        if (attrAt(last, "padding", side, 0) != 0 || attrAt(*pad, "padding", side, 0) < 0) return false;
        padding[side] = attrAt(*pad, "padding", side, 0);
    }
    Node node = last;
    node.attrs.set("padding", padding);
    node.attrs.set("count_include_pad", true);
    node.inputs = {pad->inputs[0]};
    rewriter.replace(last, node, {pad->id, last.id});
    return true;
}

}  // namespace

const OpDef& avgPool2dOp()
{
    static const OpDef def{
        .kind = "AvgPool2d",
        .opClass = OpClass::Pooling,
        .doc = "Mean under a sliding window.",
        .attrs = {kernelAttr(), strideAttr(), paddingAttr(), ceilModeAttr(),
                  {.name = "count_include_pad", .type = AttrType::Bool, .fallback = true, .doc = "Padding counts as zeros in the mean"}},
        .reach = [](const NodeView& view) { return windowReach(view.node); },
        .infer = [](InferContext& context) { context.out() = slide(context, windowReach(context.node()), imageChannels(context.in(0))); },
        .onnx = {.types = {"AveragePool"},
                 .read = read,
                 .write =
                     [](OnnxWriter& writer) {
                         OnnxAttrs attrs = windowAttrs(writer.node(), false);
                         const bool ceil = writer.node().attrs.getBool("ceil_mode", false);
                         if (ceil) attrs.emplace("ceil_mode", std::int64_t{1});
                         attrs.emplace("count_include_pad", std::int64_t{writer.node().attrs.getBool("count_include_pad", true)});
                         writer.finish("AveragePool", {writer.input()}, attrs);
                     },
                 .fuse = fusePad},
    };
    return def;
}

}  // namespace fovea
