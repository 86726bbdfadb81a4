#include "core/graph/dimensions.h"
#include "core/ops/common.h"

#include <array>

namespace fovea {

namespace {

std::int64_t inFeatures(const Node& node, const Value& in)
{
    if (const std::int64_t stated = attrInt(node, "in_features"); stated > 0) return stated;
    const int rank = in.shape.rank();
    return rank > 0 ? in.shape[rank - 1] : kUnknown;
}

std::vector<int> readsLast(const NodeView& view) { return {view.in.empty() ? 0 : view.in[0].shape.rank() - 1}; }

// Applied per position it is a 1x1 convolution; on a flattened map it sees everything.
Reach reach(const NodeView& view)
{
    Reach out;
    const Value& in = view.in.empty() ? Value{} : view.in[0];
    const int last = in.shape.rank() - 1;
    const bool flat = in.layout.h < 0 && in.layout.w < 0;
    if (in.folded) {  // parts that lie there: see gridReaches()
        if (axisRead(in, Axis::Height, readsLast(view)).whole) out.h.kind = ReachKind::Global;
        if (axisRead(in, Axis::Width, readsLast(view)).whole) out.w.kind = ReachKind::Global;
        return out;
    }
    if (flat || in.layout.h == last) out.h.kind = ReachKind::Global;
    if (flat || in.layout.w == last) out.w.kind = ReachKind::Global;
    return out;
}

void infer(InferContext& context)
{
    const Node& node = context.node();
    const Value& in = context.in(0);
    const int last = in.shape.rank() - 1;
    const std::int64_t expected = attrInt(node, "in_features"), out = attrInt(node, "out_features");
    if (last < 0) {
        context.out() = {Shape{kUnknown, out}, {1, -1, -1}};
        return;
    }
    Value result = readWhole(in, std::array{last});
    const std::int64_t got = in.shape[last];
    if (expected > 0 && got >= 0 && got != expected) {
        context.issue("head-size-mismatch", Severity::Error, "in_features",
                      "It expects " + std::to_string(expected) + " features but gets " + std::to_string(got) +
                          " at this input size: the layers before it fix the side of the input.",
                      "Put an adaptive average pooling before the flatten, or go back to the model's own input size.");
        result = unknownLike(in);
        context.out() = result;
        return;
    }
    resize(result, last, out);
    context.out() = result;
}

std::vector<ParamSpec> params(const NodeView& view)
{
    const std::int64_t in = inFeatures(view.node, view.in.empty() ? Value{} : view.in[0]), out = attrInt(view.node, "out_features");
    const bool transposed = view.node.attrs.getBool("weight_transposed", false);
    std::vector<ParamSpec> specs{{.role = "weight", .dims = transposed ? Ints{in, out} : Ints{out, in}, .init = Init::KaimingUniform, .fanIn = in}};
    if (view.node.attrs.getBool("bias", true)) specs.push_back({.role = "bias", .dims = {out}, .init = Init::BiasUniform, .fanIn = in});
    return specs;
}

std::optional<std::int64_t> macs(const NodeView& view)
{
    return product({elementsPerImage(view.out[0]).value_or(kUnknown), inFeatures(view.node, view.in[0])});
}

bool setWeight(OnnxCall& call, bool transposed)
{
    const Tensor* weight = call.constant(1);
    if (!weight || weight->dims.size() != 2) return false;
    Attributes& attrs = call.node.attrs;
    attrs.set("in_features", weight->dims[transposed ? 0 : 1]);
    attrs.set("out_features", weight->dims[transposed ? 1 : 0]);
    attrs.set("weight_transposed", transposed);
    return call.bind("weight", 1);
}

bool read(OnnxCall& call)
{
    Attributes& attrs = call.node.attrs;
    if (call.type == "MatMul") {
        attrs.set("bias", false);
        return setWeight(call, true);
    }
    if (call.getInt("transA", 0) != 0 || call.getReal("alpha", 1) != 1 || call.getReal("beta", 1) != 1) return false;
    if (!setWeight(call, call.getInt("transB", 0) == 0)) return false;
    const Tensor* bias = call.constant(2);
    if (call.has(2) && (!bias || bias->elements() != attrs.getInt("out_features", 0) || bias->dims.size() != 1)) return false;
    attrs.set("bias", call.has(2));
    return call.bind("bias", 2);
}

// MatMul by a constant, then Add of a vector.
bool fuseBias(Rewriter& rewriter, const Node& last)
{
    if (last.kind != "Add" || !last.tensor("other")) return false;
    const Node* product = rewriter.producer(last, 0);
    if (!product || product->kind != "Linear" || product->attrs.getBool("bias", true)) return false;
    const Tensor* bias = rewriter.boundTensor(last, "other");
    if (!bias || bias->dims.size() != 1 || bias->elements() != product->attrs.getInt("out_features", 0)) return false;
    Node node = *product;
    node.attrs.set("bias", true);
    node.tensors.push_back({"bias", last.tensor("other")->tensor});
    rewriter.replace(last, node, {product->id, last.id});
    return true;
}

void write(OnnxWriter& writer)
{
    const Node& node = writer.node();
    const bool bias = node.attrs.getBool("bias", true), transposed = node.attrs.getBool("weight_transposed", false);
    if (writer.inputValue().shape.rank() == 2) {
        std::vector<std::string> inputs{writer.input(), writer.tensor("weight")};
        if (bias) inputs.push_back(writer.tensor("bias"));
        else if (writer.opset() < 11) inputs.push_back(writer.reals({1}, {0}));  // it may not be left out yet
        writer.finish("Gemm", inputs, {{"transB", std::int64_t{!transposed}}});
        return;
    }
    std::string weight = writer.tensor("weight");
    if (!transposed) weight = writer.emit("Transpose", {weight}, {{"perm", Ints{1, 0}}});
    if (!bias) {
        writer.finish("MatMul", {writer.input(), weight});
        return;
    }
    writer.finish("Add", {writer.emit("MatMul", {writer.input(), weight}), writer.tensor("bias")});
}

}  // namespace

const OpDef& linearOp()
{
    static const OpDef def{
        .kind = "Linear",
        .opClass = OpClass::Linear,
        .memory = keepsInputs,
        .doc = "Fully connected layer over the last dimension.",
        .attrs = {{.name = "out_features", .type = AttrType::Int, .fallback = std::int64_t{1000}, .doc = "Number of outputs, such as classes", .min = 1, .unit = "features"},
                  {.name = "bias", .type = AttrType::Bool, .fallback = true, .doc = "Adds a learned constant to each output"},
                  {.name = "in_features", .type = AttrType::Int, .fallback = std::int64_t{0}, .doc = "Inputs it needs; 0 follows whatever comes in", .unit = "features"},
                  {.name = "weight_transposed", .type = AttrType::Bool, .fallback = false, .doc = "The weight is stored in x out", .shown = false}},
        .reach = reach,
        .reads = readsLast,
        .infer = infer,
        .params = params,
        .macs = macs,
        .torch = {TorchOp::Linear, {"weight_transposed"}, {"weight", "bias"}},
        .onnx = {.types = {"Gemm", "MatMul"}, .read = read, .write = write, .fuse = fuseBias},
    };
    return def;
}

namespace {

// Rows and columns of a matrix product.
std::vector<int> readsMatrix(const NodeView& view)
{
    const int rank = view.in.empty() ? 0 : view.in[0].shape.rank();
    return {rank - 2, rank - 1};
}

// False where all units of the axis that its matrices hold belong to windows of a folded map, or none do.
bool mayReadAll(const NodeView& view, Axis axis)
{
    bool outside = false, whole = false;
    for (const Value& in : view.in) {
        if (gridSize(in, axis) == 1) continue;
        const AxisRead read = axisRead(in, axis, readsMatrix(view));
        whole = whole || read.whole;
        outside = outside || !read.whole;
    }
    return whole || !outside;
}

// Positions of the rows are the left factor's; columns that are positions too are mixed already.
Value productOf(const Value& a, const Value& b, const Shape& shape)
{
    Dimensions dimensions = dimensionsOf(a);
    const Dimensions columns = dimensionsOf(b);
    const int rank = shape.rank();
    dimensions.back() = columns.back();
    const auto isImage = [](const Factor& factor) { return factor.axis == Axis::Height || factor.axis == Axis::Width; };
    for (Factor& factor : dimensions.back().factors)
        if (isImage(factor)) factor.axis = Axis::Other;
    for (int i = 0; i < rank; ++i)
        if (dimensions[static_cast<std::size_t>(i)].size() != shape[i]) dimensions[static_cast<std::size_t>(i)] = {{{Axis::Other, shape[i], 1}}};
    return valueOf(std::move(dimensions));
}

}  // namespace

// A product of two activations, as in attention.
const OpDef& matMulOp()
{
    static const OpDef def{
        .kind = "MatMul",
        .opClass = OpClass::Math,
        .memory = keepsInputs,
        .doc = "Matrix product of two activations; every position may see every other.",
        .minInputs = 2,
        .maxInputs = 2,
        .reach =
            [](const NodeView& view) {
                Reach out;
                out.h.kind = out.w.kind = ReachKind::Global;
                for (const auto& [axis, r] : {std::pair(Axis::Height, &out.h), std::pair(Axis::Width, &out.w)})
                    if (!mayReadAll(view, axis)) r->kind = ReachKind::Same;
                return out;
            },
        .reads = readsMatrix,
        .infer =
            [](InferContext& context) {
                const Value &a = context.in(0), &b = context.in(1);
                const int rank = a.shape.rank();
                if (rank < 2 || b.shape.rank() != rank) return;
                Value out = a;
                for (int i = 0; i + 2 < rank; ++i)
                    out.shape[i] = a.shape[i] == b.shape[i] || b.shape[i] == 1 ? a.shape[i] : a.shape[i] == 1 ? b.shape[i] : kUnknown;
                out.folded = nullptr;
                out.shape[rank - 1] = b.shape[rank - 1];
                const std::int64_t inner = a.shape[rank - 1], other = b.shape[rank - 2];
                if (inner >= 0 && other >= 0 && inner != other) {
                    context.issue("shape-mismatch", Severity::Error, "",
                                  "Cannot multiply " + a.shape.text() + " by " + b.shape.text() + ".", "Make the inner sizes equal.");
                    out = unknownLike(a);
                } else {
                    out = productOf(a, b, out.shape);
                }
                context.out() = out;
            },
        .products =
            [](const NodeView& view) {
                const std::int64_t elements = elementsPerImage(view.out[0]).value_or(kUnknown);
                const int rank = view.in[0].shape.rank();
                return product({elements, rank > 0 ? view.in[0].shape[rank - 1] : kUnknown});
            },
        .torch = {TorchOp::MatMul},
        .onnx = {.types = {"MatMul"},
                 .read =
                     [](OnnxCall& call) {
                         if (call.isConstant(0) || call.isConstant(1)) return false;
                         call.dataInputs = {0, 1};
                         return true;
                     },
                 .write = [](OnnxWriter& writer) { writer.finish("MatMul", {writer.input(0), writer.input(1)}); }},
    };
    return def;
}

}  // namespace fovea
