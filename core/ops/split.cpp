#include "core/ops/common.h"

namespace fovea {

namespace {

int parts(const Node& node)
{
    const Ints* sections = node.attrs.getInts("sections");
    if (sections && !sections->empty()) return static_cast<int>(std::min<std::size_t>(sections->size(), 4096));
    return static_cast<int>(std::min<std::int64_t>(std::max<std::int64_t>(attrInt(node, "chunks", 2), 1), 4096));
}

void infer(InferContext& context)
{
    const Node& node = context.node();
    const Value& in = context.in(0);
    const int axis = normalAxis(attrInt(node, "dim", 1), in.shape.rank());
    const Ints* sections = node.attrs.getInts("sections");
    const bool uneven = sections && !sections->empty();
    const int count = parts(node);
    std::int64_t left = axis < 0 ? kUnknown : in.shape[axis];
    const std::int64_t each = left < 0 ? kUnknown : ceilDiv(left, count);
    std::int64_t total = 0;
    for (std::size_t i = 0; i < context.outCount(); ++i) {
        Value out = axis < 0 ? unknownLike(in) : in;
        const std::int64_t size = uneven ? (i < sections->size() ? (*sections)[i] : 0) : each < 0 ? each : std::min(each, left);
        if (axis >= 0) out.shape[axis] = size;
        if (left >= 0 && size >= 0) left -= std::min(left, size);
        total = saturatingAdd(total, std::max<std::int64_t>(size, 0));
        context.out(i) = out;
    }
    if (uneven && axis >= 0 && in.shape[axis] >= 0 && total != in.shape[axis]) {
        context.issue("shape-mismatch", Severity::Error, "sections",
                      "The sections add up to " + std::to_string(total) + " but dimension " + std::to_string(axis) + " has " + std::to_string(in.shape[axis]) + ".",
                      "Make the sections add up to the size of the dimension.");
        for (std::size_t i = 0; i < context.outCount(); ++i) context.out(i) = unknownLike(in);
    }
}

Reach reach(const NodeView& view)
{
    Reach out;
    if (view.in.empty()) return out;
    const int axis = normalAxis(attrInt(view.node, "dim", 1), view.in[0].shape.rank());
    // Parts of the image, not of the channels: which part depends on the output, so only the extent is right.
    if (axis >= 0 && axis == view.in[0].layout.h) out.h.approximate = true;
    if (axis >= 0 && axis == view.in[0].layout.w) out.w.approximate = true;
    return out;
}

// Sizes of the parts as numbers, whichever way they were stated.
void splitSizes(const NodeView& view, Attributes& args)
{
    const int axis = view.in.empty() ? -1 : normalAxis(attrInt(view.node, "dim", 1), view.in[0].shape.rank());
    Ints sizes;
    for (const Value& out : view.out) sizes.push_back(axis >= 0 && axis < out.shape.rank() ? out.shape[axis] : kUnknown);
    args.set("split_sizes", sizes);
}

bool read(OnnxCall& call)
{
    const std::int64_t axis = call.getInt("axis", 0);
    bool dynamic = false;
    const auto sections = call.listFrom("split", 1, &dynamic);
    if (dynamic) return false;
    call.node.attrs.set("dim", axis);
    call.node.attrs.set("chunks", static_cast<std::int64_t>(call.outputCount));
    if (sections) {
        if (sections->size() != static_cast<std::size_t>(call.outputCount)) return false;
        bool even = true;
        for (const std::int64_t size : *sections) even = even && size == sections->front();
        if (!even) call.node.attrs.set("sections", *sections);
        else call.sizesBaked = true;
    }
    return call.outputCount >= 1;
}

void write(OnnxWriter& writer)
{
    const Node& node = writer.node();
    const Shape& in = writer.inputValue().shape;
    const int count = parts(node), axis = normalAxis(attrInt(node, "dim", 1), in.rank());
    const Ints* sections = node.attrs.getInts("sections");
    std::vector<std::string> outputs;
    Ints sizes;
    for (int i = 0; i < count; ++i) {
        outputs.push_back(writer.output(static_cast<std::size_t>(i)));
        const Value& value = writer.outputValue(static_cast<std::size_t>(i));
        sizes.push_back(writer.known(axis >= 0 && value.shape.rank() > axis ? value.shape[axis] : kUnknown, "how large the parts are"));
    }
    OnnxAttrs attrs{{"axis", writer.axis(attrInt(node, "dim", 1))}};
    // Equal parts of a dimension that the file may leave open have no sizes.
    const bool equal = (!sections || sections->empty()) && in[axis] % count == 0;
    if (writer.open().any() && equal && axis != writer.inputValue().layout.c) {
        if (writer.opset() >= 18) attrs.emplace("num_outputs", std::int64_t{count});
        writer.emit("Split", {writer.input()}, attrs, outputs);
        return;
    }
    if (writer.opset() >= 13) {
        writer.emit("Split", {writer.input(), writer.ints(sizes)}, attrs, outputs);
        return;
    }
    OnnxAttrs older = attrs;
    older.emplace("split", sizes);
    writer.emit("Split", {writer.input()}, older, outputs);
}

}  // namespace

const OpDef& splitOp()
{
    static const OpDef def{
        .kind = "Split",
        .opClass = OpClass::Shape,
        .memory = isView,
        .doc = "Cuts its input into parts along a dimension.",
        .attrs = {{.name = "dim", .type = AttrType::Int, .fallback = std::int64_t{1}, .doc = "Dimension that is cut; 1 are the channels", .min = -8},
                  {.name = "chunks", .type = AttrType::Int, .fallback = std::int64_t{2}, .doc = "Number of equal parts", .min = 1, .max = 4096},
                  {.name = "sections", .type = AttrType::IntList, .fallback = Ints{}, .doc = "Sizes of the parts, where they are not equal"}},
        .outputs = parts,
        .reach = reach,
        .infer = infer,
        .torch = {TorchOp::Split, {"dim"}, {}, splitSizes},
        .onnx = {.types = {"Split"}, .read = read, .write = write},
    };
    return def;
}

}  // namespace fovea
