#include "core/ops/common.h"
#include "core/ops/older_forms.h"

#include <cmath>

// Activations that exporters write as several nodes because ONNX had no node for them.
namespace fovea {

namespace {

bool near(double a, double b) { return std::abs(a - b) <= 1e-3 * std::abs(b); }

// The node's scalar constant is `value`.
bool hasScalar(const Node* node, const char* kind, double value)
{
    return node && node->kind == kind && node->inputs.size() == 1 && node->attrs.has("scalar") &&
           !node->attrs.getBool("scalar_first", false) && near(node->attrs.getDouble("scalar", 0), value);
}

Node recognised(const char* kind, Port input)
{
    Node node;
    node.kind = kind;
    node.inputs = {input};
    return node;
}

// clip(x + 3, 0, 6)
bool isShiftedRelu6(const Rewriter& rewriter, const Node* clip, const Node*& shift)
{
    const bool clips = clip && (clip->kind == "ReLU6" || (clip->kind == "Hardtanh" && clip->attrs.getDouble("min_val", -1) == 0 && near(clip->attrs.getDouble("max_val", 0), 6)));
    shift = clips ? rewriter.producer(*clip, 0) : nullptr;
    return hasScalar(shift, "Add", 3);
}

bool isSixth(const Node* node) { return hasScalar(node, "Div", 6) || hasScalar(node, "Mul", 1.0 / 6); }

bool fuseHardsigmoid(Rewriter& rewriter, const Node& last)
{
    if (!isSixth(&last)) return false;
    const Node* clip = rewriter.producer(last, 0);
    const Node* shift = nullptr;
    if (!isShiftedRelu6(rewriter, clip, shift)) return false;
    rewriter.replace(last, recognised("Hardsigmoid", shift->inputs[0]), {shift->id, clip->id, last.id});
    return true;
}

// x * hardsigmoid(x), or x * clip(x + 3, 0, 6) / 6
bool fuseHardswish(Rewriter& rewriter, const Node& last)
{
    if (isSixth(&last)) {
        const Node* gate = rewriter.producer(last, 0);
        if (!gate || gate->kind != "Mul" || gate->inputs.size() != 2) return false;
        for (std::size_t side = 0; side < 2; ++side) {
            const Node* clip = rewriter.producer(*gate, side);
            const Node* shift = nullptr;
            if (!isShiftedRelu6(rewriter, clip, shift) || shift->inputs[0] != gate->inputs[1 - side]) continue;
            rewriter.replace(last, recognised("Hardswish", shift->inputs[0]), {shift->id, clip->id, gate->id, last.id});
            return true;
        }
        return false;
    }
    if (last.kind != "Mul" || last.inputs.size() != 2) return false;
    for (std::size_t side = 0; side < 2; ++side) {
        const Node* gate = rewriter.producer(last, side);
        if (!gate || gate->kind != "Hardsigmoid" || gate->inputs[0] != last.inputs[1 - side]) continue;
        rewriter.replace(last, recognised("Hardswish", gate->inputs[0]), {gate->id, last.id});
        return true;
    }
    return false;
}

bool fuseSilu(Rewriter& rewriter, const Node& last)
{
    if (last.kind != "Mul" || last.inputs.size() != 2) return false;
    for (std::size_t side = 0; side < 2; ++side) {
        const Node* gate = rewriter.producer(last, side);
        if (!gate || gate->kind != "Sigmoid" || gate->inputs[0] != last.inputs[1 - side]) continue;
        rewriter.replace(last, recognised("SiLU", gate->inputs[0]), {gate->id, last.id});
        return true;
    }
    return false;
}

bool fuseMish(Rewriter& rewriter, const Node& last)
{
    if (last.kind != "Mul" || last.inputs.size() != 2) return false;
    for (std::size_t side = 0; side < 2; ++side) {
        const Node* tanh = rewriter.producer(last, side);
        const Node* plus = tanh && tanh->kind == "Tanh" ? rewriter.producer(*tanh, 0) : nullptr;
        if (!plus || plus->kind != "Softplus" || plus->inputs[0] != last.inputs[1 - side]) continue;
        rewriter.replace(last, recognised("Mish", plus->inputs[0]), {plus->id, tanh->id, last.id});
        return true;
    }
    return false;
}

// 1 + erf(x / sqrt 2); gives x.
bool isErfGate(const Rewriter& rewriter, const Node* plus, std::vector<NodeId>& absorbed, Port& x)
{
    if (!hasScalar(plus, "Add", 1)) return false;
    const Node* erf = rewriter.producer(*plus, 0);
    const Node* scaled = erf && erf->kind == "Erf" ? rewriter.producer(*erf, 0) : nullptr;
    if (!hasScalar(scaled, "Div", std::sqrt(2.0)) && !hasScalar(scaled, "Mul", std::sqrt(0.5))) return false;
    x = scaled->inputs[0];
    absorbed = {scaled->id, erf->id, plus->id};
    return true;
}

// x * (1 + erf(x / sqrt 2)) * 0.5, with the half before, between or after.
bool fuseGelu(Rewriter& rewriter, const Node& last)
{
    std::vector<NodeId> absorbed;
    Port x;
    const bool halfLast = hasScalar(&last, "Mul", 0.5);
    const Node* gate = halfLast ? rewriter.producer(last, 0) : &last;
    if (!gate || gate->kind != "Mul" || gate->inputs.size() != 2) return false;
    for (std::size_t side = 0; side < 2; ++side) {
        const Node* plus = rewriter.producer(*gate, side);
        const Node* halved = halfLast ? nullptr : rewriter.producer(*gate, 1 - side);
        if (!isErfGate(rewriter, plus, absorbed, x)) continue;
        if (halfLast && gate->inputs[1 - side] != x) continue;
        if (!halfLast && (!hasScalar(halved, "Mul", 0.5) || halved->inputs[0] != x)) continue;
        absorbed.push_back(halfLast ? gate->id : halved->id);
        absorbed.push_back(last.id);
        rewriter.replace(last, recognised("GELU", x), absorbed);
        return true;
    }
    return false;
}

bool readGelu(OnnxCall& call)
{
    const std::string approximate = call.getText("approximate", "none");
    if (approximate != "none") call.node.attrs.set("approximate", approximate);
    return approximate == "none" || approximate == "tanh";
}

// 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))
void writeTanhGelu(OnnxWriter& writer)
{
    const std::string cube = writer.emit("Mul", {writer.emit("Mul", {writer.input(), writer.input()}), writer.input()});
    const std::string inner = writer.emit("Add", {writer.input(), writer.emit("Mul", {cube, writer.real(0.044715)})});
    const std::string tanh = writer.emit("Tanh", {writer.emit("Mul", {inner, writer.real(std::sqrt(2 / 3.14159265358979323846))})});
    const std::string gate = writer.emit("Add", {tanh, writer.real(1.0)});
    writer.finish("Mul", {writer.emit("Mul", {writer.input(), gate}), writer.real(0.5)});
}

void writeGelu(OnnxWriter& writer)
{
    if (writer.node().attrs.getText("approximate", "none") == "tanh") return writeTanhGelu(writer);
    const std::string scaled = writer.emit("Div", {writer.input(), writer.real(std::sqrt(2.0))});
    const std::string gate = writer.emit("Add", {emitErf(writer, scaled), writer.real(1.0)});
    writer.finish("Mul", {writer.emit("Mul", {writer.input(), gate}), writer.real(0.5)});
}

std::string hardsigmoid(OnnxWriter& writer)
{
    return writer.emit("HardSigmoid", {writer.input()}, {{"alpha", 1.0 / 6}, {"beta", 0.5}});
}

bool readHardsigmoid(OnnxCall& call) { return near(call.getReal("alpha", 0.2), 1.0 / 6) && near(call.getReal("beta", 0.5), 0.5); }

}  // namespace

const OpDef& geluOp()
{
    static const OpDef def{.kind = "GELU", .opClass = OpClass::Activation, .memory = keepsInputs, .doc = "x times the normal distribution function of x.",
                           .attrs = {{.name = "approximate", .type = AttrType::Choice, .fallback = std::string("none"), .doc = "How it is computed", .choices = {"none", "tanh"}, .shown = false}},
                           .torch = {TorchOp::GELU, {"approximate"}},
                           .onnx = {.types = {"Gelu"}, .read = readGelu, .write = writeGelu, .fuse = fuseGelu}};
    return def;
}

const OpDef& siluOp()
{
    static const OpDef def{.kind = "SiLU", .opClass = OpClass::Activation, .memory = keepsInputs, .doc = "x times sigmoid(x), also called swish.",
                           .torch = {TorchOp::SiLU},
                           .onnx = {.write = [](OnnxWriter& writer) { writer.finish("Mul", {writer.input(), writer.emit("Sigmoid", {writer.input()})}); }, .fuse = fuseSilu}};
    return def;
}

const OpDef& mishOp()
{
    static const OpDef def{.kind = "Mish", .opClass = OpClass::Activation, .memory = keepsInputs, .doc = "x times tanh(softplus(x)).",
                           .torch = {TorchOp::Mish},
                           .onnx = {.types = {"Mish"}, .read = [](OnnxCall&) { return true; },
                                    .write = [](OnnxWriter& writer) { writer.finish("Mul", {writer.input(), writer.emit("Tanh", {writer.emit("Softplus", {writer.input()})})}); },
                                    .fuse = fuseMish}};
    return def;
}

const OpDef& hardsigmoidOp()
{
    static const OpDef def{.kind = "Hardsigmoid", .opClass = OpClass::Activation, .memory = keepsInputs, .doc = "clip(x / 6 + 1/2, 0, 1).",
                           .torch = {TorchOp::Hardsigmoid},
                           .onnx = {.types = {"HardSigmoid"}, .read = readHardsigmoid,
                                    .write = [](OnnxWriter& writer) { writer.finish("HardSigmoid", {writer.input()}, {{"alpha", 1.0 / 6}, {"beta", 0.5}}); },
                                    .fuse = fuseHardsigmoid}};
    return def;
}

const OpDef& hardswishOp()
{
    static const OpDef def{.kind = "Hardswish", .opClass = OpClass::Activation, .memory = keepsInputs, .doc = "x times hardsigmoid(x).",
                           .torch = {TorchOp::Hardswish},
                           .onnx = {.types = {"HardSwish"}, .read = [](OnnxCall&) { return true; },
                                    .write = [](OnnxWriter& writer) { writer.finish("Mul", {writer.input(), hardsigmoid(writer)}); }, .fuse = fuseHardswish}};
    return def;
}

// ONNX's HardSigmoid with other constants than PyTorch's.
const OpDef& scaledHardSigmoidOp()
{
    static const OpDef def{
        .kind = "ScaledHardSigmoid", .opClass = OpClass::Activation, .memory = keepsInputs, .doc = "clip(alpha x + beta, 0, 1).",
        .attrs = {{.name = "alpha", .type = AttrType::Real, .fallback = 0.2, .doc = "Slope"}, {.name = "beta", .type = AttrType::Real, .fallback = 0.5, .doc = "Offset"}},
        .torch = {TorchOp::ScaledHardSigmoid, {"alpha", "beta"}},
        .onnx = {.types = {"HardSigmoid"},
                 .read =
                     [](OnnxCall& call) {
                         call.node.attrs.set("alpha", call.getReal("alpha", 0.2));
                         call.node.attrs.set("beta", call.getReal("beta", 0.5));
                         return true;
                     },
                 .write =
                     [](OnnxWriter& writer) {
                         writer.finish("HardSigmoid", {writer.input()},
                                       {{"alpha", writer.node().attrs.getDouble("alpha", 0.2)}, {"beta", writer.node().attrs.getDouble("beta", 0.5)}});
                     }}};
    return def;
}

}  // namespace fovea
