#include "core/ops/common.h"
#include "core/ops/older_forms.h"

#include <algorithm>
#include <array>

namespace fovea {

namespace {

constexpr std::int64_t kMaxPadding = 1'000'000'000;

// Top, left, bottom, right; nullopt where they follow sizes that are unknown.
std::optional<Ints> paddingOf(const NodeView& view)
{
    Ints out(4, 0);
    const std::string sizes = view.node.attrs.getText("sizes");
    if (sizes.empty()) {
        for (std::size_t i = 0; i < 4; ++i) out[i] = attrAt(view.node, "padding", i, 0);
        return out;
    }
    const auto now = evaluateSizes(sizes, view.in);
    for (std::size_t i = 0; i < 4; ++i) {
        if (i >= now.size() || !now[i] || std::abs(*now[i]) > kMaxPadding) return std::nullopt;
        out[i] = *now[i];
    }
    return out;
}

// The map that it pads; its height and width are where those of a window would be.
Value mapOf(std::span<const Value> in)
{
    Value out = in.empty() ? Value{} : in[0];
    if (out.shape.hasRank()) out.layout = windowLayout(out, 2);
    return out;
}

Reach reach(const NodeView& view)
{
    Reach out;
    const Value in = mapOf(view.in);
    const auto padding = paddingOf(view);
    AxisReach* axes[2] = {&out.h, &out.w};
    const std::int64_t sizes[2] = {in.height(), in.width()};
    for (std::size_t axis = 0; axis < 2; ++axis) {
        const std::int64_t begin = padding ? (*padding)[axis] : 0, end = padding ? (*padding)[axis + 2] : 0;
        axes[axis]->kind = ReachKind::Crop;
        axes[axis]->offset = -begin;
        axes[axis]->length = sizes[axis] < 0 || !padding ? kUnknown : saturatingAdd(sizes[axis], saturatingAdd(begin, end));
    }
    return out;
}

// A mirror shows rows behind the outermost one, so there must be more of them than it adds on a side.
void checkMirror(InferContext& context, Value& out)
{
    const Value in = mapOf(context.in());
    const std::int64_t sizes[2] = {in.height(), in.width()};
    const auto padding = paddingOf({context.node(), context.in(), {}});
    for (std::size_t axis = 0; padding && axis < 2; ++axis) {
        const std::int64_t most = std::max((*padding)[axis], (*padding)[axis + 2]);
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
    Value out = mapOf(context.in());
    const Node& node = context.node();
    if (!out.shape.hasRank()) return;
    const Reach made = reach({node, context.in(), {}});
    const auto grow = [&](int dim, std::int64_t size) {
        if (dim < 0 || dim >= out.shape.rank()) return;
        if (out.shape[dim] >= 0 && size < 1 && size != kUnknown) {
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

struct Side {
    SizeExpr expr{0};
    std::int64_t now = 0;  // at the declared size
};

// Begins of all dimensions, then ends; nullopt where they are not known.
std::optional<std::vector<Side>> padsOf(const OnnxCall& call)
{
    const auto rank = static_cast<std::size_t>(std::max(call.value(0).shape.rank(), 0));
    std::vector<Side> given, out(rank * 2);
    if (const auto list = call.getInts(call.opset >= 2 ? "pads" : "paddings")) {
        for (const std::int64_t pad : *list) given.push_back({SizeExpr(pad), pad});
    } else if (const auto numbers = call.numbers(1)) {
        for (const SizeExpr& number : *numbers) given.push_back({number, call.constant(1)->integer(static_cast<std::int64_t>(given.size()))});
    }
    if (!call.has(3)) return given.size() == rank * 2 && rank > 0 ? std::optional(given) : std::nullopt;
    const Tensor* axes = call.constant(3);
    if (!axes || given.empty() || axes->elements() * 2 != static_cast<std::int64_t>(given.size())) return std::nullopt;
    for (std::size_t i = 0; i * 2 < given.size(); ++i) {
        const int dim = normalAxis(axes->integer(static_cast<std::int64_t>(i)), static_cast<int>(rank));
        if (dim < 0) return std::nullopt;
        out[static_cast<std::size_t>(dim)] = given[i];
        out[static_cast<std::size_t>(dim) + rank] = given[i + given.size() / 2];
    }
    return out;
}

bool read(OnnxCall& call)
{
    const Value& in = call.value(0);
    const int rank = in.shape.rank();
    const auto pads = padsOf(call);
    if (!pads) return false;
    std::vector<SizeExpr> sides(4, SizeExpr(0));
    Ints padding{0, 0, 0, 0}, channels{0, 0};
    for (int dim = 0; dim < rank; ++dim) {
        const auto &[first, begin] = (*pads)[static_cast<std::size_t>(dim)];
        const auto &[last, end] = (*pads)[static_cast<std::size_t>(dim + rank)];
        if (first.constant() == 0 && last.constant() == 0) continue;
        if (std::max(std::abs(begin), std::abs(end)) > kMaxPadding) return false;
        const bool h = dim == in.layout.h && dim != in.layout.w, w = dim == in.layout.w && dim != in.layout.h;
        if (h || w) {
            const std::size_t at = h ? 0 : 1;
            sides[at] = first, sides[at + 2] = last;
            padding[at] = begin, padding[at + 2] = end;
        } else if (dim == in.layout.c && first.constant() && last.constant()) channels = {begin, end};
        else return false;
    }
    if (std::any_of(sides.begin(), sides.end(), [](const SizeExpr& side) { return !side.constant(); })) {
        const auto text = call.sizesText(sides);
        if (!text) return false;
        call.node.attrs.set("sizes", *text);
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

Ints paddingNow(OnnxWriter& writer)
{
    std::vector<Value> in;
    for (std::size_t i = 0; i < writer.node().inputs.size(); ++i) in.push_back(writer.inputValue(i));
    return paddingOf({writer.node(), in, {}}).value_or(Ints(4, 0));
}

// The pads of all dimensions, those of height and width as the layer's sizes say.
std::string allPads(const Layout& layout, int rank, const Ints& pads, const std::string& sizes)
{
    std::vector<std::string> parts;
    for (const std::int64_t pad : pads) parts.push_back(std::to_string(pad));
    std::size_t from = 0;
    for (const int at : {static_cast<int>(layout.h), static_cast<int>(layout.w), layout.h + rank, layout.w + rank}) {
        const std::size_t to = std::min(sizes.find(';', from), sizes.size());
        if (at >= 0 && at < static_cast<int>(parts.size()) && from <= sizes.size()) parts[static_cast<std::size_t>(at)] = sizes.substr(from, to - from);
        from = to + 1;
    }
    std::string out;
    for (const std::string& part : parts) out += (out.empty() ? "" : ";") + part;
    return out;
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
    const Ints padding = paddingNow(writer);
    put(in.layout.h, padding[0], padding[2]);
    put(in.layout.w, padding[1], padding[3]);
    std::string mode = "constant";
    for (const auto& [kind, name] : kModes)
        if (node.kind == kind) mode = name;
    const double value = node.attrs.getDouble("value", 0);
    const std::string sizes = node.attrs.getText("sizes");
    if (!sizes.empty() && writer.opset() < 11) writer.needFixedSides("Before opset 11 a padding that follows sizes can be written", 11);
    if (sizes.empty() || writer.opset() < 11) {
        emitPad(writer, writer.input(), pads, mode, value, {writer.output()});
        return;
    }
    std::vector<std::string> inputs{writer.input(), writer.sizes(allPads(in.layout, rank, pads, sizes))};
    if (mode == "constant") inputs.push_back(writer.real(value));
    writer.finish("Pad", inputs, {{"mode", mode}});
}

// Pairs (begin, end) per dimension of the input, first dimension first.
void sides(const NodeView& view, Attributes& args)
{
    const Value in = view.in.empty() ? Value{} : view.in[0];
    Ints pads(static_cast<std::size_t>(std::max(in.shape.rank(), 0)) * 2, 0);
    const auto put = [&](int dim, std::int64_t begin, std::int64_t end) {
        if (dim < 0 || dim >= in.shape.rank()) return;
        pads[static_cast<std::size_t>(dim) * 2] = begin;
        pads[static_cast<std::size_t>(dim) * 2 + 1] = end;
    };
    const Ints padding = paddingOf(view).value_or(Ints(4, 0));
    put(in.layout.c, attrAt(view.node, "channel_padding", 0, 0), attrAt(view.node, "channel_padding", 1, 0));
    put(in.layout.h, padding[0], padding[2]);
    put(in.layout.w, padding[1], padding[3]);
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
                           {.name = "value", .type = AttrType::Real, .fallback = 0.0, .doc = "What is added"},
                           {.name = "sizes",
                            .type = AttrType::Text,
                            .fallback = std::string(),
                            .doc = "Top, left, bottom, right where they follow sizes of its inputs",
                            .shown = false}},
                 .maxInputs = -1,
                 .pathInputs = 1,
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
