#include "core/ops/common.h"
#include "core/ops/pooling.h"

namespace fovea {

namespace {

bool read(OnnxCall& call)
{
    const auto kernel = call.getInts("kernel_shape");
    if (!kernel || kernel->size() != 2) return call.refuse("its kernel does not have two dimensions");
    if (!readWindow(call, *kernel)) return false;
    if (attrAt(call.node, "dilation", 0, 1) != 1 || attrAt(call.node, "dilation", 1, 1) != 1)
        return call.refuse("it is dilated");
    call.node.attrs.erase("dilation");
    call.node.attrs.set("ceil_mode", call.getInt("ceil_mode", 0) != 0);
    call.node.attrs.set("norm_type", call.getInt("p", 2));
    return true;
}

void write(OnnxWriter& writer)
{
    const Node& node = writer.node();
    OnnxAttrs attrs = windowAttrs(node, false);
    attrs.emplace("p", attrInt(node, "norm_type", 2));
    if (node.attrs.getBool("ceil_mode", false)) {
        writer.needOpset(18, "an LpPool in ceil mode");
        attrs.emplace("ceil_mode", std::int64_t{1});
    }
    writer.finish("LpPool", {writer.input()}, attrs);
}

}  // namespace

const OpDef& lpPool2dOp()
{
    static const OpDef def{
        .kind = "LPPool2d",
        .opClass = OpClass::Pooling,
        .memory = keepsInputs,
        .doc = "Norm of the values under a sliding window.",
        .attrs = {kernelAttr(),
                  strideAttr(),
                  paddingAttr(),
                  ceilModeAttr(),
                  autoPadAttr(),
                  {.name = "norm_type",
                   .type = AttrType::Int,
                   .fallback = std::int64_t{2},
                   .doc = "Order of the norm",
                   .min = 1,
                   .max = 100}},
        .reach = windowReach,
        .infer =
            [](InferContext& context) {
                context.out() = slide(context, dimWindows({context.node(), context.in(), {}}), imageChannels(context.in(0)));
            },
        .torch = {TorchOp::LPPool2d, {"kernel_size", "stride", "padding", "ceil_mode", "norm_type"}},
        .onnx = {.types = {"LpPool"}, .read = read, .write = write},
    };
    return def;
}

}  // namespace fovea
