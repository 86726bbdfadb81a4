#include "core/ops/norms.h"
#include "core/ops/older_forms.h"

#include <algorithm>

namespace fovea {

namespace {

// Elements that it normalises together, by what it reads.
std::int64_t featuresOf(const Node& node, const Value& in)
{
    std::int64_t count = 1;
    const int from = normalAxis(attrInt(node, "axis", -1), in.shape.rank());
    for (int i = std::max(from, 0); i < in.shape.rank(); ++i) {
        if (in.shape[i] < 0) return kUnknown;
        count = saturatingMul(count, in.shape[i]);
    }
    return count;
}

std::int64_t featureCount(const Node& node, const Value& in)
{
    const std::int64_t stated = attrInt(node, "features");
    return stated > 0 ? stated : featuresOf(node, in);
}

void infer(InferContext& context)
{
    context.out() = context.in(0);
    const std::int64_t stated = attrInt(context.node(), "features"), read = featuresOf(context.node(), context.in(0));
    if (!context.node().attrs.getBool("elementwise_affine", true)) return;
    if (stated < 1 || !context.in(0).shape.hasRank() || read == kUnknown || read == stated) return;
    context.issue("features-mismatch", Severity::Error, "features",
                  "It normalises " + std::to_string(stated) + " features, but reads " + std::to_string(read) + ".",
                  "Put a layer before it that makes " + std::to_string(stated) + ".");
    context.out() = unknownLike(context.in(0));
}

Reach reach(const NodeView& view)
{
    Reach out;
    if (view.in.empty()) return out;
    const int from = normalAxis(attrInt(view.node, "axis", -1), view.in[0].shape.rank());
    if (from >= 0 && view.in[0].layout.h >= from) out.h.kind = ReachKind::Global;
    if (from >= 0 && view.in[0].layout.w >= from) out.w.kind = ReachKind::Global;
    return out;
}

bool meansOver(const Node& node, std::int64_t axis, int rank)
{
    const Ints* axes = node.attrs.getInts("dim");
    return node.kind == "Mean" && node.attrs.getBool("keepdim", true) && axes && axes->size() == 1 &&
           normalAxis((*axes)[0], rank) == normalAxis(axis, rank);
}

// y = (x - mean) / sqrt(mean((x - mean)^2) + eps): ReduceMean, Sub, Pow, ReduceMean, Add, Sqrt, Div.
bool fuseNormalisation(Rewriter& rewriter, const Node& last)
{
    if (last.kind != "Div" || last.inputs.size() != 2) return false;
    const Node* centred = rewriter.producer(last, 0, false);
    const Node* root = rewriter.producer(last, 1);
    if (!centred || !root || centred->kind != "Sub" || centred->inputs.size() != 2 || root->kind != "Sqrt")
        return false;
    const Node* plusEps = rewriter.producer(*root, 0);
    if (!plusEps || plusEps->kind != "Add" || !plusEps->attrs.has("scalar")) return false;
    const Node* variance = rewriter.producer(*plusEps, 0);
    if (!variance) return false;
    const Node* square = rewriter.producer(*variance, 0);
    if (!square || square->kind != "Pow" || square->attrs.getDouble("scalar", 0) != 2.0 ||
        rewriter.producer(*square, 0, false) != centred)
        return false;
    const Node* mean = rewriter.producer(*centred, 1);
    if (!mean || mean->inputs[0] != centred->inputs[0] || rewriter.readers(*centred) != 2) return false;
    const Value& in = rewriter.value(centred->inputs[0]);
    const int axis = in.shape.rank() - 1;
    if (axis < 0 || !meansOver(*mean, axis, in.shape.rank()) || !meansOver(*variance, axis, in.shape.rank()))
        return false;
    Node node;
    node.kind = "LayerNorm";
    node.attrs.set("axis", std::int64_t{-1});
    node.attrs.set("features", in.shape[axis]);
    node.attrs.set("eps", plusEps->attrs.getDouble("scalar", 1e-5));
    node.attrs.set("elementwise_affine", false);
    node.inputs = {centred->inputs[0]};
    rewriter.replace(last, node, {mean->id, centred->id, square->id, variance->id, plusEps->id, root->id, last.id});
    return true;
}

// Mul and Add of a vector behind it are its weight and bias.
bool fuse(Rewriter& rewriter, const Node& last)
{
    if (fuseNormalisation(rewriter, last)) return true;
    if (last.kind != "Add" || !last.tensor("other")) return false;
    const Node* scale = rewriter.producer(last, 0);
    const Node* norm = scale && scale->kind == "Mul" && scale->tensor("other") ? rewriter.producer(*scale, 0) : nullptr;
    if (!norm || norm->kind != "LayerNorm" || norm->attrs.getBool("elementwise_affine", true)) return false;
    for (const Node* node : {&last, scale}) {
        const Tensor* tensor = rewriter.boundTensor(*node, "other");
        if (!tensor || tensor->dims.size() != 1 || tensor->elements() != norm->attrs.getInt("features", 0))
            return false;
    }
    Node node = *norm;
    node.attrs.set("elementwise_affine", true);
    node.tensors = {{"weight", scale->tensor("other")->tensor}, {"bias", last.tensor("other")->tensor}};
    rewriter.replace(last, node, {norm->id, scale->id, last.id});
    return true;
}

// Dimensions of its scale and offset, which must match the map's; none where they are those of the tensors.
Ints featureDims(const OnnxWriter& writer)
{
    const Value& in = writer.inputValue();
    const int from = normalAxis(attrInt(writer.node(), "axis", -1), in.shape.rank());
    if (from < 0 || from == in.shape.rank() - 1) return {};
    if (in.layout.h >= from || in.layout.w >= from) writer.needFixedSides("A scale for each position can be written");
    Ints dims;
    for (int i = from; i < in.shape.rank(); ++i) dims.push_back(writer.known(in.shape[i], "how many features it reads"));
    return dims;
}

void write(OnnxWriter& writer)
{
    const Node& node = writer.node();
    const double eps = node.attrs.getDouble("eps", 1e-5);
    const bool hasAffine = node.attrs.getBool("elementwise_affine", true);
    const Ints features = hasAffine ? featureDims(writer) : Ints{};
    if (writer.opset() >= 17 && hasAffine) {
        writer.finish("LayerNormalization", {writer.input(), writer.tensor("weight", features), writer.tensor("bias", features)},
                      {{"axis", attrInt(node, "axis", -1)}, {"epsilon", eps}});
        return;
    }
    const auto rank = static_cast<int>(writer.known(writer.inputValue().shape.rank(), "the rank of its input"));
    Ints axes;
    for (int i = normalAxis(attrInt(node, "axis", -1), rank); i >= 0 && i < rank; ++i) axes.push_back(i);
    const auto mean = [&](const std::string& value) { return emitReduce(writer, "ReduceMean", value, axes, true); };
    const std::string centred = writer.emit("Sub", {writer.input(), mean(writer.input())});
    const std::string variance = mean(writer.emit("Pow", {centred, writer.real(2)}));
    const std::string root = writer.emit("Sqrt", {writer.emit("Add", {variance, writer.real(eps)})});
    if (!hasAffine) {
        writer.finish("Div", {centred, root});
        return;
    }
    const std::string normal = writer.emit("Div", {centred, root});
    writer.finish("Add", {writer.emit("Mul", {normal, writer.tensor("weight", features)}), writer.tensor("bias", features)});
}

}  // namespace

const OpDef& layerNormOp()
{
    static const OpDef def{
        .kind = "LayerNorm",
        .opClass = OpClass::Normalization,
        .memory = keepsInputs,
        .doc = "Normalises the last dimensions of each position by their own statistics.",
        .attrs = {epsAttr(1e-5),
                  {.name = "elementwise_affine",
                   .type = AttrType::Bool,
                   .fallback = true,
                   .doc = "Learned scale and offset per feature"},
                  {.name = "axis",
                   .type = AttrType::Int,
                   .fallback = std::int64_t{-1},
                   .doc = "First of the dimensions it normalises",
                   .min = -8,
                   .shown = false},
                  {.name = "features",
                   .type = AttrType::Int,
                   .fallback = std::int64_t{0},
                   .doc = "Elements normalised together (0: follows the input)",
                   .shown = false}},
        .reach = reach,
        .infer = infer,
        .params =
            [](const NodeView& view) {
                if (!view.node.attrs.getBool("elementwise_affine", true)) return std::vector<ParamSpec>{};
                return affine({featureCount(view.node, view.in.empty() ? Value{} : view.in[0])});
            },
        .torch = {TorchOp::LayerNorm, {"eps", "axis"}, {"weight", "bias"}},
        .onnx = {.types = {"LayerNormalization"},
                 .read =
                     [](OnnxCall& call) {
                         call.node.attrs.set("axis", call.getInt("axis", -1));
                         call.node.attrs.set("eps", call.getReal("epsilon", 1e-5));
                         call.node.attrs.set("elementwise_affine", call.has(1));
                         const Tensor* weight = call.constant(1);
                         if (call.outputCount > 1 || (weight && weight->dims.size() != 1) ||
                             (call.has(1) && !call.has(2)))
                             return false;
                         if (weight) call.node.attrs.set("features", weight->elements());
                         return call.bind("weight", 1) && call.bind("bias", 2);
                     },
                 .write = write,
                 .fuse = fuse},
    };
    return def;
}

}  // namespace fovea
