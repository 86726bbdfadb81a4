#include "core/ops/common.h"

#include <algorithm>

// Functions along one dimension. Where it carries height or width, each unit may see the whole of it.
namespace fovea {

namespace {

int axisOf(const Node& node, const Value& in) { return normalAxis(attrInt(node, "dim", -1), in.shape.rank()); }

Reach reach(const NodeView& view)
{
    Reach out;
    if (view.in.empty()) return out;
    const int axis = axisOf(view.node, view.in[0]);
    if (axis >= 0 && axis == view.in[0].layout.h) out.h.kind = ReachKind::Global;
    if (axis >= 0 && axis == view.in[0].layout.w) out.w.kind = ReachKind::Global;
    return out;
}

AttrDef dimAttr(const char* doc)
{
    return {.name = "dim", .type = AttrType::Int, .fallback = std::int64_t{-1}, .doc = doc, .min = -8};
}

AttrDef keepAttr()
{
    return {.name = "keepdim", .type = AttrType::Bool, .fallback = true, .doc = "Keeps it as a dimension of size 1"};
}

// Position of the largest or smallest value.
void inferArg(InferContext& context)
{
    const Value& in = context.in(0);
    if (!in.shape.hasRank()) return;
    const int axis = axisOf(context.node(), in);
    const bool keep = context.node().attrs.getBool("keepdim", true);
    Value out{Shape::ofRank(0), {}};
    for (int i = 0; i < in.shape.rank(); ++i) {
        if (i == axis && !keep) continue;
        const auto to = static_cast<std::int8_t>(out.shape.rank());
        if (i == in.layout.c) out.layout.c = to;
        if (i == in.layout.h) out.layout.h = to;
        if (i == in.layout.w) out.layout.w = to;
        out.shape.append(i == axis ? 1 : in.shape[i]);
    }
    context.out() = out;
}

bool readArg(OnnxCall& call)
{
    call.node.attrs.set("dim", call.getInt("axis", 0));
    call.node.attrs.set("keepdim", call.getInt("keepdims", 1) != 0);
    if (call.getInt("select_last_index", 0) != 0) call.node.attrs.set("last_of_equal", true);
    call.node.attrs.set("native_type", true);
    return true;
}

void writeArg(OnnxWriter& writer)
{
    const Node& node = writer.node();
    OnnxAttrs attrs{{"axis", attrInt(node, "dim", 0)}, {"keepdims", std::int64_t{node.attrs.getBool("keepdim", true)}}};
    if (node.attrs.getBool("last_of_equal", false) && writer.opset() >= 12)
        attrs.emplace("select_last_index", std::int64_t{1});
    if (node.attrs.getBool("native_type", false)) writer.finish(node.kind, {writer.input()}, attrs);
    else writer.finish("Cast", {writer.emit(node.kind, {writer.input()}, attrs)}, {{"to", std::int64_t{1}}});
}

OpDef defineArg(const char* kind, const char* doc, TorchOp torch)
{
    return OpDef{.kind = kind,
                 .opClass = OpClass::Math,
                 .doc = doc,
                 .attrs = {dimAttr("Dimension that it looks along"),
                           keepAttr(),
                           {.name = "last_of_equal",
                            .type = AttrType::Bool,
                            .fallback = false,
                            .doc = "Of equal values it takes the last",
                            .shown = false},
                           nativeTypeAttr()},
                 .reach = reach,
                 .infer = inferArg,
                 .torch = {torch, {"dim", "keepdim"}},
                 .onnx = {.types = {kind}, .read = readArg, .write = writeArg}};
}

// The k largest values of a dimension, and where they stand.
void inferTopK(InferContext& context)
{
    const Value& in = context.in(0);
    Value out = in;
    const int axis = axisOf(context.node(), in);
    const std::int64_t k = attrInt(context.node(), "k", 1);
    if (axis < 0) out = {};
    else if (in.shape[axis] >= 0 && k > in.shape[axis]) {
        context.issue("size-frozen", Severity::Error, "k",
                      "It takes " + std::to_string(k) + " values of a dimension of " + std::to_string(in.shape[axis]) +
                          ".",
                      "Use a larger input.");
        out = unknownLike(in);
    } else out.shape[axis] = k;
    context.out(0) = context.out(1) = out;
}

bool readTopK(OnnxCall& call)
{
    bool dynamic = false;
    const auto k =
        call.attrs.contains("k") ? std::optional(Ints{call.getInt("k", 1)}) : call.listFrom("k", 1, &dynamic);
    if (!k || k->size() != 1) return call.refuse("the number of values that it takes depends on data");
    call.node.attrs.set("dim", call.getInt("axis", -1));
    call.node.attrs.set("k", (*k)[0]);
    call.node.attrs.set("largest", call.getInt("largest", 1) != 0);
    call.node.attrs.set("sorted", call.getInt("sorted", 1) != 0);
    return true;
}

void writeTopK(OnnxWriter& writer)
{
    const Node& node = writer.node();
    OnnxAttrs attrs{{"axis", attrInt(node, "dim", -1)}};
    std::vector<std::string> inputs{writer.input()};
    if (writer.opset() >= 10) inputs.push_back(writer.ints({attrInt(node, "k", 1)}));
    else attrs.emplace("k", attrInt(node, "k", 1));
    if (writer.opset() >= 11) {
        attrs.emplace("largest", std::int64_t{node.attrs.getBool("largest", true)});
        attrs.emplace("sorted", std::int64_t{node.attrs.getBool("sorted", true)});
    } else if (!node.attrs.getBool("largest", true)) {
        writer.needOpset(11, "a TopK of the smallest values");
    }
    writer.emit("TopK", inputs, attrs, {writer.output(0), writer.output(1)});
}

bool readHardmax(OnnxCall& call)
{
    const Value& in = call.value(0);
    const std::int64_t axis = call.getInt("axis", call.opset >= 13 ? -1 : 1);
    // Before opset 13 the node flattened everything behind the axis.
    for (int dim = normalAxis(axis, in.shape.rank()) + 1; call.opset < 13 && dim < std::max(1, in.shape.rank()); ++dim)
        if (in.shape[dim] != 1)
            return call.refuse("before opset 13 it takes the largest value of several dimensions at once");
    call.node.attrs.set("dim", axis);
    return true;
}

bool readCumSum(OnnxCall& call)
{
    const Tensor* axis = call.constant(1);
    if (!axis || axis->elements() != 1) return call.refuse("the dimension that it sums along depends on data");
    call.node.attrs.set("dim", axis->integer(0));
    call.node.attrs.set("exclusive", call.getInt("exclusive", 0) != 0);
    call.node.attrs.set("reverse", call.getInt("reverse", 0) != 0);
    return true;
}

void writeCumSum(OnnxWriter& writer)
{
    const Node& node = writer.node();
    writer.needOpset(11, "CumSum");
    const std::string axis = writer.constant(Tensor::fromIntegers({}, {attrInt(node, "dim", -1)}));
    writer.finish("CumSum", {writer.input(), axis},
                  {{"exclusive", std::int64_t{node.attrs.getBool("exclusive", false)}},
                   {"reverse", std::int64_t{node.attrs.getBool("reverse", false)}}});
}

// The lower or upper triangle of the last two dimensions; which elements stay is fixed.
bool readTrilu(OnnxCall& call)
{
    std::int64_t k = 0;
    if (call.has(1)) {
        if (!call.isConstant(1) || call.constant(1)->elements() != 1)
            return call.refuse("its diagonal depends on data");
        k = call.constant(1)->integer(0);
    }
    call.node.attrs.set("diagonal", k);
    call.node.attrs.set("upper", call.getInt("upper", 1) != 0);
    return true;
}

void writeTrilu(OnnxWriter& writer)
{
    const Node& node = writer.node();
    writer.needOpset(14, "Trilu");
    const std::string k = writer.constant(Tensor::fromIntegers({}, {attrInt(node, "diagonal", 0)}));
    writer.finish("Trilu", {writer.input(), k}, {{"upper", std::int64_t{node.attrs.getBool("upper", true)}}});
}

}  // namespace

const OpDef& argMaxOp()
{
    static const OpDef def = defineArg("ArgMax", "Position of the largest value.", TorchOp::ArgMax);
    return def;
}

const OpDef& argMinOp()
{
    static const OpDef def = defineArg("ArgMin", "Position of the smallest value.", TorchOp::ArgMin);
    return def;
}

const OpDef& topKOp()
{
    static const OpDef def{
        .kind = "TopK",
        .opClass = OpClass::Math,
        .doc = "The largest values of a dimension, and their positions.",
        .attrs =
            {dimAttr("Dimension that it takes them of"),
             {.name = "k", .type = AttrType::Int, .fallback = std::int64_t{1}, .doc = "How many it takes", .min = 1},
             {.name = "largest", .type = AttrType::Bool, .fallback = true, .doc = "The largest; else the smallest"},
             {.name = "sorted", .type = AttrType::Bool, .fallback = true, .doc = "In order"}},
        .outputs = [](const Node&) { return 2; },
        .reach = reach,
        .infer = inferTopK,
        .torch = {TorchOp::TopK, {"dim", "k", "largest", "sorted"}},
        .onnx = {.types = {"TopK"}, .read = readTopK, .write = writeTopK}};
    return def;
}

const OpDef& hardmaxOp()
{
    static const OpDef def{.kind = "Hardmax",
                           .opClass = OpClass::Activation,
                           .doc = "1 at the largest value of a dimension, 0 elsewhere.",
                           .attrs = {dimAttr("Dimension that it looks along")},
                           .reach = reach,
                           .torch = {TorchOp::Hardmax, {"dim"}},
                           .onnx = {.types = {"Hardmax"}, .read = readHardmax, .write = [](OnnxWriter& writer) {
                                        const int rank = writer.inputValue().shape.rank();
                                        const std::int64_t dim = attrInt(writer.node(), "dim", -1);
                                        // Before opset 13 it flattens what stands behind the axis.
                                        if (normalAxis(dim, rank) != rank - 1) writer.needOpset(13, "a Hardmax of any but the last dimension");
                                        writer.finish("Hardmax", {writer.input()},
                                                      {{"axis", writer.opset() < 13 ? std::int64_t{rank - 1} : dim}});
                                    }}};
    return def;
}

const OpDef& cumSumOp()
{
    static const OpDef def{
        .kind = "CumSum",
        .opClass = OpClass::Math,
        .doc = "Sum of all values up to each position of a dimension.",
        .attrs =
            {dimAttr("Dimension that it sums along"),
             {.name = "exclusive", .type = AttrType::Bool, .fallback = false, .doc = "Leaves the position itself out"},
             {.name = "reverse", .type = AttrType::Bool, .fallback = false, .doc = "From the last position on"}},
        .reach = reach,
        .torch = {TorchOp::CumSum, {"dim", "exclusive", "reverse"}},
        .onnx = {.types = {"CumSum"}, .read = readCumSum, .write = writeCumSum}};
    return def;
}

const OpDef& normalizeOp()
{
    static const OpDef def{.kind = "Normalize",
                           .opClass = OpClass::Normalization,
                           .memory = keepsInputs,
                           .doc = "Divides by the norm along a dimension.",
                           .attrs = {dimAttr("Dimension whose norm becomes 1"),
                                     {.name = "p",
                                      .type = AttrType::Int,
                                      .fallback = std::int64_t{2},
                                      .doc = "Order of the norm",
                                      .min = 1,
                                      .max = 2}},
                           .reach = reach,
                           .torch = {TorchOp::Normalize, {"dim", "p"}},
                           .onnx = {.types = {"LpNormalization"},
                                    .read =
                                        [](OnnxCall& call) {
                                            call.node.attrs.set("dim", call.getInt("axis", -1));
                                            call.node.attrs.set("p", call.getInt("p", 2));
                                            return true;
                                        },
                                    .write =
                                        [](OnnxWriter& writer) {
                                            writer.finish("LpNormalization", {writer.input()},
                                                          {{"axis", attrInt(writer.node(), "dim", -1)},
                                                           {"p", attrInt(writer.node(), "p", 2)}});
                                        }}};
    return def;
}

const OpDef& triluOp()
{
    static const OpDef def{
        .kind = "Trilu",
        .opClass = OpClass::Math,
        .doc = "Keeps a triangle of the last two dimensions, the rest becomes 0.",
        .attrs =
            {{.name = "diagonal",
              .type = AttrType::Int,
              .fallback = std::int64_t{0},
              .doc = "Where the triangle begins",
              .min = -1'000'000'000},
             {.name = "upper", .type = AttrType::Bool, .fallback = true, .doc = "The upper triangle; else the lower"}},
        .torch = {TorchOp::Trilu, {"diagonal", "upper"}},
        .onnx = {.types = {"Trilu", "com.microsoft::Trilu"}, .read = readTrilu, .write = writeTrilu}};
    return def;
}

}  // namespace fovea
