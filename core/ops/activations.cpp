#include "core/ops/activations.h"
#include "core/ops/common.h"
#include "core/ops/older_forms.h"

#include <array>

// Element-wise functions without settings: ONNX has one node for each, so a row is all they need.
namespace fovea {

namespace {

struct Row {
    const char* kind;
    const char* onnx;
    const char* doc;
    TorchOp torch;
    Memory (*memory)(const NodeView&);
    OpClass opClass = OpClass::Activation;
};

constexpr std::array kRows{
    Row{"ReLU", "Relu", "max(0, x).", TorchOp::ReLU, keepsOutput},
    Row{"Sigmoid", "Sigmoid", "1 / (1 + exp(-x)).", TorchOp::Sigmoid, keepsOutput},
    Row{"Tanh", "Tanh", "Hyperbolic tangent.", TorchOp::Tanh, keepsOutput},
    Row{"Softplus", "Softplus", "log(1 + exp(x)).", TorchOp::Softplus, keepsInputs},
    Row{"Softsign", "Softsign", "x / (1 + |x|).", TorchOp::Softsign, keepsInputs},
    Row{"Erf", "Erf", "Error function.", TorchOp::Erf, keepsInputs, OpClass::Math},
    Row{"Exp", "Exp", "Exponential.", TorchOp::Exp, keepsOutput, OpClass::Math},
    Row{"Log", "Log", "Natural logarithm.", TorchOp::Log, keepsInputs, OpClass::Math},
    Row{"Sqrt", "Sqrt", "Square root.", TorchOp::Sqrt, keepsOutput, OpClass::Math},
    Row{"Abs", "Abs", "Absolute value.", TorchOp::Abs, keepsInputs, OpClass::Math},
    Row{"Neg", "Neg", "Changes the sign.", TorchOp::Neg, nullptr, OpClass::Math},
    Row{"Reciprocal", "Reciprocal", "1 / x.", TorchOp::Reciprocal, keepsOutput, OpClass::Math},
    Row{"Floor", "Floor", "Rounds down.", TorchOp::Floor, nullptr, OpClass::Math},
    Row{"Ceil", "Ceil", "Rounds up.", TorchOp::Ceil, nullptr, OpClass::Math},
    Row{"Round", "Round", "Rounds to the nearest even integer.", TorchOp::Round, nullptr, OpClass::Math},
    Row{"Sign", "Sign", "-1, 0 or 1.", TorchOp::Sign, nullptr, OpClass::Math},
    Row{"Sin", "Sin", "Sine of its input.", TorchOp::Sin, keepsInputs, OpClass::Math},
    Row{"Cos", "Cos", "Cosine of its input.", TorchOp::Cos, keepsInputs, OpClass::Math},
    Row{"Identity", "Identity", "Passes its input on.", TorchOp::Identity, isView, OpClass::Shape},
};

void write(OnnxWriter& writer)
{
    const std::string& kind = writer.node().kind;
    if (kind == "Erf") emitErf(writer, writer.input(), {writer.output()});
    else if (kind == "Sign") emitSign(writer, writer.input(), {writer.output()});
    else if (kind == "Round") emitRound(writer, writer.input(), {writer.output()});
    else
        for (const Row& row : kRows)
            if (kind == row.kind) writer.finish(row.onnx, {writer.input()});
}

// An activation with up to two real settings, each with its PyTorch name, ONNX name and defaults.
struct Setting {
    const char* torch;
    const char* onnx;
    double torchDefault;
    double onnxDefault;
    const char* doc;
};
struct SettingRow {
    const char* kind;
    const char* onnx;
    const char* doc;
    TorchOp torch;
    std::array<Setting, 2> settings;
};

constexpr std::array kSettingRows{
    SettingRow{"LeakyReLU", "LeakyRelu", "x where positive, a fraction of x where negative.", TorchOp::LeakyReLU, {Setting{"negative_slope", "alpha", 0.01, 0.01, "Slope where negative"}}},
    SettingRow{"ELU", "Elu", "x where positive, alpha (exp(x) - 1) where negative.", TorchOp::ELU, {Setting{"alpha", "alpha", 1.0, 1.0, "Limit where negative"}}},
    SettingRow{"SELU", "Selu", "Scaled ELU.", TorchOp::SELU, {Setting{"alpha", "alpha", 1.6732632423543772, 1.67326, "Limit where negative"}, Setting{"scale", "gamma", 1.0507009873554805, 1.0507, "Scale"}}},
    SettingRow{"CELU", "Celu", "Continuously differentiable ELU.", TorchOp::CELU, {Setting{"alpha", "alpha", 1.0, 1.0, "Limit where negative"}}},
    SettingRow{"Threshold", "ThresholdedRelu", "x where above a threshold, else 0.", TorchOp::Threshold, {Setting{"threshold", "alpha", 1.0, 1.0, "Threshold"}}},
};

const SettingRow& rowOf(const std::string& kind)
{
    for (const SettingRow& row : kSettingRows)
        if (kind == row.kind) return row;
    throw Error(ErrorCode::Internal, "'" + kind + "' is not an activation with settings.");
}

bool readSettings(OnnxCall& call)
{
    for (const Setting& setting : rowOf(call.node.kind).settings)
        if (setting.torch) call.node.attrs.set(setting.torch, call.getReal(setting.onnx, setting.onnxDefault));
    return true;
}

void writeSettings(OnnxWriter& writer)
{
    const SettingRow& row = rowOf(writer.node().kind);
    const Attributes& own = writer.node().attrs;
    if (row.torch == TorchOp::CELU) {
        emitCelu(writer, writer.input(), own.getDouble("alpha", 1), {writer.output()});
        return;
    }
    if (row.torch == TorchOp::Threshold) {
        emitThresholdedRelu(writer, writer.input(), own.getDouble("threshold", 1), {writer.output()});
        return;
    }
    OnnxAttrs attrs;
    for (const Setting& setting : row.settings)
        if (setting.torch) attrs.emplace(setting.onnx, own.getDouble(setting.torch, setting.torchDefault));
    writer.finish(row.onnx, {writer.input()}, attrs);
}

}  // namespace

const std::vector<OpDef>& activationOps()
{
    static const std::vector<OpDef> ops = [] {
        std::vector<OpDef> out;
        for (const Row& row : kRows)
            out.push_back({.kind = row.kind,
                           .opClass = row.opClass,
                           .memory = row.memory,
                           .doc = row.doc,
                           .torch = {row.torch},
                           .onnx = {.types = {row.onnx}, .read = [](OnnxCall&) { return true; }, .write = write}});
        for (const SettingRow& row : kSettingRows) {
            OpDef def{.kind = row.kind, .opClass = OpClass::Activation, .memory = keepsInputs, .doc = row.doc, .torch = {row.torch}, .onnx = {.types = {row.onnx}, .read = readSettings, .write = writeSettings}};
            for (const Setting& setting : row.settings)
                if (setting.torch) {
                    def.torch.attrs.push_back(setting.torch);
                    def.attrs.push_back({.name = setting.torch, .type = AttrType::Real, .fallback = setting.torchDefault, .doc = setting.doc});
                }
            out.push_back(std::move(def));
        }
        return out;
    }();
    return ops;
}

}  // namespace fovea
