#include "core/graph/dimensions.h"
#include "core/ops/common.h"

namespace fovea {

namespace {

Ints orderOf(const Node& node, int rank)
{
    const Ints* dims = node.attrs.getInts("dims");
    if (dims && !dims->empty()) return *dims;
    Ints reversed;
    for (int i = rank - 1; i >= 0; --i) reversed.push_back(i);
    return reversed;
}

void infer(InferContext& context)
{
    const Value& in = context.in(0);
    if (!in.shape.hasRank()) return;
    const Ints order = orderOf(context.node(), in.shape.rank());
    Value out{Shape::ofRank(in.shape.rank()), {}};
    if (static_cast<int>(order.size()) != in.shape.rank()) {
        context.issue("rank-mismatch", Severity::Error, "dims",
                      "It orders " + std::to_string(order.size()) + " dimensions but gets " + in.shape.text() + ".", "Name every dimension once.");
        context.out() = out;
        return;
    }
    const Dimensions all = dimensionsOf(in);
    Dimensions dimensions;
    for (const std::int64_t from : order) {
        const int at = normalAxis(from, in.shape.rank());
        dimensions.push_back(at < 0 ? Dimension{{{Axis::Other, kUnknown, 1}}} : all[static_cast<std::size_t>(at)]);
    }
    out = valueOf(std::move(dimensions));
    context.out() = out;
}

}  // namespace

const OpDef& permuteOp()
{
    static const OpDef def{
        .kind = "Permute",
        .opClass = OpClass::Shape,
        .memory = isView,
        .doc = "Reorders the dimensions.",
        .attrs = {{.name = "dims", .type = AttrType::IntList, .fallback = Ints{}, .doc = "For each output dimension the input's"}},
        .infer = infer,
        .torch = {.op = TorchOp::Permute, .more = [](const NodeView& view, Attributes& args) { args.set("dims", orderOf(view.node, view.in.empty() ? 0 : view.in[0].shape.rank())); }},
        .onnx = {.types = {"Transpose"},
                 .read =
                     [](OnnxCall& call) {
                         call.node.attrs.set("dims", call.getInts("perm").value_or(Ints{}));
                         return true;
                     },
                 .write =
                     [](OnnxWriter& writer) {
                         writer.finish("Transpose", {writer.input()}, {{"perm", orderOf(writer.node(), writer.inputValue().shape.rank())}});
                     }},
    };
    return def;
}

}  // namespace fovea
