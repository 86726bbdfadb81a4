#include "core/ops/clothes.h"
#include "core/ops/common.h"

#include <algorithm>

// What ONNX Runtime's optimiser makes of a transformer's blocks: several operators as one of its own domain.
namespace fovea {

namespace {

Reach everything(const NodeView&)
{
    Reach out;
    out.h.kind = out.w.kind = ReachKind::Global;
    return out;
}

bool keepWhole(OnnxCall& call)
{
    call.node.attrs.set("outputs", static_cast<std::int64_t>(call.outputCount));
    keepClothes(call, call.type, false, {1, 2, 3, 4});
    return true;
}

int outputCount(const Node& node)
{
    return static_cast<int>(std::clamp<std::int64_t>(attrInt(node, "outputs", 1), 1, 4));
}

AttrDef outputsAttr()
{
    return {.name = "outputs",
            .type = AttrType::Int,
            .fallback = std::int64_t{1},
            .doc = "Number of outputs that are read",
            .min = 1,
            .max = 4,
            .shown = false};
}

const Ints* operandDims(const Node& node, const char* role)
{
    return node.attrs.getInts(std::string("learned.") + role);
}

std::int64_t lastOf(const Value& value)
{
    return value.shape.rank() > 0 ? value.shape[value.shape.rank() - 1] : kUnknown;
}

// com.microsoft.Attention projects its one input by a matrix to queries, keys and values; MultiHeadAttention gets them
// from three inputs.
void inferAttention(InferContext& context)
{
    Value out = context.in(0);
    const Ints* matrix = operandDims(context.node(), "operand1");
    const int rank = out.shape.rank();
    if (rank != 3) out = {};
    else if (matrix && matrix->size() == 2) {
        const Ints* sizes = context.node().attrs.getInts("onnx.qkv_hidden_sizes");
        out.shape[rank - 1] = sizes && sizes->size() == 3 ? (*sizes)[2] : (*matrix)[1] / 3;
    } else if (context.in().size() > 2) {
        out.shape[rank - 1] = lastOf(context.in(2));
    }
    context.out() = out;
    for (std::size_t i = 1; i < context.outCount(); ++i) context.out(i) = Value{};
}

std::int64_t tokens(const Value& value) { return value.shape.rank() == 3 ? value.shape[1] : kUnknown; }

std::optional<std::int64_t> attentionMacs(const NodeView& view)
{
    const Ints* matrix = operandDims(view.node, "operand1");
    return matrix && matrix->size() == 2 ? product({tokens(view.in[0]), (*matrix)[0], (*matrix)[1]}) : 0;
}

std::optional<std::int64_t> attentionProducts(const NodeView& view)
{
    const Value& keys = view.in.size() > 1 && view.in[1].shape.rank() == 3 ? view.in[1] : view.in[0];
    const auto scores = product({tokens(view.in[0]), tokens(keys), lastOf(view.out[0])});
    return scores ? product({2, *scores}) : std::nullopt;
}

// Over the last dimension, position by position.
Reach reachOfNorm(const NodeView& view)
{
    Reach out;
    if (view.in.empty()) return out;
    const int last = view.in[0].shape.rank() - 1;
    if (last >= 0 && view.in[0].layout.h == last) out.h.kind = ReachKind::Global;
    if (last >= 0 && view.in[0].layout.w == last) out.w.kind = ReachKind::Global;
    return out;
}

// Outputs: the normalised sum, its mean and deviation, and the sum itself.
void inferSkipNorm(InferContext& context)
{
    for (std::size_t i = 0; i < context.outCount(); ++i) context.out(i) = i == 1 || i == 2 ? Value{} : context.in(0);
}

bool readSkipNorm(OnnxCall& call)
{
    if (call.isConstant(0) || call.isConstant(1)) return call.refuse("one of the two maps that it adds is a constant");
    call.dataInputs = {0, 1};
    return keepWhole(call);
}

bool readBiasGelu(OnnxCall& call)
{
    if (!call.has(1)) return false;  // a plain GELU
    if (!call.isConstant(1)) return call.refuse("its bias is no constant");
    keepClothes(call, call.type, false, {1});
    return true;
}

Value turned(Value value, bool turn)
{
    const int rank = value.shape.rank();
    if (!turn || rank < 2) return value;
    std::swap(value.shape[rank - 1], value.shape[rank - 2]);
    for (std::int8_t* axis : {&value.layout.c, &value.layout.h, &value.layout.w})
        if (*axis == rank - 1) *axis = static_cast<std::int8_t>(rank - 2);
        else if (*axis == rank - 2) *axis = static_cast<std::int8_t>(rank - 1);
    return value;
}

void inferProduct(InferContext& context)
{
    const Value a = turned(context.in(0), attrInt(context.node(), "onnx.transA") != 0),
                b = turned(context.in(1), attrInt(context.node(), "onnx.transB") != 0);
    const int rank = a.shape.rank();
    if (rank < 2 || b.shape.rank() != rank) return;
    Value out = a;
    out.shape[rank - 1] = b.shape[rank - 1];
    const std::int64_t inner = a.shape[rank - 1], other = b.shape[rank - 2];
    if (inner >= 0 && other >= 0 && inner != other) {
        context.issue("shape-mismatch", Severity::Error, "",
                      "Cannot multiply " + a.shape.text() + " by " + b.shape.text() + ".",
                      "Make the inner sizes equal.");
        out = unknownLike(a);
    }
    context.out() = out;
}

std::optional<std::int64_t> productCount(const NodeView& view)
{
    const Value a = turned(view.in[0], attrInt(view.node, "onnx.transA") != 0);
    return product({view.out[0].shape.elements(), lastOf(a)});
}

bool readProduct(OnnxCall& call)
{
    if (call.isConstant(0) || call.isConstant(1))
        return call.refuse("one of its factors is a constant of more than two dimensions");
    if (call.getInt("transBatchA", 0) != 0 || call.getInt("transBatchB", 0) != 0)
        return call.refuse("it moves the batch of its factors");
    call.dataInputs = {0, 1};
    keepClothes(call, call.type, false);
    return true;
}

}  // namespace

const OpDef& multiheadAttentionOp()
{
    static const OpDef def{.kind = "MultiheadAttention",
                           .opClass = OpClass::Math,
                           .memory = keepsInputs,
                           .doc = "Attention over positions; every one sees every other.",
                           .attrs = {outputsAttr()},
                           .maxInputs = -1,
                           .outputs = outputCount,
                           .reach = everything,
                           .infer = inferAttention,
                           .params = learnedOperands,
                           .macs = attentionMacs,
                           .products = attentionProducts,
                           .onnx = {.types = {"com.microsoft::Attention", "com.microsoft::MultiHeadAttention"},
                                    .read = keepWhole,
                                    .write = writeInClothes}};
    return def;
}

const OpDef& skipLayerNormOp()
{
    static const OpDef def{
        .kind = "SkipLayerNorm",
        .opClass = OpClass::Normalization,
        .memory = keepsInputs,
        .doc = "Adds two maps and normalises each position of the sum.",
        .attrs = {outputsAttr()},
        .minInputs = 2,
        .maxInputs = 2,
        .outputs = outputCount,
        .reach = reachOfNorm,
        .infer = inferSkipNorm,
        .params = learnedOperands,
        .onnx = {.types = {"com.microsoft::SkipLayerNormalization", "com.microsoft::SkipSimplifiedLayerNormalization"},
                 .read = readSkipNorm,
                 .write = writeInClothes}};
    return def;
}

const OpDef& biasGeluOp()
{
    static const OpDef def{.kind = "BiasGELU",
                           .opClass = OpClass::Activation,
                           .memory = keepsInputs,
                           .doc = "GELU of its input and a learned constant.",
                           .params = learnedOperands,
                           .onnx = {.types = {"com.microsoft::BiasGelu", "com.microsoft::FastGelu"},
                                    .read = readBiasGelu,
                                    .write = writeInClothes}};
    return def;
}

const OpDef& fusedMatMulOp()
{
    static const OpDef def{.kind = "FusedMatMul",
                           .opClass = OpClass::Math,
                           .memory = keepsInputs,
                           .doc = "Scaled matrix product of two activations, one of which may be turned first.",
                           .minInputs = 2,
                           .maxInputs = 2,
                           .reach = everything,
                           .infer = inferProduct,
                           .products = productCount,
                           .onnx = {.types = {"com.microsoft::FusedMatMul", "com.microsoft::TransposeMatMul"},
                                    .read = readProduct,
                                    .write = writeInClothes}};
    return def;
}

}  // namespace fovea
