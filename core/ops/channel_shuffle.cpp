#include "core/ops/common.h"

namespace fovea {

namespace {

// Reshape to [n, g, c/g, h, w], Transpose of the two, Reshape back.
bool fuse(Rewriter& rewriter, const Node& last)
{
    if (last.kind != "Reshape") return false;
    const Node* swap = rewriter.producer(last, 0);
    const Node* split = swap && swap->kind == "Permute" ? rewriter.producer(*swap, 0) : nullptr;
    if (!split || split->kind != "Reshape") return false;
    const Ints* order = swap->attrs.getInts("dims");
    const Value& in = rewriter.value(split->inputs[0]);
    const Value& parts = rewriter.value({split->id, 0});
    const Value& out = rewriter.value({last.id, 0});
    const int rank = in.shape.rank();
    if (!order || in.layout.c != 1 || rank < 3 || parts.shape.rank() < 4 || out.shape != in.shape || !in.shape.isComplete() || !parts.shape.isComplete()) return false;
    Ints expected{0, 2, 1};
    for (int i = 3; i < parts.shape.rank(); ++i) expected.push_back(i);
    if (*order != expected || parts.shape[0] != in.shape[0] || parts.shape[1] * parts.shape[2] != in.shape[1]) return false;
    Node node;
    node.kind = "ChannelShuffle";
    node.attrs.set("groups", parts.shape[1]);
    node.inputs = {split->inputs[0]};
    rewriter.replace(last, node, {split->id, swap->id, last.id});
    return true;
}

void write(OnnxWriter& writer)
{
    // Positions are one dimension here, so that the file runs at every height and width.
    const std::int64_t groups = attrInt(writer.node(), "groups", 2), channels = writer.known(writer.inputValue().channels(), "how many channels it reads");
    const std::string split = writer.emit("Reshape", {writer.input(), writer.ints({0, groups, channels / groups, -1})});
    const std::string swapped = writer.emit("Transpose", {split}, {{"perm", Ints{0, 2, 1, 3}}});
    writer.finish("Reshape", {swapped, writer.emit("Shape", {writer.input()})});
}

}  // namespace

const OpDef& channelShuffleOp()
{
    static const OpDef def{
        .kind = "ChannelShuffle",
        .opClass = OpClass::Shape,
        .doc = "Interleaves the channels of its groups.",
        .attrs = {{.name = "groups", .type = AttrType::Int, .fallback = std::int64_t{2}, .doc = "Groups that are interleaved", .min = 1}},
        .infer =
            [](InferContext& context) {
                context.out() = context.in(0);
                const std::int64_t groups = attrInt(context.node(), "groups", 2), channels = context.in(0).channels();
                if (groups < 1 || (channels > 0 && channels % groups != 0))
                    context.issue("groups-mismatch", Severity::Error, "groups", std::to_string(groups) + " groups do not divide " + std::to_string(channels) + " channels.",
                                  "Choose a number of groups that divides the channels.");
            },
        .torch = {TorchOp::ChannelShuffle, {"groups"}},
        .onnx = {.write = write, .fuse = fuse},
    };
    return def;
}

}  // namespace fovea
