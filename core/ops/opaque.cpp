#include "core/ops/common.h"
#include "core/ops/opaque.h"

#include <algorithm>
#include <cctype>

namespace fovea {

std::optional<StatedReach> parseStatedReach(const std::string& text)
{
    StatedReach out;
    if (text == "global" || text == "same") {
        out.global = text == "global";
        return out;
    }
    std::string seen;
    for (std::size_t at = 0; at < text.size();) {
        const char key = text[at++];
        std::int64_t* value = key == 'k' ? &out.kernel : key == 's' ? &out.stride : key == 'p' ? &out.padding : key == 'd' ? &out.dilation : nullptr;
        if (!value || seen.find(key) != std::string::npos) return std::nullopt;
        seen += key;
        const std::size_t digits = at;
        std::int64_t number = 0;
        while (at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])) && at - digits < 7) number = number * 10 + (text[at++] - '0');
        if (at == digits || (key != 'p' && number < 1)) return std::nullopt;
        *value = number;
    }
    return seen.find('k') == std::string::npos ? std::nullopt : std::optional(out);
}

namespace {

Reach reach(const NodeView& view)
{
    Reach out;
    const auto stated = parseStatedReach(view.node.attrs.getText("reach"));
    for (AxisReach* r : {&out.h, &out.w}) {
        r->kind = ReachKind::Unknown;
        if (!stated) continue;
        r->kind = stated->global ? ReachKind::Global : ReachKind::Window;
        r->kernel = stated->kernel;
        r->stride = stated->stride;
        r->dilation = stated->dilation;
        r->padBegin = r->padEnd = stated->padding;
    }
    if (stated && !stated->global && stated->kernel == 1 && stated->stride == 1 && stated->padding == 0) out = {};
    return out;
}

// What the file declared for the outputs holds as long as the input is the one it was declared for.
void infer(InferContext& context)
{
    const Node& node = context.node();
    const Ints* declared = node.attrs.getInts("declared_out");
    const Ints* declaredIn = node.attrs.getInts("declared_in");
    const Reach made = reach({node, context.in(), {}});
    for (std::size_t i = 0; i < context.outCount(); ++i) context.out(i) = Value{};
    if (!declared || context.outCount() == 0) return;
    Value out{Shape(std::span(*declared)), {}};
    if (out.shape.rank() == 4) out.layout = kNchw;
    const Value& in = context.in(0);
    const bool same = declaredIn && in.shape == Shape(std::span(*declaredIn));
    if (!same && out.shape.rank() == 4) {
        const bool known = made.h.kind != ReachKind::Unknown && made.h.kind != ReachKind::Global;
        out.shape[2] = known ? outputSize(made.h, in.height()) : kUnknown;
        out.shape[3] = known ? outputSize(made.w, in.width()) : kUnknown;
    } else if (!same) {
        out = unknownLike(out);
    }
    context.out() = out;
}

int outputCount(const Node& node) { return static_cast<int>(std::clamp<std::int64_t>(attrInt(node, "outputs", 1), 1, 4096)); }

}  // namespace

// A node nobody recognised: kept, drawn, written back unchanged, unknown until the user states its reach.
const OpDef& opaqueOp()
{
    static const OpDef def{
        .kind = "opaque",
        .opClass = OpClass::Opaque,
        .doc = "A layer that Fovea does not know. It is written back unchanged; state its reach to have it analysed.",
        .attrs = {{.name = "reach", .type = AttrType::Text, .fallback = std::string(), .doc = "What it reads: k3s2p1 (kernel, stride, padding, d for dilation), global, or same"},
                  {.name = "onnx_op", .type = AttrType::Text, .fallback = std::string(), .doc = "Its type in the file", .shown = false},
                  {.name = "outputs", .type = AttrType::Int, .fallback = std::int64_t{1}, .doc = "Number of outputs", .min = 1, .max = 4096, .shown = false},
                  {.name = "declared_in", .type = AttrType::IntList, .fallback = Ints{}, .doc = "Input shape at import", .shown = false},
                  {.name = "declared_out", .type = AttrType::IntList, .fallback = Ints{}, .doc = "Output shape at import", .shown = false}},
        .minInputs = 0,
        .maxInputs = -1,
        .outputs = outputCount,
        .reach = reach,
        .infer = infer,
    };
    return def;
}

}  // namespace fovea
