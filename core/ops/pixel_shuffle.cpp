#include "core/ops/common.h"
#include "core/ops/older_forms.h"

namespace fovea {

namespace {

// Channels in the second dimension, rows and columns behind them in any order.
bool isImage(const Value& value)
{
    const Layout layout = windowLayout(value, 2);
    return value.shape.rank() == 4 && (layout.c == 1 || layout.c < 0) && layout.h + layout.w == 5 && layout.h >= 2 && layout.w >= 2;
}

std::int64_t factorOf(const Node& node, const char* name) { return std::max<std::int64_t>(1, attrInt(node, name, 2)); }

void inferShuffle(InferContext& context)
{
    Value out = context.in(0);
    const std::int64_t r = factorOf(context.node(), "upscale_factor");
    if (!isImage(out)) return;
    if (out.shape[1] >= 0 && (r > 1'000'000 || out.shape[1] % (r * r) != 0)) {
        context.issue("shape-mismatch", Severity::Error, "upscale_factor", std::to_string(out.shape[1]) + " channels cannot be cut into squares of " + std::to_string(r) + "x" + std::to_string(r) + ".",
                      "Use a multiple of the factor squared as channels.");
        context.out() = unknownLike(out);
        return;
    }
    if (out.shape[1] >= 0) out.shape[1] /= r * r;
    for (int dim = 2; dim < 4; ++dim)
        if (out.shape[dim] >= 0) out.shape[dim] = saturatingMul(out.shape[dim], r);
    context.out() = out;
}

void inferUnshuffle(InferContext& context)
{
    Value out = context.in(0);
    const std::int64_t r = factorOf(context.node(), "downscale_factor");
    if (!isImage(out)) return;
    for (int dim = 2; dim < 4; ++dim) {
        if (out.shape[dim] >= 0 && out.shape[dim] % r != 0) {
            context.issue("shape-mismatch", Severity::Error, "downscale_factor", "A map of " + out.shape.text() + " cannot be cut into blocks of " + std::to_string(r) + ".",
                          "Use a side that is a multiple of the factor.");
            context.out() = unknownLike(out);
            return;
        }
        if (out.shape[dim] >= 0) out.shape[dim] /= r;
    }
    if (out.shape[1] >= 0) out.shape[1] = saturatingMul(out.shape[1], r * r);
    context.out() = out;
}

bool readBlock(OnnxCall& call, const char* name)
{
    const std::int64_t block = call.getInt("blocksize", 0);
    if (block < 1 || block > 1024 || !isImage(call.value(0))) return false;
    call.node.attrs.set(name, block);
    return true;
}

}  // namespace

const OpDef& pixelShuffleOp()
{
    static const OpDef def{
        .kind = "PixelShuffle",
        .opClass = OpClass::Resample,
        .doc = "Turns channels into space: each block of channels becomes a block of pixels.",
        .attrs = {{.name = "upscale_factor", .type = AttrType::Int, .fallback = std::int64_t{2}, .doc = "Side of the block", .min = 1, .max = 1024}},
        .reach =
            [](const NodeView& view) {
                Reach out;
                out.h.kind = out.w.kind = ReachKind::Resize;
                out.h.scale = out.w.scale = Rational(factorOf(view.node, "upscale_factor"));
                return out;
            },
        .infer = inferShuffle,
        .torch = {TorchOp::PixelShuffle, {"upscale_factor"}},
        // PyTorch's order of channels is ONNX's CRD mode.
        .onnx = {.types = {"DepthToSpace"},
                 .read = [](OnnxCall& call) { return call.getText("mode", "DCR") == "CRD" && readBlock(call, "upscale_factor"); },
                 .write =
                     [](OnnxWriter& writer) {
                         emitDepthToSpace(writer, factorOf(writer.node(), "upscale_factor"), true, {writer.output()});
                     }},
    };
    return def;
}

// The other order of channels, which PyTorch has no class for.
const OpDef& depthToSpaceOp()
{
    static const OpDef def{
        .kind = "DepthToSpace",
        .opClass = OpClass::Resample,
        .doc = "Turns channels into space, taking the block's position from the first channels.",
        .attrs = {{.name = "upscale_factor", .type = AttrType::Int, .fallback = std::int64_t{2}, .doc = "Side of the block", .min = 1, .max = 1024}},
        .reach =
            [](const NodeView& view) {
                Reach out;
                out.h.kind = out.w.kind = ReachKind::Resize;
                out.h.scale = out.w.scale = Rational(factorOf(view.node, "upscale_factor"));
                return out;
            },
        .infer = inferShuffle,
        .torch = {TorchOp::DepthToSpace, {"upscale_factor"}},
        .onnx = {.types = {"DepthToSpace"},
                 .read = [](OnnxCall& call) { return readBlock(call, "upscale_factor"); },
                 .write =
                     [](OnnxWriter& writer) {
                         emitDepthToSpace(writer, factorOf(writer.node(), "upscale_factor"), false, {writer.output()});
                     }},
    };
    return def;
}

const OpDef& pixelUnshuffleOp()
{
    static const OpDef def{
        .kind = "SpaceToDepth",
        .opClass = OpClass::Shape,
        .doc = "Turns space into channels: each block of pixels becomes a block of channels.",
        .attrs = {{.name = "downscale_factor", .type = AttrType::Int, .fallback = std::int64_t{2}, .doc = "Side of the block", .min = 1, .max = 1024}},
        .reach =
            [](const NodeView& view) {
                Reach out;
                for (AxisReach* r : {&out.h, &out.w}) {
                    r->kind = ReachKind::Block;
                    r->block = r->stride = factorOf(view.node, "downscale_factor");
                }
                return out;
            },
        .infer = inferUnshuffle,
        .torch = {TorchOp::SpaceToDepth, {"downscale_factor"}},
        .onnx = {.types = {"SpaceToDepth"},
                 .read = [](OnnxCall& call) { return readBlock(call, "downscale_factor"); },
                 .write = [](OnnxWriter& writer) { writer.finish("SpaceToDepth", {writer.input()}, {{"blocksize", factorOf(writer.node(), "downscale_factor")}}); }},
    };
    return def;
}

}  // namespace fovea
