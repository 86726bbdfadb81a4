#include "core/ops/common.h"
#include "core/ops/older_forms.h"
#include "core/ops/pooling.h"

#include <algorithm>

namespace fovea {

namespace {

// Opset 19 has dilations; PyTorch's average has none.
bool isDilated(const OnnxCall& call)
{
    const Ints dilations = call.getInts("dilations").value_or(Ints{});
    return std::any_of(dilations.begin(), dilations.end(), [](std::int64_t d) { return d != 1; });
}

bool read(OnnxCall& call)
{
    const auto kernel = call.getInts("kernel_shape");
    if (!kernel || isDilated(call) || !readWindow(call, *kernel)) return false;
    call.node.attrs.erase("dilation");  // it has none
    call.node.attrs.set("ceil_mode", call.getInt("ceil_mode", 0) != 0);
    call.node.attrs.set("count_include_pad", call.getInt("count_include_pad", 0) != 0);
    readAsGlobalWhereItCoversItsMap(call, "AdaptiveAvgPool2d");
    return true;
}

// PyTorch's exporter writes the padding of an average pooling as a Pad of its own.
bool fusePad(Rewriter& rewriter, const Node& last)
{
    if (last.kind != "AvgPool2d") return false;
    const Node* pad = padBefore(rewriter, last);
    if (!pad) return false;
    // Zeros count in the mean; padding of the pooling's own may not.
    Ints padding{0, 0, 0, 0};
    const bool counts = last.attrs.getBool("count_include_pad", true), ceil = last.attrs.getBool("ceil_mode", false);
    for (std::size_t side = 0; side < 4; ++side) {
        const std::int64_t own = attrAt(last, "padding", side, 0);
        if (own != 0 && !(counts && ceil)) return false;
        padding[side] = own + attrAt(*pad, "padding", side, 0);
    }
    Node node = last;
    node.attrs.set("padding", padding);
    node.attrs.set("count_include_pad", true);
    node.inputs = {pad->inputs[0]};
    rewriter.replace(last, node, {pad->id, last.id});
    return true;
}

void infer(InferContext& context)
{
    const Value& in = context.in(0);
    context.out() = slide(context, dimWindows({context.node(), context.in(), {}}), in.shape.rank() < 2 ? kUnknown : in.shape[1]);
}

bool read1d(OnnxCall& call)
{
    const auto kernel = call.getInts("kernel_shape");
    if (!kernel || isDilated(call) || !readWindow(call, *kernel, 1)) return false;
    call.node.attrs.erase("dilation");
    call.node.attrs.set("ceil_mode", call.getInt("ceil_mode", 0) != 0);
    call.node.attrs.set("count_include_pad", call.getInt("count_include_pad", 0) != 0);
    return true;
}

bool read3d(OnnxCall& call)
{
    const auto kernel = call.getInts("kernel_shape");
    if (!kernel || kernel->size() != 3 || call.getText("auto_pad", "NOTSET") != "NOTSET" || call.getInt("ceil_mode", 0) != 0 || isDilated(call)) return false;
    call.node.attrs.set("kernel_size", *kernel);
    call.node.attrs.set("stride", call.getInts("strides").value_or(Ints{1, 1, 1}));
    call.node.attrs.set("padding", call.getInts("pads").value_or(Ints(6, 0)));
    call.node.attrs.set("count_include_pad", call.getInt("count_include_pad", 0) != 0);
    return true;
}

void write(OnnxWriter& writer)
{
    OnnxAttrs attrs = windowAttrs(writer.node(), false);
    if (writer.node().attrs.getBool("ceil_mode", false)) attrs.emplace("ceil_mode", std::int64_t{1});
    attrs.emplace("count_include_pad", std::int64_t{writer.node().attrs.getBool("count_include_pad", true)});
    emitPool(writer, "AveragePool", attrs, {writer.output()});
}

}  // namespace

const OpDef& avgPool3dOp()
{
    static const OpDef def{
        .kind = "AvgPool3d",
        .opClass = OpClass::Math,
        .memory = keepsInputs,
        .doc = "Mean under a window over three axes.",
        .attrs = {{.name = "kernel_size", .type = AttrType::IntList, .fallback = Ints{1, 1, 1}, .doc = "Size of the window", .min = 1},
                  {.name = "stride", .type = AttrType::IntList, .fallback = Ints{1, 1, 1}, .doc = "Step of the window", .min = 1},
                  {.name = "padding", .type = AttrType::IntList, .fallback = Ints(6, 0), .doc = "Added at the beginnings, then at the ends"},
                  {.name = "count_include_pad", .type = AttrType::Bool, .fallback = true, .doc = "Padding counts as zeros in the mean"}},
        .reach = windowReach,
        .infer = infer,
        .torch = {TorchOp::AvgPool3d, {"kernel_size", "stride", "padding", "count_include_pad"}},
        .onnx = {.types = {"AveragePool"}, .read = read3d, .write = write},
    };
    return def;
}

const OpDef& avgPool1dOp()
{
    static const OpDef def{
        .kind = "AvgPool1d",
        .opClass = OpClass::Pooling,
        .memory = keepsInputs,
        .doc = "Mean under a window that slides along one axis.",
        .attrs = {{.name = "kernel_size", .type = AttrType::IntList, .fallback = Ints{1}, .doc = "Size of the window", .min = 1},
                  {.name = "stride", .type = AttrType::IntList, .fallback = Ints{1}, .doc = "Step of the window", .min = 1},
                  {.name = "padding", .type = AttrType::IntList, .fallback = Ints{0, 0}, .doc = "Added at the begin and at the end"},
                  ceilModeAttr(),
                  {.name = "count_include_pad", .type = AttrType::Bool, .fallback = true, .doc = "Padding counts as zeros in the mean"},
                  autoPadAttr()},
        .reach = windowReach,
        .infer = infer,
        .torch = {TorchOp::AvgPool1d, {"kernel_size", "stride", "padding", "ceil_mode", "count_include_pad"}},
        .onnx = {.types = {"AveragePool"}, .read = read1d, .write = write},
    };
    return def;
}

const OpDef& avgPool2dOp()
{
    static const OpDef def{
        .kind = "AvgPool2d",
        .opClass = OpClass::Pooling,
        .memory = keepsInputs,
        .doc = "Mean under a sliding window.",
        .attrs = {kernelAttr(), strideAttr(), paddingAttr(), ceilModeAttr(),
                  {.name = "count_include_pad", .type = AttrType::Bool, .fallback = true, .doc = "Padding counts as zeros in the mean"},
                  autoPadAttr(), globalAxesAttr()},
        .reach = windowReach,
        .infer = infer,
        .torch = {TorchOp::AvgPool2d, {"kernel_size", "stride", "padding", "ceil_mode", "count_include_pad"}},
        .onnx = {.types = {"AveragePool"},
                 .read = read,
                 .write = write,
                 .fuse = fusePad},
    };
    return def;
}

}  // namespace fovea
