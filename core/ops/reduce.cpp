#include "core/graph/dimensions.h"
#include "core/ops/common.h"
#include "core/ops/older_forms.h"
#include "core/ops/reduce.h"

#include <algorithm>
#include <array>

// Mean, sum, maximum and minimum over dimensions. Over space they see the whole map.
namespace fovea {

namespace {

struct Row {
    const char* kind;
    const char* onnx;
    const char* doc;
    TorchOp torch;
    Memory (*memory)(const NodeView&);
};

Memory keepsBoth(const NodeView&) { return {.inputs = true, .output = true}; }

constexpr std::array kRows{
    Row{"Mean", "ReduceMean", "Mean over dimensions.", TorchOp::Mean, keepsInputs},
    Row{"Sum", "ReduceSum", "Sum over dimensions.", TorchOp::Sum, nullptr},
    Row{"Amax", "ReduceMax", "Largest value over dimensions.", TorchOp::Amax, keepsBoth},
    Row{"Amin", "ReduceMin", "Smallest value over dimensions.", TorchOp::Amin, keepsBoth},
    Row{"Norm", "ReduceL2", "Euclidean norm over dimensions.", TorchOp::Norm, keepsBoth},
    Row{"L1Norm", "ReduceL1", "Sum of absolute values over dimensions.", TorchOp::L1Norm, keepsInputs},
    Row{"LogSum", "ReduceLogSum", "Logarithm of the sum over dimensions.", TorchOp::LogSum, keepsBoth},
    Row{"LogSumExp", "ReduceLogSumExp", "Logarithm of the sum of exponentials over dimensions.", TorchOp::LogSumExp, keepsBoth},
    Row{"Prod", "ReduceProd", "Product over dimensions.", TorchOp::Prod, keepsBoth},
    Row{"SumSquare", "ReduceSumSquare", "Sum of squares over dimensions.", TorchOp::SumSquare, keepsInputs},
};

const Row& rowOf(const std::string& kind)
{
    for (const Row& row : kRows)
        if (kind == row.kind) return row;
    return kRows[0];
}

bool reduces(const Node& node, int dim, int rank)
{
    const Ints* dims = node.attrs.getInts("dim");
    return dims && dim >= 0 && std::any_of(dims->begin(), dims->end(), [&](std::int64_t axis) { return normalAxis(axis, rank) == dim; });
}

void infer(InferContext& context)
{
    const Value& in = context.in(0);
    if (!in.shape.hasRank()) return;
    const bool keep = context.node().attrs.getBool("keepdim", true);
    std::vector<int> read;
    for (int i = 0; i < in.shape.rank(); ++i)
        if (reduces(context.node(), i, in.shape.rank())) read.push_back(i);
    Dimensions left;
    const Dimensions before = dimensionsOf(in), after = dimensionsOf(readWhole(in, read));
    for (int i = 0; i < in.shape.rank(); ++i) {
        const bool gone = std::find(read.begin(), read.end(), i) != read.end();
        const Dimension& dimension = before[static_cast<std::size_t>(i)];
        if (!gone) left.push_back(after[static_cast<std::size_t>(i)]);
        else if (keep) left.push_back({{{dimension.factors.size() == 1 ? dimension.factors[0].axis : Axis::Other, 1, 1}}});
    }
    context.out() = valueOf(std::move(left));
}

std::vector<int> readsReduced(const NodeView& view)
{
    std::vector<int> read;
    const int rank = view.in.empty() ? 0 : view.in[0].shape.rank();
    for (int i = 0; i < rank; ++i)
        if (reduces(view.node, i, rank)) read.push_back(i);
    return read;
}

Reach reach(const NodeView& view)
{
    Reach out;
    if (view.in.empty()) return out;
    if (axisRead(view.in[0], Axis::Height, readsReduced(view)).whole) out.h.kind = ReachKind::Global;
    if (axisRead(view.in[0], Axis::Width, readsReduced(view)).whole) out.w.kind = ReachKind::Global;
    return out;
}

// Over the whole map.
bool readGlobalLp(OnnxCall& call)
{
    const Value& in = call.value(0);
    const std::int64_t p = call.getInt("p", 2);
    if (!in.shape.hasRank()) return call.refuse("the shape of what it reads is not known");
    if (p != (call.node.kind == "Norm" ? 2 : 1)) return call.refuse("its norm is of order " + std::to_string(p));
    Ints dims;
    for (int dim = 2; dim < in.shape.rank(); ++dim) dims.push_back(dim);
    call.node.attrs.set("dim", dims);
    call.node.attrs.set("keepdim", true);
    return true;
}

bool read(OnnxCall& call)
{
    if (call.type == "GlobalLpPool") return readGlobalLp(call);
    bool dynamic = false;
    auto axes = call.listFrom("axes", 1, &dynamic);
    const Value& in = call.value(0);
    if (dynamic || !in.shape.hasRank()) return false;
    if (!axes || axes->empty()) {
        if (call.getInt("noop_with_empty_axes", 0) != 0) return false;
        axes = Ints{};
        for (int i = 0; i < in.shape.rank(); ++i) axes->push_back(i);
    }
    const bool keep = call.getInt("keepdims", 1) != 0;
    Ints normal;
    for (const std::int64_t axis : *axes) normal.push_back(normalAxis(axis, in.shape.rank()));
    std::sort(normal.begin(), normal.end());
    if (call.node.kind == std::string("Mean") && in.layout == kNchw && in.shape.rank() == 4 && normal == Ints{2, 3}) {
        call.node.kind = "AdaptiveAvgPool2d";
        call.node.attrs = {};
        call.node.attrs.set("output_size", Ints{1, 1});
        if (!keep) call.node.attrs.set("keepdim", false);
        return true;
    }
    call.node.attrs.set("dim", *axes);
    call.node.attrs.set("keepdim", keep);
    return true;
}

void write(OnnxWriter& writer)
{
    const Node& node = writer.node();
    const Ints* dims = node.attrs.getInts("dim");
    emitReduce(writer, rowOf(node.kind).onnx, writer.input(), dims ? *dims : Ints{}, node.attrs.getBool("keepdim", true), {writer.output()});
}

}  // namespace

const std::vector<OpDef>& reduceOps()
{
    static const std::vector<OpDef> ops = [] {
        std::vector<OpDef> out;
        for (const Row& row : kRows)
            out.push_back({.kind = row.kind,
                           .opClass = OpClass::Math,
                           .memory = row.memory,
                           .doc = row.doc,
                           .attrs = {{.name = "dim", .type = AttrType::IntList, .fallback = Ints{}, .doc = "Dimensions that are reduced", .min = -8},
                                     {.name = "keepdim", .type = AttrType::Bool, .fallback = true, .doc = "Keeps them as dimensions of size 1"}},
                           .reach = reach,
                           .reads = readsReduced,
                           .infer = infer,
                           .torch = {row.torch, {"dim", "keepdim"}},
                           .onnx = {.types = row.torch == TorchOp::Norm || row.torch == TorchOp::L1Norm ? std::vector<const char*>{row.onnx, "GlobalLpPool"}
                                                                                                       : std::vector<const char*>{row.onnx},
                                    .read = read,
                                    .write = write}});
        return out;
    }();
    return ops;
}

}  // namespace fovea
