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
    const char* function = nullptr;  // TorchOp::Function
    std::int64_t since = 7;          // opset
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
    Row{"Tan", "Tan", "Tangent of its input.", TorchOp::Function, keepsInputs, OpClass::Math, "tan"},
    Row{"Asin", "Asin", "Inverse of the sine.", TorchOp::Function, keepsInputs, OpClass::Math, "asin"},
    Row{"Acos", "Acos", "Inverse of the cosine.", TorchOp::Function, keepsInputs, OpClass::Math, "acos"},
    Row{"Atan", "Atan", "Inverse of the tangent.", TorchOp::Function, keepsInputs, OpClass::Math, "atan"},
    Row{"Sinh", "Sinh", "Hyperbolic sine.", TorchOp::Function, keepsInputs, OpClass::Math, "sinh", 9},
    Row{"Cosh", "Cosh", "Hyperbolic cosine.", TorchOp::Function, keepsInputs, OpClass::Math, "cosh", 9},
    Row{"Asinh", "Asinh", "Inverse of the hyperbolic sine.", TorchOp::Function, keepsInputs, OpClass::Math, "asinh", 9},
    Row{"Acosh", "Acosh", "Inverse of the hyperbolic cosine.", TorchOp::Function, keepsInputs, OpClass::Math, "acosh", 9},
    Row{"Atanh", "Atanh", "Inverse of the hyperbolic tangent.", TorchOp::Function, keepsInputs, OpClass::Math, "atanh", 9},
    Row{"Not", "Not", "1 where its input is 0, else 0.", TorchOp::Function, nullptr, OpClass::Math, "logical_not"},
    Row{"IsNaN", "IsNaN", "1 where its input is no number, else 0.", TorchOp::Function, nullptr, OpClass::Math, "isnan", 9},
    Row{"IsInf", "IsInf", "1 where its input is infinite, else 0.", TorchOp::Function, nullptr, OpClass::Math, "isinf", 10},
    Row{"Identity", "Identity", "Passes its input on.", TorchOp::Identity, isView, OpClass::Shape},
};

const Row& plainRowOf(const Node& node)
{
    for (const Row& row : kRows)
        if (node.kind == row.kind) return row;
    return kRows[0];
}

// ONNX answers with true and false, and Not asks for them.
bool isQuestion(const Row& row) { return row.kind == std::string_view("Not") || row.kind == std::string_view("IsNaN") || row.kind == std::string_view("IsInf"); }

bool readRow(OnnxCall& call)
{
    if (isQuestion(plainRowOf(call.node))) call.node.attrs.set("native_type", true);
    return true;
}

void write(OnnxWriter& writer)
{
    const Row& row = plainRowOf(writer.node());
    writer.needOpset(row.since, row.kind);
    if (!isQuestion(row) || writer.node().attrs.getBool("native_type", false)) {
        if (row.torch == TorchOp::Erf) emitErf(writer, writer.input(), {writer.output()});
        else if (row.torch == TorchOp::Sign) emitSign(writer, writer.input(), {writer.output()});
        else if (row.torch == TorchOp::Round) emitRound(writer, writer.input(), {writer.output()});
        else writer.finish(row.onnx, {writer.input()});
        return;
    }
    std::string in = writer.input();
    if (row.kind == std::string_view("Not")) in = writer.emit("Cast", {in}, {{"to", std::int64_t{9}}});
    writer.finish("Cast", {writer.emit(row.onnx, {in})}, {{"to", std::int64_t{1}}});
}

void function(const NodeView& view, Attributes& args)
{
    if (const char* name = plainRowOf(view.node).function) args.set("function", std::string(name));
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
    SettingRow{"ScaledTanh", "ScaledTanh", "alpha tanh(beta x).", TorchOp::ScaledTanh, {Setting{"alpha", "alpha", 1.0, 1.0, "Scale"}, Setting{"beta", "beta", 1.0, 1.0, "Slope"}}},
    SettingRow{"ParametricSoftplus", "ParametricSoftplus", "alpha log(1 + exp(beta x)).", TorchOp::ParametricSoftplus, {Setting{"alpha", "alpha", 1.0, 1.0, "Scale"}, Setting{"beta", "beta", 1.0, 1.0, "Slope"}}},
    SettingRow{"Shrink", "Shrink", "x moved towards 0 where far from it, else 0.", TorchOp::Shrink, {Setting{"lambda", "lambd", 0.5, 0.5, "Up to here it gives 0"}, Setting{"bias", "bias", 0.0, 0.0, "How far it moves"}}},
    SettingRow{"QuickGELU", "com.microsoft::QuickGelu", "x sigmoid(alpha x).", TorchOp::QuickGELU, {Setting{"alpha", "alpha", 1.702, 1.702, "Slope"}}},
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

// What ONNX has no operator for in its own domain.
bool writeInParts(OnnxWriter& writer)
{
    const Node& node = writer.node();
    const auto real = [&](const char* name) { return writer.real(node.attrs.getDouble(name, 1)); };
    if (node.kind == "ScaledTanh")
        writer.finish("Mul", {writer.emit("Tanh", {writer.emit("Mul", {writer.input(), real("beta")})}), real("alpha")});
    else if (node.kind == "ParametricSoftplus")
        writer.finish("Mul", {writer.emit("Softplus", {writer.emit("Mul", {writer.input(), real("beta")})}), real("alpha")});
    else if (node.kind == "QuickGELU")
        writer.finish("Mul", {writer.input(), writer.emit("Sigmoid", {writer.emit("Mul", {writer.input(), writer.real(node.attrs.getDouble("alpha", 1.702))})})});
    else return false;
    return true;
}

void writeSettings(OnnxWriter& writer)
{
    if (writeInParts(writer)) return;
    const SettingRow& row = rowOf(writer.node().kind);
    if (row.kind == std::string_view("Shrink")) writer.needOpset(9, row.kind);
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
                           .attrs = isQuestion(row) ? std::vector<AttrDef>{nativeTypeAttr()} : std::vector<AttrDef>{},
                           .torch = {.op = row.torch, .more = row.function ? function : nullptr},
                           .onnx = {.types = {row.onnx}, .read = readRow, .write = write}});
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
