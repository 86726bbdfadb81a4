#include "core/ops/common.h"

#include <algorithm>

// Convolutions over one axis, which may be one of the image's, and over three, of which nothing is known.
namespace fovea {

namespace {

Reach reach(const NodeView& view)
{
    const DimWindows windows = dimWindows(view);
    Reach out = windows.count == 1 ? alongImage(view, windows) : Reach{};
    if (windows.count != 1) out.h.kind = out.w.kind = ReachKind::Unknown;
    return out;
}

void infer(InferContext& context)
{
    const Node& node = context.node();
    const NodeView view{node, context.in(), {}};
    const DimWindows windows = dimWindows(view);
    if (reach(view).h.kind == ReachKind::Unknown)
        context.issue("unsupported-dimensions", Severity::Warning, "",
                      node.kind + " has " + std::to_string(windows.count) + (windows.count == 1 ? " spatial axis that is none of the image's" : " spatial axes") +
                          "; receptive fields are computed for images (two axes) only.",
                      "Its verdict and those behind it are unknown.");
    context.out() = slide(context, windows, attrInt(node, "out_channels"));
}

std::vector<ParamSpec> params(const NodeView& view)
{
    const std::int64_t groups = std::max<std::int64_t>(1, attrInt(view.node, "groups", 1));
    const bool known = !view.in.empty() && view.in[0].shape.rank() > 1 && view.in[0].shape[1] > 0;
    const std::int64_t in = known ? view.in[0].shape[1] : attrInt(view.node, "in_channels");
    Ints dims{attrInt(view.node, "out_channels"), in / groups};
    std::int64_t fan = in / groups;
    if (const Ints* kernel = view.node.attrs.getInts("kernel_size"))
        for (const std::int64_t k : *kernel) {
            dims.push_back(k);
            fan = saturatingMul(fan, k);
        }
    std::vector<ParamSpec> specs{{.role = "weight", .dims = dims, .init = Init::KaimingUniform, .fanIn = fan}};
    if (view.node.attrs.getBool("bias", true)) specs.push_back({.role = "bias", .dims = {dims[0]}, .init = Init::BiasUniform, .fanIn = fan});
    return specs;
}

std::optional<std::int64_t> macs(const NodeView& view)
{
    std::int64_t count = 1;
    for (int i = 2; i < view.out[0].shape.rank(); ++i) {
        if (view.out[0].shape[i] < 0) return std::nullopt;
        count = saturatingMul(count, view.out[0].shape[i]);
    }
    const std::vector<ParamSpec> specs = params(view);
    for (const std::int64_t dim : specs[0].dims) count = saturatingMul(count, dim);
    return count;
}

template <std::size_t Axes>
bool read(OnnxCall& call)
{
    const Tensor* weight = call.constant(1);
    if (!weight || weight->dims.size() != Axes + 2) return false;
    const Ints kernel(weight->dims.begin() + 2, weight->dims.end());
    const std::int64_t groups = call.getInt("group", 1);
    if (groups < 1 || call.getInts("kernel_shape").value_or(kernel) != kernel || !readWindow(call, kernel, Axes)) return false;
    Attributes& attrs = call.node.attrs;
    attrs.set("groups", groups);
    attrs.set("out_channels", weight->dims[0]);
    attrs.set("in_channels", saturatingMul(weight->dims[1], groups));
    attrs.set("bias", call.has(2));
    return call.bind("weight", 1) && call.bind("bias", 2);
}

void write(OnnxWriter& writer)
{
    OnnxAttrs attrs = windowAttrs(writer.node());
    attrs.emplace("group", attrInt(writer.node(), "groups", 1));
    std::vector<std::string> inputs{writer.input(), writer.tensor("weight")};
    if (writer.node().attrs.getBool("bias", true)) inputs.push_back(writer.tensor("bias"));
    writer.finish("Conv", inputs, attrs);
}

OpDef define(const char* kind, const char* doc, TorchOp torch, std::size_t axes, bool (*reader)(OnnxCall&))
{
    const auto list = [&](const char* name, const char* text, std::int64_t fallback, std::size_t count) {
        return AttrDef{.name = name, .type = AttrType::IntList, .fallback = Ints(count, fallback), .doc = text};
    };
    return OpDef{
        .kind = kind,
        .opClass = OpClass::Convolution,
        .memory = keepsInputs,
        .doc = doc,
        .attrs = {{.name = "out_channels", .type = AttrType::Int, .fallback = std::int64_t{64}, .doc = "Number of feature maps it makes", .min = 1},
                  list("kernel_size", "Size of the window along each axis", 1, axes),
                  list("stride", "Step of the window", 1, axes),
                  list("padding", "Added at the beginnings, then at the ends", 0, axes * 2),
                  list("dilation", "Distance between the kernel's taps", 1, axes),
                  autoPadAttr(),
                  {.name = "groups", .type = AttrType::Int, .fallback = std::int64_t{1}, .doc = "Independent convolutions", .min = 1},
                  {.name = "bias", .type = AttrType::Bool, .fallback = true, .doc = "Adds a learned constant to each channel"},
                  {.name = "in_channels", .type = AttrType::Int, .fallback = std::int64_t{1}, .doc = "Channels that it reads", .shown = false}},
        .reach = reach,
        .infer = infer,
        .params = params,
        .macs = macs,
        .torch = {torch, {"stride", "padding", "dilation", "groups"}, {"weight", "bias"}},
        .onnx = {.types = {"Conv"}, .read = reader, .write = write},
    };
}

}  // namespace

const OpDef& conv1dOp()
{
    static const OpDef def = define("Conv1d", "One-dimensional convolution. Analysed where it runs along one of the image's axes or over channels.", TorchOp::Conv1d, 1, read<1>);
    return def;
}

const OpDef& conv3dOp()
{
    static const OpDef def = define("Conv3d", "Three-dimensional convolution; drawn and written back, not analysed.", TorchOp::Conv3d, 3, read<3>);
    return def;
}

}  // namespace fovea
