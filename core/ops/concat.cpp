#include "core/graph/dimensions.h"
#include "core/ops/common.h"

#include <algorithm>

namespace fovea {

namespace {

bool isImage(const Factor& factor) { return factor.axis == Axis::Height || factor.axis == Axis::Width; }

bool holdsImage(const Dimension& dimension) { return std::any_of(dimension.factors.begin(), dimension.factors.end(), isImage); }

// Class tokens in front of positions, or behind them: the positions keep their rows and columns.
std::optional<Value> withTokens(std::span<const Value> in, int axis)
{
    std::optional<Value> map;
    std::int64_t before = 0, after = 0;
    for (const Value& value : in) {
        if (axis >= value.shape.rank() || value.shape[axis] < 0) return std::nullopt;
        if (!holdsImage(dimensionsOf(value)[static_cast<std::size_t>(axis)])) (map ? after : before) += value.shape[axis];
        else if (!value.folded || map) return std::nullopt;
        else map = value;
    }
    if (!map || before + after == 0) return std::nullopt;
    Dimensions dimensions = dimensionsOf(*map);
    Dimension& joined = dimensions[static_cast<std::size_t>(axis)];
    joined.before += before;
    joined.after += after;
    return valueOf(std::move(dimensions));
}

// Parts of an image axis that lie in the joined channels are read together.
std::vector<int> reads(const NodeView& view)
{
    const int axis = view.in.empty() ? -1 : normalAxis(attrInt(view.node, "dim", 1), view.in[0].shape.rank());
    if (axis < 0 || !holdsImage(dimensionsOf(view.in[0])[static_cast<std::size_t>(axis)])) return {};
    return view.in[0].layout.c == axis ? std::vector{axis} : std::vector<int>{};
}

void infer(InferContext& context)
{
    const std::vector<int> read = reads({context.node(), context.in(), {}});
    Value out = read.empty() ? context.in(0) : readWhole(context.in(0), read);
    const int axis = normalAxis(attrInt(context.node(), "dim", 1), out.shape.rank());
    if (axis < 0) {
        context.out() = unknownLike(out);
        return;
    }
    for (std::size_t i = 1; i < context.in().size(); ++i) {
        const Value& next = context.in(i);
        if (next.shape.rank() != out.shape.rank()) {
            if (next.shape.hasRank())
                context.issue("shape-mismatch", Severity::Error, "", "Concat joins ranks " + out.shape.text() + " and " + next.shape.text() + ".",
                              "Give all inputs the same rank.");
            context.out() = unknownLike(out);
            return;
        }
        if (out.layout == Layout{} && next.layout != Layout{} && !next.folded) out.layout = next.layout;
        for (int dim = 0; dim < out.shape.rank(); ++dim) {
            const std::int64_t a = out.shape[dim], b = next.shape[dim];
            if (dim == axis) out.shape[dim] = a < 0 || b < 0 ? kUnknown : saturatingAdd(a, b);
            else if (a >= 0 && b >= 0 && a != b) {
                context.issue("shape-mismatch", Severity::Error, "",
                              "Concat joins " + context.in(0).shape.text() + " and " + next.shape.text() + ", which differ outside dimension " + std::to_string(axis) + ".",
                              "Give all branches the same stride and padding.");
                context.out() = unknownLike(out);
                return;
            } else if (a < 0) out.shape[dim] = b;
        }
    }
    const auto tokens = withTokens(context.in(), axis);
    context.out() = tokens && tokens->shape == out.shape ? *tokens : out;
}

}  // namespace

const OpDef& concatOp()
{
    static const OpDef def{
        .kind = "Concat",
        .opClass = OpClass::Merge,
        .doc = "Stacks its inputs along a dimension, mostly the channels.",
        .attrs = {{.name = "dim", .type = AttrType::Int, .fallback = std::int64_t{1}, .doc = "Dimension that grows; 1 are the channels", .min = -8}},
        .minInputs = 1,
        .maxInputs = -1,
        .reads = reads,
        .infer = infer,
        .torch = {TorchOp::Concat, {"dim"}},
        .onnx = {.types = {"Concat"},
                 .read =
                     [](OnnxCall& call) {
                         call.node.attrs.set("dim", call.getInt("axis", 1));
                         call.dataInputs.clear();
                         for (std::size_t i = 0; i < call.args.size(); ++i) call.dataInputs.push_back(i);
                         return !call.args.empty();
                     },
                 .write =
                     [](OnnxWriter& writer) {
                         std::vector<std::string> inputs;
                         for (std::size_t i = 0; i < writer.node().inputs.size(); ++i) inputs.push_back(writer.input(i));
                         writer.finish("Concat", inputs, {{"axis", writer.axis(attrInt(writer.node(), "dim", 1))}});
                     }},
    };
    return def;
}

}  // namespace fovea
