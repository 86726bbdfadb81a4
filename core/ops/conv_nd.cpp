#include "core/ops/common.h"

#include <algorithm>

// 1-D and 3-D convolutions open and are drawn; their fields are not along image axes, so they are unknown.
namespace fovea {

namespace {

Reach unknownReach(const NodeView&)
{
    Reach reach;
    reach.h.kind = reach.w.kind = ReachKind::Unknown;
    return reach;
}

void infer(InferContext& context)
{
    const Node& node = context.node();
    const Ints* kernel = node.attrs.getInts("kernel_size");
    const int axes = kernel ? static_cast<int>(kernel->size()) : 1;
    context.issue("unsupported-dimensions", Severity::Warning, "",
                  node.kind + " has " + std::to_string(axes) + " spatial axes; receptive fields are computed for images (two axes) only.",
                  "Its verdict and those behind it are unknown.");
    Value out{Shape::ofRank(axes + 2), {1, -1, -1}};
    const Value& in = context.in(0);
    out.shape[1] = attrInt(node, "out_channels");
    if (in.shape.rank() == axes + 2) {
        out.shape[0] = in.shape[0];
        for (int i = 0; i < axes; ++i) {
            const auto at = [&](const char* name, int offset, std::int64_t fallback) {
                return attrAt(node, name, static_cast<std::size_t>(i + offset), fallback);
            };
            AxisReach r;
            r.kind = ReachKind::Window;
            r.kernel = at("kernel_size", 0, 1);
            r.stride = at("stride", 0, 1);
            r.dilation = at("dilation", 0, 1);
            r.padBegin = at("padding", 0, 0);
            r.padEnd = at("padding", axes, 0);
            out.shape[i + 2] = outputSize(r, in.shape[i + 2]);
        }
    }
    context.out() = out;
}

std::vector<ParamSpec> params(const NodeView& view)
{
    const std::int64_t groups = std::max<std::int64_t>(1, attrInt(view.node, "groups", 1));
    const std::int64_t in = attrInt(view.node, "in_channels");
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
    if (!weight || weight->dims.size() != Axes + 2 || call.getText("auto_pad", "NOTSET") != "NOTSET") return false;
    const Ints kernel(weight->dims.begin() + 2, weight->dims.end());
    const std::int64_t groups = call.getInt("group", 1);
    if (groups < 1) return false;
    Attributes& attrs = call.node.attrs;
    attrs.set("kernel_size", kernel);
    attrs.set("stride", call.getInts("strides").value_or(Ints(Axes, 1)));
    attrs.set("dilation", call.getInts("dilations").value_or(Ints(Axes, 1)));
    attrs.set("padding", call.getInts("pads").value_or(Ints(Axes * 2, 0)));
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
                  {.name = "groups", .type = AttrType::Int, .fallback = std::int64_t{1}, .doc = "Independent convolutions", .min = 1},
                  {.name = "bias", .type = AttrType::Bool, .fallback = true, .doc = "Adds a learned constant to each channel"},
                  {.name = "in_channels", .type = AttrType::Int, .fallback = std::int64_t{1}, .doc = "Channels that it reads", .shown = false}},
        .reach = unknownReach,
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
    static const OpDef def = define("Conv1d", "One-dimensional convolution; drawn and written back, not analysed.", TorchOp::Conv1d, 1, read<1>);
    return def;
}

const OpDef& conv3dOp()
{
    static const OpDef def = define("Conv3d", "Three-dimensional convolution; drawn and written back, not analysed.", TorchOp::Conv3d, 3, read<3>);
    return def;
}

}  // namespace fovea
