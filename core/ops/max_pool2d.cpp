#include "core/ops/common.h"
#include "core/ops/older_forms.h"
#include "core/ops/pooling.h"

namespace fovea {

namespace {

bool read(OnnxCall& call)
{
    if (call.outputCount > 1) return false;  // indices are somebody's data
    const auto kernel = call.getInts("kernel_shape");
    if (!kernel || !readWindow(call, *kernel)) return false;
    call.node.attrs.set("ceil_mode", call.getInt("ceil_mode", 0) != 0);
    readAsGlobalWhereItCoversItsMap(call, "AdaptiveMaxPool2d");
    return true;
}

}  // namespace

const OpDef& maxPool2dOp()
{
    static const OpDef def{
        .kind = "MaxPool2d",
        .opClass = OpClass::Pooling,
        .memory = [](const NodeView&) { return Memory{.inputs = true, .bytes = 8}; },
        .doc = "Largest value under a sliding window.",
        .attrs = {kernelAttr(), strideAttr(), paddingAttr(), dilationAttr(), ceilModeAttr()},
        .reach = [](const NodeView& view) { return windowReach(view.node); },
        .infer = [](InferContext& context) { context.out() = slide(context, windowReach(context.node()), imageChannels(context.in(0))); },
        .torch = {TorchOp::MaxPool2d, {"kernel_size", "stride", "padding", "dilation", "ceil_mode"}},
        .onnx = {.types = {"MaxPool"},
                 .read = read,
                 .write =
                     [](OnnxWriter& writer) {
                         OnnxAttrs attrs = windowAttrs(writer.node());
                         if (writer.node().attrs.getBool("ceil_mode", false)) attrs.emplace("ceil_mode", std::int64_t{1});
                         emitPool(writer, "MaxPool", attrs, {writer.output()});
                     }},
    };
    return def;
}

}  // namespace fovea
