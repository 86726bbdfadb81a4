#include "core/ops/common.h"
#include "core/ops/elementwise.h"
#include "core/ops/older_forms.h"

#include <algorithm>
#include <array>

// Element-wise operations of two or more maps, or of a map and a constant.
namespace fovea {

namespace {

struct Row {
    const char* kind;
    const char* onnx;
    const char* doc;
    int maxInputs;
    TorchOp torch;
    Memory (*memory)(const NodeView&);
};

// A product needs each factor for the gradient of the other; a constant that is not learned has none.
Memory keepsFactors(const NodeView& view)
{
    return {.inputs = view.in.size() > 1 || view.node.attrs.getBool("learned", false)};
}

constexpr std::array kRows{
    Row{"Add", "Add", "Sum of its inputs, or of its input and a constant.", -1, TorchOp::Add, nullptr},
    Row{"Mul", "Mul", "Product of its inputs: a gate, or a scale.", 2, TorchOp::Mul, keepsFactors},
    Row{"Sub", "Sub", "Difference.", 2, TorchOp::Sub, nullptr},
    Row{"Div", "Div", "Quotient.", 2, TorchOp::Div, keepsFactors},
    Row{"Pow", "Pow", "Power.", 2, TorchOp::Pow, keepsInputs},
    Row{"Maximum", "Max", "Element-wise maximum.", -1, TorchOp::Maximum, keepsInputs},
    Row{"Minimum", "Min", "Element-wise minimum.", -1, TorchOp::Minimum, keepsInputs},
    Row{"Average", "Mean", "Element-wise mean of several maps.", -1, TorchOp::Average, nullptr},
    Row{"Mod", "Mod", "Remainder of a division.", 2, TorchOp::Mod, keepsInputs},
    Row{"Equal", "Equal", "1 where both are equal, else 0.", 2, TorchOp::Equal, nullptr},
    Row{"Greater", "Greater", "1 where the first is greater, else 0.", 2, TorchOp::Greater, nullptr},
    Row{"GreaterOrEqual", "GreaterOrEqual", "1 where the first is greater or equal, else 0.", 2, TorchOp::GreaterOrEqual, nullptr},
    Row{"Less", "Less", "1 where the first is less, else 0.", 2, TorchOp::Less, nullptr},
    Row{"LessOrEqual", "LessOrEqual", "1 where the first is less or equal, else 0.", 2, TorchOp::LessOrEqual, nullptr},
    Row{"And", "And", "1 where both are true, else 0.", 2, TorchOp::And, nullptr},
    Row{"Or", "Or", "1 where one is true, else 0.", 2, TorchOp::Or, nullptr},
    Row{"Xor", "Xor", "1 where exactly one is true, else 0.", 2, TorchOp::Xor, nullptr},
};

bool isLogic(TorchOp op) { return op == TorchOp::And || op == TorchOp::Or || op == TorchOp::Xor; }

// ONNX answers with true and false.
bool isQuestion(TorchOp op)
{
    return isLogic(op) || op == TorchOp::Equal || op == TorchOp::Greater || op == TorchOp::GreaterOrEqual || op == TorchOp::Less || op == TorchOp::LessOrEqual;
}

const Row& rowOf(const Node& node)
{
    for (const Row& row : kRows)
        if (node.kind == row.kind) return row;
    return kRows[0];
}

// One value a channel of the map, or one for all. An image may still turn out to have its channels last.
bool isPerChannel(const Tensor& tensor, const Value& map, bool image)
{
    const int rank = map.shape.rank(), shift = rank - static_cast<int>(tensor.dims.size());
    for (int i = 0; i < static_cast<int>(tensor.dims.size()); ++i) {
        const std::int64_t size = tensor.dims[static_cast<std::size_t>(i)];
        if (size == 1) continue;
        const bool channels = i + shift == map.layout.c || (image && i + shift == rank - 1 && size <= 4);
        if (!channels || size != tensor.elements()) return false;
    }
    return true;
}

bool hasMatrix(const std::string& type) { return type == "Conv" || type == "ConvTranspose" || type == "MatMul" || type == "Gemm"; }

// Whether the constant is a parameter, as semantics (Cost) has it, or a setting.
bool isLearned(const OnnxCall& call, std::size_t arg, std::size_t map)
{
    const Tensor& other = *call.constant(arg);
    const TorchOp op = rowOf(call.node).torch;
    const bool bounds = op == TorchOp::Maximum || op == TorchOp::Minimum;
    if (!isFloating(other.dtype) || isQuestion(op) || call.args[map].setting || (bounds && other.elements() == 1)) return false;
    const bool raw = call.args[map].raw, perChannel = isPerChannel(other, call.args[map].value, raw);
    if (raw && perChannel) return false;
    if (call.args[arg].named) return true;
    // A file may hold even its biases as nodes.
    return op == TorchOp::Add && other.elements() > 1 && perChannel && hasMatrix(call.args[map].maker);
}

Value constantOperand(const Node& node)
{
    const Ints* dims = node.attrs.getInts("other_shape");
    Value value;
    value.shape = dims ? Shape(std::span(*dims)) : Shape{};
    return value;
}

void infer(InferContext& context)
{
    Value out = context.in(0);
    const auto join = [&](const Value& next) {
        Value joined;
        if (!broadcast(out, next, joined))
            context.issue(mismatchCode(out, next), Severity::Error, "",
                          context.node().kind + " joins " + out.shape.text() + " and " + next.shape.text() + ", which do not match.",
                          "Give both branches the same stride, padding and number of channels.");
        out = joined;
    };
    for (std::size_t i = 1; i < context.in().size(); ++i) join(context.in(i));
    if (context.node().attrs.has("other_shape")) join(constantOperand(context.node()));
    context.out() = out;
}

std::vector<ParamSpec> params(const NodeView& view)
{
    const Ints* dims = view.node.attrs.getInts("other_shape");
    if (!dims || !view.node.tensor("other")) return {};
    const bool trainable = view.node.attrs.getBool("learned", false);
    return {{.role = "other", .dims = *dims, .trainable = trainable, .init = Init::Constant, .value = view.node.attrs.getDouble("initial", 1)}};
}

// The constant operand, where it is one number and no tensor.
void operand(const NodeView& view, Attributes& args)
{
    args.set("scalar_first", view.node.attrs.getBool("scalar_first", false));
    if (view.node.kind == "Mod") args.set("fmod", view.node.attrs.getBool("fmod", true));
    if (view.node.attrs.has("scalar") && !view.node.tensor("other")) args.set("scalar", view.node.attrs.getDouble("scalar", 0));
}

bool read(OnnxCall& call)
{
    call.dataInputs.clear();
    std::vector<std::size_t> constants;
    for (std::size_t i = 0; i < call.args.size(); ++i) (call.isConstant(i) && !call.follows(i) ? constants : call.dataInputs).push_back(i);
    Attributes& attrs = call.node.attrs;
    if (isQuestion(rowOf(call.node).torch)) attrs.set("native_type", true);
    if (call.type == "Mod") attrs.set("fmod", call.getInt("fmod", 0) != 0);
    if (constants.empty()) return call.args.size() >= 1;
    if (constants.size() > 1 || call.dataInputs.size() != 1) {  // constants that are layers of their own
        call.dataInputs.clear();
        for (std::size_t i = 0; i < call.args.size(); ++i) call.dataInputs.push_back(i);
        return true;
    }
    const std::size_t arg = constants[0];
    const Tensor& other = *call.constant(arg);
    if (arg == 0) attrs.set("scalar_first", true);
    if (other.elements() == 1 && other.dtype == DType::Float32) attrs.set("scalar", other.real(0));
    // A scalar that is no initializer is a number of the formula; it needs no tensor.
    const bool plainScalar = other.elements() == 1 && other.dims.empty() && !call.args[arg].named && other.dtype == DType::Float32;
    if (plainScalar) return true;
    attrs.set("other_shape", Ints(other.dims));
    if (isLearned(call, arg, call.dataInputs[0])) attrs.set("learned", true);
    return call.bind("other", arg);
}

// True and false, in the words that the opset has.
std::string ask(OnnxWriter& writer, const std::string& type, const std::vector<std::string>& inputs)
{
    if (type == "Equal" && writer.opset() < 11)  // of whole numbers only
        return writer.emit("Not", {writer.emit("Or", {writer.emit("Less", inputs), writer.emit("Greater", inputs)})});
    if (type == "GreaterOrEqual" && writer.opset() < 12) return writer.emit("Not", {writer.emit("Less", inputs)});
    if (type == "LessOrEqual" && writer.opset() < 12) return writer.emit("Not", {writer.emit("Greater", inputs)});
    return writer.emit(type, inputs);
}

void writeQuestion(OnnxWriter& writer, const std::string& type, std::vector<std::string> inputs)
{
    if (isLogic(rowOf(writer.node()).torch))
        for (std::string& input : inputs) input = writer.emit("Cast", {input}, {{"to", std::int64_t{9}}});
    writer.finish("Cast", {ask(writer, type, inputs)}, {{"to", std::int64_t{1}}});
}

void writeMod(OnnxWriter& writer, const std::vector<std::string>& inputs)
{
    const Node& node = writer.node();
    writer.needOpset(10, "Mod");
    writer.finish("Mod", inputs, {{"fmod", std::int64_t{node.attrs.getBool("fmod", true)}}});
}

bool sameShapes(const OnnxWriter& writer)
{
    const Node& node = writer.node();
    if (node.attrs.has("other_shape") || node.attrs.has("scalar")) return false;
    for (std::size_t i = 1; i < node.inputs.size(); ++i)
        if (writer.inputValue(i).shape != writer.inputValue(0).shape) return false;
    return writer.inputValue(0).shape.isComplete();
}

void write(OnnxWriter& writer)
{
    const Node& node = writer.node();
    const char* type = rowOf(node).onnx;
    std::vector<std::string> inputs;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) inputs.push_back(writer.input(i));
    if (node.attrs.has("other_shape")) inputs.push_back(writer.tensor("other"));
    else if (node.attrs.has("scalar")) inputs.push_back(writer.real(node.attrs.getDouble("scalar", 0)));
    if (node.attrs.getBool("scalar_first", false)) std::reverse(inputs.begin(), inputs.end());
    if (isQuestion(rowOf(node).torch) && !node.attrs.getBool("native_type", false)) return writeQuestion(writer, type, inputs);
    if (node.kind == "Mod") return writeMod(writer, inputs);
    // Add is binary in ONNX; more inputs become a chain.
    while (inputs.size() > 2 && node.kind == "Add") {
        inputs[1] = writer.emit(type, {inputs[0], inputs[1]});
        inputs.erase(inputs.begin());
    }
    if (inputs.size() == 1) writer.finish("Identity", inputs);
    else if (node.kind == "Maximum" || node.kind == "Minimum") emitExtreme(writer, type, inputs, !sameShapes(writer), {writer.output()});
    else writer.finish(type, inputs);
}

}  // namespace

const std::vector<OpDef>& elementwiseOps()
{
    static const std::vector<OpDef> ops = [] {
        std::vector<OpDef> out;
        for (const Row& row : kRows)
            out.push_back({
                .kind = row.kind,
                .opClass = OpClass::Merge,
                .memory = row.memory,
                .doc = row.doc,
                .attrs = {{.name = "scalar", .type = AttrType::Real, .fallback = 0.0, .doc = "The constant, where it is one number", .shown = false},
                          {.name = "scalar_first", .type = AttrType::Bool, .fallback = false, .doc = "The constant is the first operand", .shown = false},
                          {.name = "other_shape", .type = AttrType::IntList, .fallback = Ints{}, .doc = "Shape of the constant operand", .shown = false},
                          nativeTypeAttr(),
                          {.name = "fmod", .type = AttrType::Bool, .fallback = true, .doc = "The remainder has the sign of the first", .shown = false},
                          {.name = "learned", .type = AttrType::Bool, .fallback = false, .doc = "The constant is a parameter", .shown = false},
                          {.name = "initial", .type = AttrType::Real, .fallback = 1.0, .doc = "What a learned constant starts as", .shown = false}},
                .minInputs = 1,
                .maxInputs = row.maxInputs,
                .infer = infer,
                .params = params,
                .torch = {row.torch, {}, {"other"}, operand},
                .onnx = {.types = row.kind == std::string_view("Add") ? std::vector<const char*>{"Add", "Sum"} : std::vector<const char*>{row.onnx},
                         .read = read,
                         .write = write},
            });
        return out;
    }();
    return ops;
}

}  // namespace fovea
