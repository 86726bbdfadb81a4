#include "core/ops/opaque.h"

#include "core/ops/clothes.h"
#include "core/ops/common.h"

#include <algorithm>
#include <cctype>

namespace fovea {

namespace {

// A whole number of at most seven digits from `at` on, which moves behind it; -1: there is none.
std::int64_t numberAt(const std::string& text, std::size_t& at)
{
    const std::size_t digits = at;
    std::int64_t number = 0;
    while (at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])) && at - digits < 7)
        number = number * 10 + (text[at++] - '0');
    return at == digits ? -1 : number;
}

}  // namespace

std::optional<StatedReach> parseStatedReach(const std::string& text)
{
    StatedReach out;
    if (text == "global" || text == "same") {
        out.global = text == "global";
        return out;
    }
    if (text.starts_with("up")) {
        std::size_t at = 2;
        out.up = numberAt(text, at);
        return out.up >= 1 && at == text.size() ? std::optional(out) : std::nullopt;
    }
    std::string seen;
    for (std::size_t at = 0; at < text.size();) {
        const char key = text[at++];
        std::int64_t* value = key == 'k'   ? &out.kernel
                              : key == 's' ? &out.stride
                              : key == 'p' ? &out.padding
                              : key == 'd' ? &out.dilation
                                           : nullptr;
        if (!value || seen.find(key) != std::string::npos) return std::nullopt;
        seen += key;
        const std::int64_t number = numberAt(text, at);
        if (number < 0 || (key != 'p' && number < 1)) return std::nullopt;
        *value = number;
    }
    return seen.find('k') == std::string::npos ? std::nullopt : std::optional(out);
}

std::string whyOpaque(const Node& node)
{
    const std::string why = node.attrs.getText("why");
    if (!why.empty()) return why;
    const std::string type = node.attrs.getText("onnx_op", node.kind);
    return "what an operator '" + type + "' reads is not known";
}

bool slidesByName(std::string_view type)
{
    const std::size_t colons = type.find("::");
    if (colons != std::string_view::npos) type.remove_prefix(colons + 2);
    const bool global = type.find("Global") != std::string_view::npos || type.find("Roi") != std::string_view::npos;
    return !global &&
           (type.find("Conv") != std::string_view::npos || type.ends_with("Pool") || type.ends_with("MaxUnpool"));
}

bool isWeightless(std::string_view type)
{
    static constexpr std::string_view kTypes[] = {"Abs",
                                                  "ArgMax",
                                                  "ArgMin",
                                                  "AveragePool",
                                                  "BatchNormalization",
                                                  "Cast",
                                                  "Ceil",
                                                  "Clip",
                                                  "Col2Im",
                                                  "Compress",
                                                  "Concat",
                                                  "ConcatFromSequence",
                                                  "ConstantOfShape",
                                                  "CumSum",
                                                  "DepthToSpace",
                                                  "Expand",
                                                  "EyeLike",
                                                  "Flatten",
                                                  "Gather",
                                                  "GatherElements",
                                                  "GatherND",
                                                  "GridSample",
                                                  "Hardmax",
                                                  "Identity",
                                                  "MaxPool",
                                                  "MaxRoiPool",
                                                  "MaxUnpool",
                                                  "NonMaxSuppression",
                                                  "NonZero",
                                                  "OneHot",
                                                  "Optional",
                                                  "OptionalGetElement",
                                                  "OptionalHasElement",
                                                  "PRelu",
                                                  "Pad",
                                                  "Range",
                                                  "ReduceL1",
                                                  "ReduceL2",
                                                  "ReduceLogSum",
                                                  "ReduceLogSumExp",
                                                  "ReduceMax",
                                                  "ReduceMean",
                                                  "ReduceMin",
                                                  "ReduceProd",
                                                  "ReduceSum",
                                                  "ReduceSumSquare",
                                                  "Reshape",
                                                  "Resize",
                                                  "ReverseSequence",
                                                  "RoiAlign",
                                                  "Scatter",
                                                  "ScatterElements",
                                                  "ScatterND",
                                                  "SequenceAt",
                                                  "SequenceConstruct",
                                                  "SequenceEmpty",
                                                  "SequenceErase",
                                                  "SequenceInsert",
                                                  "SequenceLength",
                                                  "Shape",
                                                  "Size",
                                                  "Slice",
                                                  "Softmax",
                                                  "SpaceToDepth",
                                                  "Split",
                                                  "SplitToSequence",
                                                  "Squeeze",
                                                  "Tile",
                                                  "TopK",
                                                  "Transpose",
                                                  "Unique",
                                                  "Unsqueeze",
                                                  "Upsample",
                                                  "Where"};
    return std::find(std::begin(kTypes), std::end(kTypes), type) != std::end(kTypes);
}

namespace {

Reach reach(const NodeView& view)
{
    Reach out;
    const auto stated = parseStatedReach(view.node.attrs.getText("reach"));
    for (AxisReach* r : {&out.h, &out.w}) {
        r->kind = ReachKind::Unknown;
        if (!stated) continue;
        r->kind = stated->global ? ReachKind::Global : stated->up > 1 ? ReachKind::Resize : ReachKind::Window;
        r->kernel = stated->kernel;
        r->stride = stated->stride;
        r->dilation = stated->dilation;
        r->padBegin = r->padEnd = stated->padding;
        r->scale = stated->up;
        if (stated->up > 1) r->mode = CoordinateMode::Asymmetric;
    }
    const bool same = stated && !stated->global && stated->up == 1 && stated->kernel == 1 && stated->stride == 1 &&
                      stated->padding == 0;
    return same ? Reach{} : out;
}

std::string numbered(const char* name, std::size_t index) { return index == 0 ? name : name + std::to_string(index); }

// Whether every input is of the shape that it had at import.
bool asDeclared(const InferContext& context)
{
    bool any = false;
    for (std::size_t i = 0; i < context.in().size(); ++i) {
        const Ints* declared = context.node().attrs.getInts(numbered("declared_in", i));
        if (!declared) continue;
        if (context.in(i).shape != Shape(std::span(*declared))) return false;
        any = true;
    }
    return any;
}

// What the file declared for the outputs holds as long as the inputs are those that it was declared for.
void infer(InferContext& context)
{
    const Node& node = context.node();
    const Reach made = reach({node, context.in(), {}});
    const bool same = asDeclared(context);
    const Value& in = context.in(0);
    for (std::size_t i = 0; i < context.outCount(); ++i) {
        context.out(i) = Value{};
        const Ints* declared = node.attrs.getInts(numbered("declared_out", i));
        if (!declared) continue;
        Value out{Shape(std::span(*declared)), {}};
        if (out.shape.rank() == in.shape.rank() && in.layout != Layout{}) out.layout = in.layout;
        else if (out.shape.rank() == 4) out.layout = kNchw;
        if (!same && out.layout.h >= 0 && out.layout.w >= 0) {
            const bool known = made.h.kind != ReachKind::Unknown && made.h.kind != ReachKind::Global;
            out.shape[out.layout.h] = known ? outputSize(made.h, in.height()) : kUnknown;
            out.shape[out.layout.w] = known ? outputSize(made.w, in.width()) : kUnknown;
        } else if (!same) {
            out = unknownLike(out);
        }
        context.out(i) = out;
    }
}

int outputCount(const Node& node)
{
    return static_cast<int>(std::clamp<std::int64_t>(attrInt(node, "outputs", 1), 1, 4096));
}

std::optional<std::int64_t> macs(const NodeView& view)
{
    return isWeightless(view.node.attrs.getText("onnx_op")) ? std::optional<std::int64_t>(0) : std::nullopt;
}

}  // namespace

// A node nobody recognised: kept, drawn, written back unchanged, unknown until the user states its reach.
const OpDef& opaqueOp()
{
    static const OpDef def{
        .kind = "opaque",
        .opClass = OpClass::Opaque,
        .doc = "A layer that Fovea does not know. It is written back unchanged; state its reach to have it analysed.",
        .attrs = {{.name = "reach",
                   .type = AttrType::Text,
                   .fallback = std::string(),
                   .doc = "What it reads: k3s2p1 (kernel, stride, padding, d for dilation), up2 (enlarged twice), "
                          "global, or same"},
                  {.name = "onnx_op",
                   .type = AttrType::Text,
                   .fallback = std::string(),
                   .doc = "Its type in the file",
                   .shown = false},
                  {.name = "why",
                   .type = AttrType::Text,
                   .fallback = std::string(),
                   .doc = "What could not be read",
                   .shown = false},
                  {.name = "counted",
                   .type = AttrType::Bool,
                   .fallback = false,
                   .doc = "Its parameters are known",
                   .shown = false},
                  {.name = "outputs",
                   .type = AttrType::Int,
                   .fallback = std::int64_t{1},
                   .doc = "Number of outputs",
                   .min = 1,
                   .max = 4096,
                   .shown = false},
                  {.name = "declared_in",
                   .type = AttrType::IntList,
                   .fallback = Ints{},
                   .doc = "Input shape at import",
                   .min = -1,
                   .shown = false},
                  {.name = "declared_out",
                   .type = AttrType::IntList,
                   .fallback = Ints{},
                   .doc = "Output shape at import",
                   .min = -1,
                   .shown = false}},
        .minInputs = 0,
        .maxInputs = -1,
        .outputs = outputCount,
        .reach = reach,
        .infer = infer,
        .params = learnedOperands,
        .macs = macs,
    };
    return def;
}

}  // namespace fovea
