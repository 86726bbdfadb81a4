#include "core/ops/common.h"

#include <array>

namespace fovea {

namespace {

constexpr const char* kRoles[] = {"condition", "then", "else"};

std::string shapeName(std::size_t term) { return std::string(kRoles[term]) + "_shape"; }

// The three terms, of which some are constants of the layer.
std::array<Value, 3> termsOf(const Node& node, std::span<const Value> in)
{
    std::array<Value, 3> out;
    std::size_t next = 0;
    for (std::size_t term = 0; term < 3; ++term)
        if (const Ints* dims = node.attrs.getInts(shapeName(term))) out[term].shape = Shape(std::span(*dims));
        else if (next < in.size()) out[term] = in[next++];
    return out;
}

void infer(InferContext& context)
{
    const auto terms = termsOf(context.node(), context.in());
    Value first, out;
    const bool fits = broadcast(terms[1], terms[2], first);
    if (!broadcast(first, terms[0], out) || !fits)
        context.issue("shape-mismatch", Severity::Error, "",
                      "Where joins " + terms[0].shape.text() + ", " + terms[1].shape.text() + " and " +
                          terms[2].shape.text() + ", which do not match.",
                      "Give the branches the same stride, padding and number of channels.");
    context.out() = out;
}

std::vector<ParamSpec> params(const NodeView& view)
{
    std::vector<ParamSpec> out;
    for (std::size_t term = 0; term < 3; ++term)
        if (const Ints* dims = view.node.attrs.getInts(shapeName(term)))
            out.push_back({.role = kRoles[term],
                           .dims = *dims,
                           .trainable = view.node.attrs.getBool(std::string("learned_") + kRoles[term], false)});
    return out;
}

bool read(OnnxCall& call)
{
    if (call.args.size() != 3) return call.refuse("it does not have three inputs");
    call.dataInputs.clear();
    for (std::size_t term = 0; term < 3; ++term) {
        const Tensor* constant = call.constant(term);
        if (!constant) {
            call.dataInputs.push_back(term);
            continue;
        }
        call.node.attrs.set(shapeName(term), Ints(constant->dims));
        if (call.args[term].named && isFloating(constant->dtype))
            call.node.attrs.set(std::string("learned_") + kRoles[term], true);
        call.bind(kRoles[term], term);
    }
    return !call.dataInputs.empty();
}

void write(OnnxWriter& writer)
{
    writer.needOpset(9, "Where");
    std::vector<std::string> inputs;
    std::size_t next = 0;
    for (std::size_t term = 0; term < 3; ++term)
        inputs.push_back(writer.node().attrs.has(shapeName(term)) ? writer.tensor(kRoles[term]) : writer.input(next++));
    inputs[0] = writer.emit("Cast", {inputs[0]}, {{"to", std::int64_t{9}}});
    writer.finish("Where", inputs);
}

}  // namespace

// A choice between two maps, point by point.
const OpDef& whereOp()
{
    static const OpDef def{
        .kind = "Where",
        .opClass = OpClass::Merge,
        .memory = keepsInputs,
        .doc = "Of its second input where the first is true, else of the third.",
        .minInputs = 1,
        .maxInputs = 3,
        .infer = infer,
        .params = params,
        .torch = {TorchOp::Where, {}, {"condition", "then", "else"}},
        .onnx = {.types = {"Where"}, .read = read, .write = write},
    };
    return def;
}

}  // namespace fovea
