#include "core/ops/common.h"
#include "core/ops/older_forms.h"
#include "core/ops/pooling.h"

namespace fovea {

namespace {

bool read(OnnxCall& call)
{
    const auto kernel = call.getInts("kernel_shape");
    if (!kernel || !readWindow(call, *kernel) || call.getInts("dilations")) return false;
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

// Over three axes, as PyTorch writes a mean over neighbouring channels (local response normalisation).
Reach reach3d(const NodeView& view)
{
    Reach out;
    const bool acrossChannels = attrAt(view.node, "kernel_size", 1, 1) == 1 && attrAt(view.node, "kernel_size", 2, 1) == 1 &&
                                attrAt(view.node, "stride", 1, 1) == 1 && attrAt(view.node, "stride", 2, 1) == 1;
    if (!acrossChannels) out.h.kind = out.w.kind = ReachKind::Unknown;
    return out;
}

void infer3d(InferContext& context)
{
    Value out = context.in(0);
    for (int axis = 0; axis < 3 && out.shape.rank() == 5; ++axis) {
        const auto at = [&](const char* name, int offset, std::int64_t fallback) {
            return attrAt(context.node(), name, static_cast<std::size_t>(axis + offset), fallback);
        };
        AxisReach r;
        r.kind = ReachKind::Window;
        r.kernel = at("kernel_size", 0, 1);
        r.stride = at("stride", 0, 1);
        r.padBegin = at("padding", 0, 0);
        r.padEnd = at("padding", 3, 0);
        out.shape[axis + 2] = out.shape[axis + 2] < 0 ? kUnknown : outputSize(r, out.shape[axis + 2]);
    }
    context.out() = out;
}

bool read3d(OnnxCall& call)
{
    const auto kernel = call.getInts("kernel_shape");
    if (!kernel || kernel->size() != 3 || call.getText("auto_pad", "NOTSET") != "NOTSET" || call.getInt("ceil_mode", 0) != 0 || call.getInts("dilations")) return false;
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
        .reach = reach3d,
        .infer = infer3d,
        .torch = {TorchOp::AvgPool3d, {"kernel_size", "stride", "padding", "count_include_pad"}},
        .onnx = {.types = {"AveragePool"}, .read = read3d, .write = write},
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
                  {.name = "count_include_pad", .type = AttrType::Bool, .fallback = true, .doc = "Padding counts as zeros in the mean"}},
        .reach = [](const NodeView& view) { return windowReach(view.node); },
        .infer = [](InferContext& context) { context.out() = slide(context, windowReach(context.node()), imageChannels(context.in(0))); },
        .torch = {TorchOp::AvgPool2d, {"kernel_size", "stride", "padding", "ceil_mode", "count_include_pad"}},
        .onnx = {.types = {"AveragePool"},
                 .read = read,
                 .write = write,
                 .fuse = fusePad},
    };
    return def;
}

}  // namespace fovea
