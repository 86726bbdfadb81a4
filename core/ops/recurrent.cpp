#include "core/ops/clothes.h"
#include "core/ops/common.h"

#include <algorithm>

// Recurrent layers: every step sees the whole sequence (behind it too, where it runs both ways or the last state is
// read), so they are global along it and keep the other axis.
namespace fovea {

namespace {

bool batchFirst(const Node& node) { return node.attrs.getBool("batch_first", false); }

std::int64_t directions(const Node& node)
{
    return node.attrs.getText("direction", "forward") == "bidirectional" ? 2 : 1;
}

int outputCount(const Node& node)
{
    return static_cast<int>(std::clamp<std::int64_t>(attrInt(node, "outputs", 1), 1, 3));
}

Reach reach(const NodeView& view)
{
    Reach out;
    if (view.in.empty()) return out;
    const Layout& layout = view.in[0].layout;
    const int steps = batchFirst(view.node) ? 1 : 0;
    const bool lost = layout.h < 0 && layout.w < 0;  // nobody knows where positions went
    if (lost || layout.h == steps) out.h.kind = ReachKind::Global;
    if (lost || layout.w == steps) out.w.kind = ReachKind::Global;
    return out;
}

// Y: [steps, directions, batch, hidden], or [batch, steps, directions, hidden]; Y_h and Y_c lack the steps.
Value sequence(const Value& in, const Node& node, bool withSteps)
{
    const bool first = batchFirst(node);
    const int steps = first ? 1 : 0, batch = first ? 0 : 1;
    Value out{Shape::ofRank(0), {}};
    const auto append = [&](int dim) {
        const auto to = static_cast<std::int8_t>(out.shape.rank());
        if (in.layout.h == dim) out.layout.h = to;
        if (in.layout.w == dim) out.layout.w = to;
        out.shape.append(in.shape[dim]);
    };
    if (withSteps && !first) append(steps);
    if (first) append(batch);
    if (withSteps && first) append(steps);
    out.shape.append(directions(node));
    if (!first) append(batch);
    out.layout.c = static_cast<std::int8_t>(out.shape.rank());
    out.shape.append(attrInt(node, "hidden_size", 1));
    return out;
}

void infer(InferContext& context)
{
    const Value& in = context.in(0);
    for (std::size_t i = 0; i < context.outCount(); ++i) {
        context.out(i) = Value{Shape::ofRank(i == 0 ? 4 : 3), {}};
        if (in.shape.rank() == 3) context.out(i) = sequence(in, context.node(), i == 0);
    }
    if (in.shape.hasRank() && in.shape.rank() != 3)
        context.issue("rank-mismatch", Severity::Error, "",
                      context.node().kind + " needs a sequence of rank 3, got " + in.shape.text() + ".",
                      "Go back to the model's own input size, or mend the reshape before it.");
}

bool read(OnnxCall& call)
{
    const Tensor* weight = call.constant(1);
    if (!weight || !call.isConstant(2)) return call.refuse("its weights are no constants");
    if (weight->dims.size() != 3) return call.refuse("its weight is not of rank 3");
    Attributes& attrs = call.node.attrs;
    const Tensor& recurrent = *call.constant(2);
    attrs.set("hidden_size", call.getInt("hidden_size", recurrent.dims.empty() ? 1 : recurrent.dims.back()));
    attrs.set("direction", call.getText("direction", "forward"));
    attrs.set("batch_first", call.getInt("layout", 0) != 0);
    attrs.set("outputs", static_cast<std::int64_t>(call.outputCount));
    keepClothes(call, call.type, false, {1, 2, 3, 7});
    return true;
}

OpDef define(const char* kind, const char* doc, const char* onnx)
{
    return OpDef{
        .kind = kind,
        .opClass = OpClass::Math,
        .memory = keepsInputs,
        .doc = doc,
        .attrs = {{.name = "hidden_size",
                   .type = AttrType::Int,
                   .fallback = std::int64_t{1},
                   .doc = "Features of its state",
                   .min = 1,
                   .shown = false},
                  {.name = "direction",
                   .type = AttrType::Choice,
                   .fallback = std::string("forward"),
                   .doc = "Which way it runs along the sequence",
                   .choices = {"forward", "reverse", "bidirectional"},
                   .shown = false},
                  {.name = "batch_first",
                   .type = AttrType::Bool,
                   .fallback = false,
                   .doc = "The batch stands before the sequence",
                   .shown = false},
                  {.name = "outputs",
                   .type = AttrType::Int,
                   .fallback = std::int64_t{1},
                   .doc = "The sequence, then its last states",
                   .min = 1,
                   .max = 3,
                   .shown = false}},
        .maxInputs = -1,
        .pathInputs = 1,
        .outputs = outputCount,
        .reach = reach,
        .infer = infer,
        .params = learnedOperands,
        .macs = [](const NodeView&) { return std::optional<std::int64_t>(); },  // they depend on the steps that are run
        .onnx = {.types = {onnx}, .read = read, .write = writeInClothes}};
}

}  // namespace

const OpDef& lstmOp()
{
    static const OpDef def = define("LSTM", "Long short-term memory over a sequence.", "LSTM");
    return def;
}

const OpDef& gruOp()
{
    static const OpDef def = define("GRU", "Gated recurrent unit over a sequence.", "GRU");
    return def;
}

const OpDef& rnnOp()
{
    static const OpDef def = define("RNN", "Recurrent layer over a sequence.", "RNN");
    return def;
}

}  // namespace fovea
