#include "core/ops/common.h"

namespace fovea {

namespace {

bool isPlumbing(const Node& node)
{
    const bool zeroPad = node.kind == "ZeroPad2d" && node.attrs.getDouble("value", 0) == 0;
    return zeroPad || node.kind == "Reshape" || node.kind == "Squeeze" || node.kind == "Unsqueeze";
}

// x * x, padded with channels, averaged over `size` neighbours in an extra dimension, and back: what a
// PyTorch exporter makes of the sum of squares. Adds what it walked over to `absorbed`.
const Node* squaredInput(Rewriter& rewriter, const Node& behind, std::int64_t& size, std::vector<NodeId>& absorbed)
{
    Ints padding{0, 0};
    size = 0;
    for (const Node* node = rewriter.producer(behind, 0); node; node = rewriter.producer(*node, 0)) {
        absorbed.push_back(node->id);
        if (node->kind == "Mul") {
            const bool square = node->inputs.size() == 2 && node->inputs[0] == node->inputs[1];
            // For an even size PyTorch and ONNX disagree about which neighbour is the odd one out.
            return square && size % 2 == 1 && padding == Ints{size / 2, size / 2} ? node : nullptr;
        }
        if (node->kind == "AvgPool3d") {
            const Ints* kernel = node->attrs.getInts("kernel_size");
            if (size != 0 || !kernel || kernel->size() != 3 || (*kernel)[1] != 1 || (*kernel)[2] != 1) return nullptr;
            size = (*kernel)[0];
        } else if (!isPlumbing(*node)) {
            return nullptr;
        }
        for (std::size_t side = 0; side < 2; ++side) padding[side] += node->attrs.at("channel_padding", side, 0);
    }
    return nullptr;
}

// x / (k + alpha * mean of squares) ^ beta.
bool fuse(Rewriter& rewriter, const Node& last)
{
    if (last.kind != "Div" || last.inputs.size() != 2) return false;
    const Node* power = rewriter.producer(last, 1);
    const Node* sum = power && power->kind == "Pow" && power->attrs.has("scalar") ? rewriter.producer(*power, 0) : nullptr;
    const Node* product = sum && sum->kind == "Add" && sum->attrs.has("scalar") ? rewriter.producer(*sum, 0) : nullptr;
    if (!product || product->kind != "Mul" || !product->attrs.has("scalar")) return false;
    std::vector<NodeId> absorbed{last.id, power->id, sum->id, product->id};
    std::int64_t size = 0;
    const Node* square = squaredInput(rewriter, *product, size, absorbed);
    if (!square || square->inputs[0] != last.inputs[0] || rewriter.value(last.inputs[0]).layout != kNchw) return false;
    Node node;
    node.kind = "LocalResponseNorm";
    node.attrs.set("size", size);
    node.attrs.set("alpha", product->attrs.getDouble("scalar", 1e-4));
    node.attrs.set("beta", power->attrs.getDouble("scalar", 0.75));
    node.attrs.set("k", sum->attrs.getDouble("scalar", 1.0));
    node.inputs = {last.inputs[0]};
    rewriter.replace(last, node, absorbed);
    return true;
}

}  // namespace

const OpDef& localResponseNormOp()
{
    static const OpDef def{
        .kind = "LocalResponseNorm",
        .opClass = OpClass::Normalization,
        .memory = [](const NodeView&) { return Memory{.inputs = true, .copies = 3}; },
        .doc = "Divides by the energy of neighbouring channels.",
        .attrs = {{.name = "size", .type = AttrType::Int, .fallback = std::int64_t{5}, .doc = "Neighbouring channels", .min = 1},
                  {.name = "alpha", .type = AttrType::Real, .fallback = 1e-4, .doc = "Weight of the energy"},
                  {.name = "beta", .type = AttrType::Real, .fallback = 0.75, .doc = "Exponent"},
                  {.name = "k", .type = AttrType::Real, .fallback = 1.0, .doc = "Added before the power"}},
        .torch = {TorchOp::LocalResponseNorm, {"size", "alpha", "beta", "k"}},
        .onnx = {.types = {"LRN"},
                 .read =
                     [](OnnxCall& call) {
                         call.node.attrs.set("size", call.getInt("size", 5));
                         call.node.attrs.set("alpha", call.getReal("alpha", 1e-4));
                         call.node.attrs.set("beta", call.getReal("beta", 0.75));
                         call.node.attrs.set("k", call.getReal("bias", 1.0));
                         return true;
                     },
                 .write =
                     [](OnnxWriter& writer) {
                         const Attributes& attrs = writer.node().attrs;
                         writer.finish("LRN", {writer.input()},
                                       {{"size", attrs.getInt("size", 5)},
                                        {"alpha", attrs.getDouble("alpha", 1e-4)},
                                        {"beta", attrs.getDouble("beta", 0.75)},
                                        {"bias", attrs.getDouble("k", 1.0)}});
                     },
                 .fuse = fuse},
    };
    return def;
}

}  // namespace fovea
