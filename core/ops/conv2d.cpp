#include "core/ops/common.h"

#include <algorithm>

namespace fovea {

namespace {

std::int64_t inChannels(const Node& node, const Value& in)
{
    const std::int64_t channels = imageChannels(in);
    if (channels > 0) return channels;
    const std::int64_t stated = attrInt(node, "in_channels");
    return stated > 0 ? stated : kUnknown;
}

void infer(InferContext& context)
{
    const Node& node = context.node();
    const std::int64_t channels = inChannels(node, context.in(0)), groups = attrInt(node, "groups", 1);
    const std::int64_t out = attrInt(node, "out_channels");
    if (groups < 1 || out % std::max<std::int64_t>(groups, 1) != 0 || (channels > 0 && channels % std::max<std::int64_t>(groups, 1) != 0)) {
        context.issue("groups-mismatch", Severity::Error, "groups",
                      "groups=" + std::to_string(groups) + " must divide the " + (channels > 0 ? std::to_string(channels) : "?") +
                          " input channels and the " + std::to_string(out) + " output channels.",
                      "Set groups or out_channels to values that divide each other.");
        context.out() = unknownLike({Shape::ofRank(4), kNchw});
        context.out().shape[1] = out;
        return;
    }
    context.out() = slide(context, dimWindows({node, context.in(), {}}), out);
}

std::vector<ParamSpec> params(const NodeView& view)
{
    const std::int64_t groups = std::max<std::int64_t>(1, attrInt(view.node, "groups", 1));
    const std::int64_t in = inChannels(view.node, view.in.empty() ? Value{} : view.in[0]), out = attrInt(view.node, "out_channels");
    const std::int64_t kh = attrAt(view.node, "kernel_size", 0, 1), kw = attrAt(view.node, "kernel_size", 1, 1);
    const std::int64_t perGroup = in < 0 ? kUnknown : in / groups;
    const std::int64_t fan = perGroup < 0 ? 0 : saturatingMul(perGroup, saturatingMul(kh, kw));
    std::vector<ParamSpec> specs{{.role = "weight", .dims = {out, perGroup, kh, kw}, .init = Init::KaimingUniform, .fanIn = fan}};
    if (view.node.attrs.getBool("bias", true)) specs.push_back({.role = "bias", .dims = {out}, .init = Init::BiasUniform, .fanIn = fan});
    return specs;
}

std::optional<std::int64_t> macs(const NodeView& view)
{
    const std::int64_t groups = std::max<std::int64_t>(1, attrInt(view.node, "groups", 1));
    const std::int64_t in = inChannels(view.node, view.in[0]);
    return product({elementsPerImage(view.out[0]).value_or(kUnknown), in < 0 ? in : in / groups, attrAt(view.node, "kernel_size", 0, 1),
                    attrAt(view.node, "kernel_size", 1, 1)});
}

bool read(OnnxCall& call)
{
    const Tensor* weight = call.constant(1);
    if (!weight || weight->dims.size() != 4) return false;
    const Ints kernel = call.getInts("kernel_shape").value_or(Ints{weight->dims[2], weight->dims[3]});
    if (kernel != Ints{weight->dims[2], weight->dims[3]}) return false;
    const std::int64_t groups = call.getInt("group", 1);
    if (groups < 1 || weight->dims[0] < 1 || !readWindow(call, kernel)) return false;
    Attributes& attrs = call.node.attrs;
    attrs.set("out_channels", weight->dims[0]);
    attrs.set("in_channels", saturatingMul(weight->dims[1], groups));
    attrs.set("groups", groups);
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

}  // namespace

const OpDef& conv2dOp()
{
    static const OpDef def{
        .kind = "Conv2d",
        .opClass = OpClass::Convolution,
        .memory = keepsInputs,
        .doc = "Two-dimensional convolution. With groups equal to its channels it is depthwise.",
        .attrs = {{.name = "out_channels", .type = AttrType::Int, .fallback = std::int64_t{64}, .doc = "Number of feature maps it makes", .min = 1, .unit = "channels"},
                  kernelAttr(),
                  strideAttr(),
                  paddingAttr(),
                  dilationAttr(),
                  autoPadAttr(),
                  {.name = "groups", .type = AttrType::Int, .fallback = std::int64_t{1}, .doc = "Channels are split into this many independent convolutions", .min = 1},
                  {.name = "bias", .type = AttrType::Bool, .fallback = true, .doc = "Adds a learned constant to each channel"},
                  {.name = "in_channels", .type = AttrType::Int, .fallback = std::int64_t{0}, .doc = "Channels of the imported weight; used where the edge does not tell", .shown = false},
                  initAttr()},
        .reach = windowReach,
        .reads = readsChannels,
        .infer = infer,
        .params = params,
        .macs = macs,
        .torch = {TorchOp::Conv2d, {"stride", "padding", "dilation", "groups"}, {"weight", "bias"}},
        .onnx = {.types = {"Conv"}, .read = read, .write = write},
    };
    return def;
}

}  // namespace fovea
