#include "core/ops/common.h"

#include <algorithm>

// Positions of a dimension in a fixed order. Of channels that is a shuffle; of rows or columns it has a field where
// the positions stand at equal steps.
namespace fovea {

namespace {

int axisOf(const Node& node, const Value& in) { return normalAxis(attrInt(node, "dim", 1), in.shape.rank()); }

const Ints& indicesOf(const Node& node)
{
    static const Ints none;
    const Ints* indices = node.attrs.getInts("index");
    return indices ? *indices : none;
}

// The step of 2, 5, 8, ...; 0: they have none. One position alone has step 1.
std::int64_t stepOf(const Ints& indices)
{
    if (indices.empty() || indices[0] < 0) return 0;
    const std::int64_t step = indices.size() > 1 ? indices[1] - indices[0] : 1;
    for (std::size_t i = 1; i < indices.size(); ++i)
        if (indices[i] - indices[i - 1] != step) return 0;
    return std::max<std::int64_t>(step, 0);
}

Reach reach(const NodeView& view)
{
    Reach out;
    if (view.in.empty()) return out;
    const Value& in = view.in[0];
    const int axis = axisOf(view.node, in);
    const Ints& indices = indicesOf(view.node);
    for (AxisReach* r : {&out.h, &out.w}) {
        if (axis < 0 || axis != (r == &out.h ? in.layout.h : in.layout.w)) continue;
        const std::int64_t step = stepOf(indices);
        r->kind = step < 1 ? ReachKind::Unknown : ReachKind::Crop;
        r->step = std::max<std::int64_t>(step, 1);
        r->offset = indices.empty() ? 0 : indices[0];
        r->length = static_cast<std::int64_t>(indices.size());
    }
    return out;
}

void infer(InferContext& context)
{
    Value out = context.in(0);
    const int axis = axisOf(context.node(), out);
    const Ints& indices = indicesOf(context.node());
    if (axis < 0) {
        context.out() = unknownLike(out);
        return;
    }
    for (const std::int64_t index : indices)
        if (out.shape[axis] >= 0 && (index >= out.shape[axis] || index < -out.shape[axis])) {
            context.issue("size-frozen", Severity::Error, "index",
                          "It takes position " + std::to_string(index) + " of a dimension of " +
                              std::to_string(out.shape[axis]) + ".",
                          "Go back to the model's own input size.");
            context.out() = unknownLike(out);
            return;
        }
    out.shape[axis] = static_cast<std::int64_t>(indices.size());
    context.out() = out;
}

bool read(OnnxCall& call)
{
    const Tensor* index = call.constant(1);
    const Value& in = call.value(0);
    if (!index) return call.refuse("it gathers positions that depend on data");
    if (index->dims.size() != 1 || index->elements() > 65'536) return call.refuse("its positions are no list");
    if (call.isConstant(0)) return call.refuse("it reads a constant only");
    Ints indices = index->integers();
    const int axis = normalAxis(call.getInt("axis", 0), in.shape.rank());
    const bool spatial = axis >= 0 && (axis == in.layout.h || axis == in.layout.w);
    if (spatial && stepOf(indices) < 1) return call.refuse("it gathers rows or columns in an order without a step");
    call.node.attrs.set("dim", call.getInt("axis", 0));
    call.node.attrs.set("index", std::move(indices));
    return true;
}

}  // namespace

const OpDef& indexSelectOp()
{
    static const OpDef def{
        .kind = "IndexSelect",
        .opClass = OpClass::Shape,
        .doc = "Positions of a dimension, in an order of its own.",
        .attrs = {{.name = "dim",
                   .type = AttrType::Int,
                   .fallback = std::int64_t{1},
                   .doc = "Dimension that they are taken of",
                   .min = -8},
                  {.name = "index",
                   .type = AttrType::IntList,
                   .fallback = Ints{0},
                   .doc = "The positions",
                   .min = -1'000'000'000}},
        .reach = reach,
        .infer = infer,
        .torch = {TorchOp::IndexSelect, {"dim", "index"}},
        .onnx = {.types = {"Gather"},
                 .read = read,
                 .write =
                     [](OnnxWriter& writer) {
                         writer.finish("Gather", {writer.input(), writer.ints(indicesOf(writer.node()))},
                                       {{"axis", attrInt(writer.node(), "dim", 1)}});
                     }},
    };
    return def;
}

namespace {

// One row of a table for each number of the map: a code book behind an ArgMax, a vocabulary.
void inferLookup(InferContext& context)
{
    Value out = context.in(0);
    const Ints* dims = context.node().attrs.getInts("weight_shape");
    if (!out.shape.hasRank() || !dims || dims->size() != 2) return;
    out.layout.c = static_cast<std::int8_t>(out.shape.rank());
    out.shape.append((*dims)[1]);
    if (!out.shape.hasRank()) out.layout = {};
    context.out() = out;
}

bool readLookup(OnnxCall& call)
{
    const Tensor* table = call.constant(0);
    if (!table || call.isConstant(1) || table->dims.size() != 2 || call.getInt("axis", 0) != 0) return false;
    call.dataInputs = {1};
    call.node.attrs.set("weight_shape", Ints(table->dims));
    return call.bind("weight", 0);
}

}  // namespace

const OpDef& embeddingOp()
{
    static const OpDef def{
        .kind = "Embedding",
        .opClass = OpClass::Math,
        .doc = "One row of a table for each number that it reads.",
        .attrs = {{.name = "weight_shape",
                   .type = AttrType::IntList,
                   .fallback = Ints{1, 1},
                   .doc = "Rows and columns of the table",
                   .shown = false}},
        .infer = inferLookup,
        .params =
            [](const NodeView& view) {
                const Ints* dims = view.node.attrs.getInts("weight_shape");
                return std::vector<ParamSpec>{{.role = "weight",
                                               .dims = dims ? *dims : Ints{1, 1},
                                               .init = Init::KaimingUniform,
                                               .fanIn = dims && !dims->empty() ? dims->back() : 1}};
            },
        .onnx = {.types = {"Gather"},
                 .read = readLookup,
                 .write =
                     [](OnnxWriter& writer) {
                         const std::string numbers = writer.emit("Cast", {writer.input()}, {{"to", std::int64_t{7}}});
                         writer.finish("Gather", {writer.tensor("weight"), numbers}, {{"axis", std::int64_t{0}}});
                     }},
    };
    return def;
}

}  // namespace fovea
