#include "core/ops/norms.h"

#include <algorithm>

namespace fovea {

namespace {

// PyTorch writes it as Reshape [0, groups, -1], InstanceNormalization by ones and zeros, Reshape back, Mul, Add.
bool fuse(Rewriter& rewriter, const Node& last)
{
    if (last.kind != "Add" || !last.tensor("other")) return false;
    const Node* scale = rewriter.producer(last, 0);
    if (!scale || scale->kind != "Mul" || !scale->tensor("other")) return false;
    const Node* back = rewriter.producer(*scale, 0);
    if (!back || back->kind != "Reshape") return false;
    const Node* norm = rewriter.producer(*back, 0);
    if (!norm || norm->kind != "InstanceNorm2d") return false;
    const Node* split = rewriter.producer(*norm, 0);
    if (!split || split->kind != "Reshape") return false;
    const Value& in = rewriter.value(split->inputs[0]);
    const std::int64_t groups =
        rewriter.value({split->id, 0}).shape.rank() >= 3 ? rewriter.value({split->id, 0}).shape[1] : kUnknown;
    if (groups < 1 || in.channels() < 1 || in.layout.c != 1 || rewriter.value({back->id, 0}).shape != in.shape)
        return false;
    for (const Node* node : {&last, scale}) {
        const Tensor* tensor = rewriter.boundTensor(*node, "other");
        if (!tensor || tensor->elements() != in.channels()) return false;
    }
    for (const char* role : {"weight", "bias"}) {
        const Tensor* tensor = rewriter.boundTensor(*norm, role);
        if (!tensor || tensor->elements() != groups) return false;
        for (std::int64_t i = 0; i < groups; ++i)
            if (tensor->real(i) != (role[0] == 'w' ? 1.0 : 0.0)) return false;
    }
    Node node;
    node.kind = "GroupNorm";
    node.attrs.set("num_groups", groups);
    node.attrs.set("eps", norm->attrs.getDouble("eps", 1e-5));
    node.inputs = {split->inputs[0]};
    node.tensors = {{"weight", scale->tensor("other")->tensor}, {"bias", last.tensor("other")->tensor}};
    rewriter.replace(last, node, {split->id, norm->id, back->id, scale->id, last.id});
    return true;
}

// Its own operator holds one weight a group up to opset 20.
bool readOwn(OnnxCall& call)
{
    const Tensor* weight = call.constant(1);
    if (!weight || !call.isConstant(2)) return call.refuse("its weights are no constants");
    const std::int64_t groups = call.getInt("num_groups", 1), channels = call.value(0).channels();
    if (weight->elements() == groups && groups != channels) call.node.attrs.set("per_group", true);
    call.node.attrs.set("num_groups", groups);
    call.node.attrs.set("eps", call.getReal("epsilon", 1e-5));
    return call.bind("weight", 1) && call.bind("bias", 2);
}

void write(OnnxWriter& writer)
{
    if (writer.node().attrs.getBool("per_group", false)) {
        writer.finish("GroupNormalization", {writer.input(), writer.tensor("weight"), writer.tensor("bias")},
                      {{"epsilon", writer.node().attrs.getDouble("eps", 1e-5)}, {"num_groups", attrInt(writer.node(), "num_groups", 1)}});
        return;
    }
    const std::int64_t groups = attrInt(writer.node(), "num_groups", 1);
    std::vector<float> ones(static_cast<std::size_t>(groups), 1.0f), zeros(static_cast<std::size_t>(groups), 0.0f);
    const std::string split = writer.emit("Reshape", {writer.input(), writer.ints({0, groups, -1})});
    const std::string norm = writer.emit("InstanceNormalization",
                                         {split, writer.constant(Tensor::fromFloats({groups}, ones)),
                                          writer.constant(Tensor::fromFloats({groups}, zeros))},
                                         {{"epsilon", writer.node().attrs.getDouble("eps", 1e-5)}});
    const std::string back = writer.emit("Reshape", {norm, writer.emit("Shape", {writer.input()})});
    Ints perChannel{writer.known(writer.inputValue().channels(), "how many channels it reads")};
    perChannel.resize(static_cast<std::size_t>(std::max(writer.inputValue().shape.rank(), 2)) - 1, 1);
    const std::string scaled = writer.emit("Mul", {back, writer.tensor("weight", perChannel)});
    writer.finish("Add", {scaled, writer.tensor("bias", perChannel)});
}

}  // namespace

const OpDef& groupNormOp()
{
    static const OpDef def{
        .kind = "GroupNorm",
        .opClass = OpClass::Normalization,
        .memory = keepsInputs,
        .doc = "Normalises groups of channels of each image by their own statistics.",
        .attrs = {{.name = "num_groups",
                   .type = AttrType::Int,
                   .fallback = std::int64_t{32},
                   .doc = "Channels are split into this many groups",
                   .min = 1},
                  epsAttr(),
                  {.name = "per_group", .type = AttrType::Bool, .fallback = false, .doc = "One weight a group, not a channel", .shown = false}},
        .infer =
            [](InferContext& context) {
                context.out() = context.in(0);
                const std::int64_t groups = attrInt(context.node(), "num_groups", 1),
                                   channels = context.in(0).channels();
                if (groups < 1 || (channels > 0 && channels % groups != 0))
                    context.issue("groups-mismatch", Severity::Error, "num_groups",
                                  std::to_string(groups) + " groups do not divide " + std::to_string(channels) +
                                      " channels.",
                                  "Choose a number of groups that divides the channels.");
            },
        .params =
            [](const NodeView& view) {
                if (view.node.attrs.getBool("per_group", false)) return affine({attrInt(view.node, "num_groups", 1)});
                return affine({view.in.empty() ? kUnknown : view.in[0].channels()});
            },
        .torch = {TorchOp::GroupNorm, {"num_groups", "eps", "per_group"}, {"weight", "bias"}},
        .onnx = {.types = {"GroupNormalization"}, .read = readOwn, .write = write, .fuse = fuse},
    };
    return def;
}

}  // namespace fovea
