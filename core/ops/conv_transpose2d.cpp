#include "core/ops/common.h"

#include <algorithm>

namespace fovea {

namespace {

DimWindows windowsOf(const Node& node, std::span<const Value> in) { return dimWindows({node, in, {}}, ReachKind::Transposed); }

// An output more than a stride beyond what the input gives is made of nothing; ONNX Runtime reads past its buffer there.
void checkOutputShape(InferContext& context, const DimWindows& windows)
{
    if (!context.node().attrs.has("output_shape")) return;
    for (int i = 0; i < windows.count; ++i) {
        const AxisReach& r = windows.dims[static_cast<std::size_t>(i)];
        const std::int64_t stated = attrAt(context.node(), "output_padding", static_cast<std::size_t>(i), 0);
        if (r.inSize < 1 || r.outputPadding - stated < std::max(r.stride, std::int64_t{1})) continue;
        const std::int64_t made = saturatingAdd(saturatingMul(r.inSize - 1, r.stride), r.effectiveKernel() + stated);
        context.issue("size-frozen", Severity::Error, "output_shape",
                      "Its output is fixed at " + std::to_string(made + r.outputPadding - stated) + " units, but a map of " + std::to_string(r.inSize) +
                          " units gives " + std::to_string(made) + ".",
                      "Use a larger input, or another output_shape.");
    }
}

void infer(InferContext& context)
{
    const DimWindows windows = windowsOf(context.node(), context.in());
    context.out() = slide(context, windows, attrInt(context.node(), "out_channels"));
    checkOutputShape(context, windows);
}

// Padding and extra units as they are at the present size.
void paddings(const NodeView& view, Attributes& args)
{
    const DimWindows windows = windowsOf(view.node, view.in);
    args.set("padding", windows.padding());
    args.set("output_padding", Ints{windows.dims[0].outputPadding, windows.dims[1].outputPadding});
}

std::int64_t inChannels(const Node& node, const Value& in)
{
    return imageChannels(in) > 0 ? imageChannels(in) : std::max<std::int64_t>(attrInt(node, "in_channels"), kUnknown);
}

std::vector<ParamSpec> params(const NodeView& view)
{
    const std::int64_t groups = std::max<std::int64_t>(1, attrInt(view.node, "groups", 1)), out = attrInt(view.node, "out_channels");
    const std::int64_t kh = attrAt(view.node, "kernel_size", 0, 1), kw = attrAt(view.node, "kernel_size", 1, 1);
    const std::int64_t fan = saturatingMul(out / groups, saturatingMul(kh, kw));
    std::vector<ParamSpec> specs{{.role = "weight",
                                  .dims = {inChannels(view.node, view.in.empty() ? Value{} : view.in[0]), out / groups, kh, kw},
                                  .init = Init::KaimingUniform,
                                  .fanIn = fan}};
    if (view.node.attrs.getBool("bias", true)) specs.push_back({.role = "bias", .dims = {out}, .init = Init::BiasUniform, .fanIn = fan});
    return specs;
}

bool read(OnnxCall& call)
{
    const Tensor* weight = call.constant(1);
    if (!weight || weight->dims.size() != 4) return false;
    const Ints kernel{weight->dims[2], weight->dims[3]};
    const std::int64_t groups = call.getInt("group", 1);
    if (groups < 1 || !readWindow(call, kernel)) return false;
    Attributes& attrs = call.node.attrs;
    attrs.set("in_channels", weight->dims[0]);
    attrs.set("out_channels", saturatingMul(weight->dims[1], groups));
    attrs.set("groups", groups);
    attrs.set("bias", call.has(2));
    attrs.set("output_padding", call.getInts("output_padding").value_or(Ints{0, 0}));
    if (const auto shape = call.getInts("output_shape")) {
        if (shape->size() != 2 && shape->size() != 4) return false;
        attrs.set("output_shape", Ints(shape->end() - 2, shape->end()));
    }
    const Value in = call.value(0);
    attrs.set("padding", windowsOf(call.node, {&in, 1}).padding());
    return call.bind("weight", 1) && call.bind("bias", 2);
}

void write(OnnxWriter& writer)
{
    OnnxAttrs attrs = windowAttrs(writer.node());
    attrs.emplace("group", attrInt(writer.node(), "groups", 1));
    if (const Ints* extra = writer.node().attrs.getInts("output_padding")) attrs.emplace("output_padding", *extra);
    if (const Ints* shape = writer.node().attrs.getInts("output_shape")) {
        attrs.erase("pads");
        attrs.emplace("output_shape", *shape);
    }
    std::vector<std::string> inputs{writer.input(), writer.tensor("weight")};
    if (writer.node().attrs.getBool("bias", true)) inputs.push_back(writer.tensor("bias"));
    writer.finish("ConvTranspose", inputs, attrs);
}

}  // namespace

const OpDef& convTranspose2dOp()
{
    static const OpDef def{
        .kind = "ConvTranspose2d",
        .opClass = OpClass::Transposed,
        .memory = keepsInputs,
        .doc = "Transposed convolution: enlarges the map by its stride.",
        .attrs = {{.name = "out_channels", .type = AttrType::Int, .fallback = std::int64_t{64}, .doc = "Number of feature maps it makes", .min = 1, .unit = "channels"},
                  kernelAttr(),
                  strideAttr(),
                  paddingAttr(),
                  dilationAttr(),
                  autoPadAttr(),
                  {.name = "output_shape", .type = AttrType::Pair, .fallback = Ints{0, 0}, .doc = "Size of the map it makes, in place of padding; 0 follows the padding", .unit = "units", .shown = false},
                  {.name = "output_padding", .type = AttrType::Pair, .fallback = Ints{0, 0}, .doc = "Extra rows and columns at the end", .unit = "units"},
                  {.name = "groups", .type = AttrType::Int, .fallback = std::int64_t{1}, .doc = "Independent convolutions", .min = 1},
                  {.name = "bias", .type = AttrType::Bool, .fallback = true, .doc = "Adds a learned constant to each channel"},
                  {.name = "in_channels", .type = AttrType::Int, .fallback = std::int64_t{0}, .doc = "Channels of the imported weight", .shown = false}},
        .reach = [](const NodeView& view) { return alongImage(view, windowsOf(view.node, view.in)); },
        .reads = readsChannels,
        .infer = infer,
        .params = params,
        .macs =
            [](const NodeView& view) {
                const std::int64_t groups = std::max<std::int64_t>(1, attrInt(view.node, "groups", 1));
                return product({elementsPerImage(view.in[0]).value_or(kUnknown), attrInt(view.node, "out_channels") / groups, attrAt(view.node, "kernel_size", 0, 1),
                                attrAt(view.node, "kernel_size", 1, 1)});
            },
        .torch = {TorchOp::ConvTranspose2d, {"stride", "padding", "dilation", "output_padding", "groups"}, {"weight", "bias"}, paddings},
        .onnx = {.types = {"ConvTranspose"}, .read = read, .write = write},
    };
    return def;
}

}  // namespace fovea
