#include "core/ops/common.h"
#include "core/ops/older_forms.h"

#include <algorithm>
#include <array>

namespace fovea {

namespace {

Reach reach(const NodeView& view)
{
    Reach out;
    const Value in = view.in.empty() ? Value{} : view.in[0];
    AxisReach* axes[2] = {&out.h, &out.w};
    const std::int64_t sizes[2] = {in.height(), in.width()};
    for (std::size_t axis = 0; axis < 2; ++axis) {
        const std::int64_t begin = attrAt(view.node, "padding", axis, 0),
                           end = attrAt(view.node, "padding", axis + 2, 0);
        axes[axis]->kind = ReachKind::Crop;
        axes[axis]->offset = -begin;
        axes[axis]->length = sizes[axis] < 0 ? kUnknown : saturatingAdd(sizes[axis], saturatingAdd(begin, end));
    }
    return out;
}

// A mirror shows rows behind the outermost one, so there must be more of them than it adds on a side.
void checkMirror(InferContext& context, Value& out)
{
    const std::int64_t sizes[2] = {context.in(0).height(), context.in(0).width()};
    for (std::size_t axis = 0; axis < 2; ++axis) {
        const std::int64_t most =
            std::max(attrAt(context.node(), "padding", axis, 0), attrAt(context.node(), "padding", axis + 2, 0));
        if (sizes[axis] < 0 || most < sizes[axis] || most < 1) continue;
        context.issue("input-too-small", Severity::Error, "padding",
                      "It mirrors " + std::to_string(most) +
                          (axis == 0 ? " rows, but the map is only " : " columns, but the map is only ") +
                          std::to_string(sizes[axis]) + (axis == 0 ? " high." : " wide."),
                      "Mirror fewer than the map has, use a larger input, or remove a downsampling before this layer.");
        out.shape[axis == 0 ? out.layout.h : out.layout.w] = kUnknown;
    }
}

void infer(InferContext& context)
{
    Value out = context.in(0);
    const Node& node = context.node();
    if (!out.shape.hasRank()) return;
    const Reach made = reach({node, context.in(), {}});
    const auto grow = [&](int dim, std::int64_t size) {
        if (dim < 0 || dim >= out.shape.rank()) return;
        if (out.shape[dim] >= 0 && size < 1) {
            context.issue("input-too-small", Severity::Error, "padding", "Nothing is left after cropping.",
                          "Crop less or use a larger input.");
            size = kUnknown;
        }
        out.shape[dim] = out.shape[dim] < 0 ? kUnknown : size;
    };
    grow(out.layout.h, made.h.length);
    grow(out.layout.w, made.w.length);
    const std::int64_t extra = attrAt(node, "channel_padding", 0, 0) + attrAt(node, "channel_padding", 1, 0);
    if (extra != 0) grow(out.layout.c, out.channels() < 0 ? kUnknown : out.channels() + extra);
    if (node.kind == "ReflectionPad2d") checkMirror(context, out);
    context.out() = out;
}

// PyTorch's class for each mode.
constexpr std::array<std::pair<const char*, const char*>, 3> kModes{
    {{"ZeroPad2d", "constant"}, {"ReflectionPad2d", "reflect"}, {"ReplicationPad2d", "edge"}}};

bool read(OnnxCall& call)
{
    bool dynamic = false;
    const auto pads = call.listFrom(call.opset >= 2 ? "pads" : "paddings", 1, &dynamic);
    const Value& in = call.value(0);
    const int rank = in.shape.rank();
    if (dynamic || !pads || rank < 1 || pads->size() != static_cast<std::size_t>(rank) * 2 || call.has(3)) return false;
    Ints padding{0, 0, 0, 0}, channels{0, 0};
    for (int dim = 0; dim < rank; ++dim) {
        const std::int64_t begin = (*pads)[static_cast<std::size_t>(dim)],
                           end = (*pads)[static_cast<std::size_t>(dim + rank)];
        if (begin == 0 && end == 0) continue;
        if (std::max(std::abs(begin), std::abs(end)) > 1'000'000'000) return false;
        if (dim == in.layout.h && dim != in.layout.w) padding[0] = begin, padding[2] = end;
        else if (dim == in.layout.w && dim != in.layout.h) padding[1] = begin, padding[3] = end;
        else if (dim == in.layout.c) channels = {begin, end};
        else return false;
    }
    const std::string mode = call.getText("mode", "constant");
    for (const auto& [kind, name] : kModes) {
        if (mode != name) continue;
        double value = call.getReal("value", 0);
        if (call.has(2)) {
            const Tensor* filler = call.constant(2);
            if (!filler || filler->elements() != 1) return false;
            value = filler->real(0);
        }
        call.node.kind = kind;
        call.node.attrs.set("padding", padding);
        if (channels != Ints{0, 0}) call.node.attrs.set("channel_padding", channels);
        if (value != 0) call.node.attrs.set("value", value);
        return true;
    }
    return false;
}

void write(OnnxWriter& writer)
{
    const Node& node = writer.node();
    const Value& in = writer.inputValue();
    const auto rank = static_cast<int>(writer.known(in.shape.rank(), "the rank of its input"));
    Ints pads(static_cast<std::size_t>(rank) * 2, 0);
    const auto put = [&](int dim, std::int64_t begin, std::int64_t end) {
        if (dim < 0) return;
        pads[static_cast<std::size_t>(dim)] = begin;
        pads[static_cast<std::size_t>(dim + rank)] = end;
    };
    put(in.layout.c, attrAt(node, "channel_padding", 0, 0), attrAt(node, "channel_padding", 1, 0));
    put(in.layout.h, attrAt(node, "padding", 0, 0), attrAt(node, "padding", 2, 0));
    put(in.layout.w, attrAt(node, "padding", 1, 0), attrAt(node, "padding", 3, 0));
    std::string mode = "constant";
    for (const auto& [kind, name] : kModes)
        if (node.kind == kind) mode = name;
    emitPad(writer, writer.input(), pads, mode, node.attrs.getDouble("value", 0), {writer.output()});
}

// Pairs (begin, end) per dimension of the input, first dimension first.
void sides(const NodeView& view, Attributes& args)
{
    const Value in = view.in.empty() ? Value{} : view.in[0];
    Ints pads(static_cast<std::size_t>(std::max(in.shape.rank(), 0)) * 2, 0);
    const auto put = [&](int dim, const char* name, std::size_t begin, std::size_t end) {
        if (dim < 0 || dim >= in.shape.rank()) return;
        pads[static_cast<std::size_t>(dim) * 2] = attrAt(view.node, name, begin, 0);
        pads[static_cast<std::size_t>(dim) * 2 + 1] = attrAt(view.node, name, end, 0);
    };
    put(in.layout.c, "channel_padding", 0, 1);
    put(in.layout.h, "padding", 0, 2);
    put(in.layout.w, "padding", 1, 3);
    args.set("pads", pads);
}

OpDef define(const char* kind, const char* doc, TorchOp torch, bool reads)
{
    return OpDef{.kind = kind,
                 .opClass = OpClass::Shape,
                 .memory = reads ? nullptr : keepsInputs,  // zeros need nothing to go back
                 .doc = doc,
                 .attrs = {{.name = "padding",
                            .type = AttrType::Quad,
                            .fallback = Ints{0, 0, 0, 0},
                            .doc = "Added at top, left, bottom, right; negative crops",
                            .min = -1'000'000'000,
                            .unit = "units"},
                           {.name = "channel_padding",
                            .type = AttrType::IntList,
                            .fallback = Ints{0, 0},
                            .doc = "Channels added before and behind",
                            .min = -1'000'000'000,
                            .shown = false},
                           {.name = "value", .type = AttrType::Real, .fallback = 0.0, .doc = "What is added"}},
                 .reach = reach,
                 .infer = infer,
                 .torch = {torch, {"value"}, {}, sides},
                 .onnx = {.types = reads ? std::vector<const char*>{"Pad"} : std::vector<const char*>{},
                          .read = reads ? read : nullptr,
                          .write = write}};
}

}  // namespace

const OpDef& zeroPad2dOp()
{
    static const OpDef def = define("ZeroPad2d", "Adds rows and columns of a constant.", TorchOp::ConstantPad, true);
    return def;
}

const OpDef& reflectionPad2dOp()
{
    static const OpDef def =
        define("ReflectionPad2d", "Adds mirrored rows and columns.", TorchOp::ReflectionPad, false);
    return def;
}

const OpDef& replicationPad2dOp()
{
    static const OpDef def =
        define("ReplicationPad2d", "Repeats the outermost rows and columns.", TorchOp::ReplicationPad, false);
    return def;
}

}  // namespace fovea
