#include "core/ops/clothes.h"

#include "core/ops/common.h"
#include "core/ops/registry.h"

#include <algorithm>
#include <limits>
#include <map>
#include <sstream>

namespace fovea {

namespace {

// The operator, its operands in order ("in0", a role, or "-" for one left out), and its settings by name behind a
// prefix; lists of reals as text.
constexpr const char* kType = "onnx_op";
constexpr const char* kOperands = "onnx_operands";
constexpr std::string_view kSetting = "onnx.", kReals = "onnx_reals.", kLearned = "learned.";

constexpr const char* kWindowSettings[] = {"kernel_shape", "strides",  "pads",      "dilations",
                                           "group",        "auto_pad", "ceil_mode", "count_include_pad"};

bool isWindowSetting(std::string_view name)
{
    return std::find(std::begin(kWindowSettings), std::end(kWindowSettings), name) != std::end(kWindowSettings);
}

std::string realsText(const std::vector<double>& reals)
{
    std::ostringstream out;
    out.precision(9);
    for (std::size_t i = 0; i < reals.size(); ++i) out << (i ? " " : "") << reals[i];
    return out.str();
}

std::vector<double> realsFrom(const std::string& text)
{
    std::vector<double> out;
    std::istringstream in(text);
    for (double real; in >> real;) out.push_back(real);
    return out;
}

std::string roleOf(OnnxCall& call, std::size_t arg, bool learnable, bool table)
{
    for (const auto& [role, bound] : call.bindings)
        if (bound == arg) return role;
    const std::string role = "operand" + std::to_string(arg);
    call.bindings.emplace_back(role, arg);
    const Tensor& tensor = *call.constant(arg);
    if (learnable && isFloating(tensor.dtype) && (call.args[arg].named || table)) setLearned(call.node, role, tensor.dims);
    return role;
}

void keepSettings(OnnxCall& call)
{
    const bool window = opFor(call.node.kind).attr("kernel_size") != nullptr;
    for (const auto& [name, value] : call.attrs) {
        if (window && isWindowSetting(name)) continue;
        const std::string key = std::string(kSetting) + name;
        if (const auto* number = std::get_if<std::int64_t>(&value)) call.node.attrs.set(key, *number);
        else if (const auto* real = std::get_if<double>(&value)) call.node.attrs.set(key, *real);
        else if (const auto* text = std::get_if<std::string>(&value)) call.node.attrs.set(key, *text);
        else if (const auto* list = std::get_if<Ints>(&value)) call.node.attrs.set(key, *list);
        else if (const auto* reals = std::get_if<std::vector<double>>(&value))
            call.node.attrs.set(std::string(kReals) + name, realsText(*reals));
    }
}

OnnxAttrs settingsOf(const Node& node)
{
    OnnxAttrs out;
    for (const auto& [key, value] : node.attrs.entries()) {
        if (key.starts_with(kReals)) {
            out[key.substr(kReals.size())] = realsFrom(std::get<std::string>(value));
            continue;
        }
        if (!key.starts_with(kSetting)) continue;
        const std::string name = key.substr(kSetting.size());
        if (const auto* number = std::get_if<std::int64_t>(&value)) out[name] = *number;
        else if (const auto* real = std::get_if<double>(&value)) out[name] = *real;
        else if (const auto* text = std::get_if<std::string>(&value)) out[name] = *text;
        else if (const auto* list = std::get_if<Ints>(&value)) out[name] = *list;
    }
    return out;
}

// A call of the plain operator, made of some of the arguments of the one in other clothes. `args`: the arguments of
// the plain one, in its order; one that is not there is left out.
bool readPlain(OnnxCall& call, const char* type, const std::vector<std::size_t>& args)
{
    OnnxCall plain = call;
    plain.type = type;
    plain.args.clear();
    plain.dataInputs = {0};
    for (const std::size_t arg : args) plain.args.push_back(arg < call.args.size() ? call.args[arg] : OnnxArg{});
    while (!plain.args.empty() && plain.args.back().name.empty()) plain.args.pop_back();
    if (plain.args.empty()) return call.refuse("it reads nothing");
    const auto read = opFor(call.node.kind).onnx.read;
    if (!read || !read(plain)) return call.refuse(plain.reason);
    call.node = std::move(plain.node);
    call.dataInputs.clear();
    for (const std::size_t arg : plain.dataInputs) call.dataInputs.push_back(args[arg]);
    for (const auto& [role, arg] : plain.bindings) call.bindings.emplace_back(role, args[arg]);
    call.extraInputs = std::move(plain.extraInputs);
    call.sizesBaked = plain.sizesBaked;
    call.notes = std::move(plain.notes);
    return true;
}

bool readDressed(OnnxCall& call, const char* type, const std::vector<std::size_t>& args, bool quantised)
{
    if (call.getInt("channels_last", 0) != 0) return call.refuse("its map has the channels last");
    const std::string own = call.type;
    if (!readPlain(call, type, args)) return false;
    keepClothes(call, own, quantised);
    return true;
}

template <const char* const& Type, bool Quantised, std::size_t... Args>
bool dressed(OnnxCall& call)
{
    return readDressed(call, Type, {Args...}, Quantised);
}

constexpr const char* kConv = "Conv";
constexpr const char* kMatMul = "MatMul";
constexpr const char* kGemm = "Gemm";
constexpr const char* kAdd = "Add";
constexpr const char* kMul = "Mul";
constexpr const char* kGlobalAveragePool = "GlobalAveragePool";
constexpr const char* kAveragePool = "AveragePool";
constexpr const char* kLeakyRelu = "LeakyRelu";
constexpr const char* kSigmoid = "Sigmoid";
constexpr const char* kSoftmax = "Softmax";
constexpr const char* kGelu = "Gelu";
constexpr const char* kMaxPool = "MaxPool";

bool readFusedConv(OnnxCall& call)
{
    if (call.has(3)) return call.refuse("it adds a second map to the convolution's");
    return readDressed(call, kConv, {0, 1, 2}, false);
}

// A product with a constant matrix, with its scale and bias inside.
bool readFusedGemm(OnnxCall& call)
{
    OnnxAttrs kept = call.attrs;
    for (const char* name : {"alpha", "beta"}) call.attrs.erase(name);  // they change no field and no count
    const std::string own = call.type;
    const bool done = readPlain(call, kGemm, {0, 1, 2});
    call.attrs = std::move(kept);
    if (done) keepClothes(call, own, false);
    return done;
}

bool readFusedMatMul(OnnxCall& call)
{
    if (!call.isConstant(1) || call.getInt("transBatchA", 0) != 0 || call.getInt("transBatchB", 0) != 0) return false;
    return readFusedGemm(call);
}

// GELU by its approximation with tanh, where it adds no bias before.
bool readFastGelu(OnnxCall& call)
{
    if (call.has(1)) return call.refuse("its bias is no constant");
    call.node.attrs.set("approximate", std::string("tanh"));
    keepClothes(call, call.type, false);
    return true;
}

bool readQLinearConcat(OnnxCall& call)
{
    std::vector<std::size_t> maps;
    for (std::size_t i = 2; i < call.args.size(); i += 3) maps.push_back(i);
    return readDressed(call, "Concat", maps, true);
}

// The old Crop: a border that goes, or a part of a given size behind its first two sides.
bool readCrop(OnnxCall& call)
{
    const auto border = call.getInts("border"), scale = call.getInts("scale");
    if (!border || border->size() != 4 || (scale && scale->size() != 2))
        return call.refuse("its border is not of four numbers");
    constexpr std::int64_t kEnd = std::numeric_limits<std::int64_t>::max();
    const std::int64_t left = (*border)[0], top = (*border)[1], right = (*border)[2], bottom = (*border)[3];
    const auto end = [&](std::size_t axis, std::int64_t from, std::int64_t behind) {
        return scale ? from + (*scale)[axis] : behind > 0 ? -behind : kEnd;
    };
    call.node.attrs.set("dim", Ints{2, 3});
    call.node.attrs.set("start", Ints{top, left});
    call.node.attrs.set("end", Ints{end(0, top, bottom), end(1, left, right)});
    call.node.attrs.set("step", Ints{1, 1});
    return true;
}

// The opset with which ONNX has an operator that is written as it came, or a setting of one (empty: the operator).
struct Since {
    std::string_view type, setting;
    std::int64_t opset;
};

constexpr Since kSince[] = {
    {"BitShift", "", 11},
    {"BitwiseAnd", "", 18},
    {"BitwiseOr", "", 18},
    {"BitwiseXor", "", 18},
    {"BitwiseNot", "", 18},
    {"CastLike", "", 15},
    {"MeanVarianceNormalization", "", 9},
    {"QuantizeLinear", "", 10},
    {"DequantizeLinear", "", 10},
    {"DynamicQuantizeLinear", "", 11},
    {"QLinearConv", "", 10},
    {"QLinearMatMul", "", 10},
    {"ConvInteger", "", 10},
    {"MatMulInteger", "", 10},
    {"QuantizeLinear", "axis", 13},
    {"DequantizeLinear", "axis", 13},
    {"QuantizeLinear", "saturate", 19},
    {"CastLike", "saturate", 19},
    {"QuantizeLinear", "block_size", 21},
    {"DequantizeLinear", "block_size", 21},
    {"QuantizeLinear", "output_dtype", 21},
    {"LSTM", "layout", 14},
    {"GRU", "layout", 14},
    {"RNN", "layout", 14},
};

void refuseOlder(const OnnxWriter& writer, std::string_view type, const OnnxAttrs& settings)
{
    for (const Since& row : kSince)
        if (row.type == type && (row.setting.empty() || settings.contains(std::string(row.setting))))
            writer.needOpset(row.opset, row.setting.empty() ? std::string(type) : std::string(type) + "'s '" + std::string(row.setting) + "'");
}

using Rows = std::vector<OtherClothes>;

const std::map<std::string_view, Rows>& table()
{
    static const std::map<std::string_view, Rows> rows{
        {"QLinearConv", {{"Conv2d", dressed<kConv, true, 0, 3, 8>}, {"Conv1d", dressed<kConv, true, 0, 3, 8>}}},
        {"com.microsoft::QLinearConv", {{"Conv2d", dressed<kConv, true, 0, 3, 8>}}},
        {"ConvInteger", {{"Conv2d", dressed<kConv, true, 0, 1>}}},
        {"com.microsoft::FusedConv", {{"Conv2d", readFusedConv}}},
        {"QLinearMatMul", {{"Linear", dressed<kMatMul, true, 0, 3>}, {"MatMul", dressed<kMatMul, true, 0, 3>}}},
        {"MatMulInteger", {{"Linear", dressed<kMatMul, true, 0, 1>}, {"MatMul", dressed<kMatMul, true, 0, 1>}}},
        {"com.microsoft::MatMulIntegerToFloat",
         {{"Linear", dressed<kGemm, true, 0, 1, 6>}, {"MatMul", dressed<kMatMul, true, 0, 1>}}},
        {"com.microsoft::DynamicQuantizeMatMul", {{"Linear", dressed<kGemm, true, 0, 1, 4>}}},
        {"com.microsoft::QGemm", {{"Linear", dressed<kGemm, true, 0, 3, 6>}}},
        {"com.microsoft::FusedGemm", {{"Linear", readFusedGemm}}},
        {"com.microsoft::FusedMatMul", {{"Linear", readFusedMatMul}}},
        {"com.microsoft::TransposeMatMul", {{"Linear", readFusedMatMul}}},
        {"com.microsoft::QLinearAdd", {{"Add", dressed<kAdd, true, 0, 3>}}},
        {"com.microsoft::QLinearMul", {{"Mul", dressed<kMul, true, 0, 3>}}},
        {"com.microsoft::QLinearGlobalAveragePool", {{"AdaptiveAvgPool2d", dressed<kGlobalAveragePool, true, 0>}}},
        {"com.microsoft::QLinearAveragePool", {{"AvgPool2d", dressed<kAveragePool, true, 0>}}},
        {"com.microsoft::QLinearConcat", {{"Concat", readQLinearConcat}}},
        {"com.microsoft::QLinearLeakyRelu", {{"LeakyReLU", dressed<kLeakyRelu, true, 0>}}},
        {"com.microsoft::QLinearSigmoid", {{"Sigmoid", dressed<kSigmoid, true, 0>}}},
        {"com.microsoft::QLinearSoftmax", {{"Softmax", dressed<kSoftmax, true, 0>}}},
        {"Crop", {{"Slice", readCrop}}},
        {"com.microsoft::Gelu", {{"GELU", dressed<kGelu, false, 0>}}},
        {"com.microsoft::FastGelu", {{"GELU", readFastGelu}}},
        {"com.microsoft::MaxpoolWithMask", {{"MaxPool2d", dressed<kMaxPool, false, 0>}}},
    };
    return rows;
}

}  // namespace

std::span<const OtherClothes> clothesFor(std::string_view type)
{
    const auto it = table().find(type);
    return it == table().end() ? std::span<const OtherClothes>{} : std::span<const OtherClothes>(it->second);
}

void setLearned(Node& node, const std::string& role, const Ints& dims)
{
    node.attrs.set(std::string(kLearned) + role, dims);
}

std::vector<ParamSpec> learnedOperands(const NodeView& view)
{
    std::vector<ParamSpec> out;
    for (const TensorBinding& binding : view.node.tensors)
        if (const Ints* dims = view.node.attrs.getInts(std::string(kLearned) + binding.role))
            out.push_back({.role = binding.role, .dims = *dims});
    return out;
}

void keepClothes(OnnxCall& call, const std::string& type, bool quantised, std::initializer_list<std::size_t> tables)
{
    if (quantised) call.node.attrs.set("quantised", true);
    std::string operands;
    for (std::size_t arg = 0; arg < call.args.size(); ++arg) {
        const auto data = std::find(call.dataInputs.begin(), call.dataInputs.end(), arg);
        std::string operand = "-";
        if (data != call.dataInputs.end()) operand = "in" + std::to_string(data - call.dataInputs.begin());
        else if (call.isConstant(arg))
            operand = roleOf(call, arg, !quantised, std::find(tables.begin(), tables.end(), arg) != tables.end());
        else if (call.has(arg)) {
            operand = "in" + std::to_string(call.dataInputs.size());
            call.dataInputs.push_back(arg);
        }
        operands += (arg ? " " : "") + operand;
    }
    call.node.attrs.set(kType, type);
    call.node.attrs.set(kOperands, operands);
    keepSettings(call);
}

bool wearsClothes(const Node& node) { return node.attrs.has(kOperands); }

void writeInClothes(OnnxWriter& writer)
{
    const Node& node = writer.node();
    if (!wearsClothes(node))
        throw Error(ErrorCode::Usage,
                    "'" + node.name + "' (" + node.kind + ") can be written only where it came from a file.");
    std::vector<std::string> inputs, outputs;
    std::istringstream operands(node.attrs.getText(kOperands));
    for (std::string operand; operands >> operand;) {
        if (operand == "-") inputs.emplace_back();
        else if (operand.starts_with("in")) inputs.push_back(writer.input(std::stoul(operand.substr(2))));
        else inputs.push_back(writer.tensor(operand));
    }
    const OpDef& op = opFor(node.kind);
    for (int i = 0; i < op.outputCount(node); ++i) outputs.push_back(writer.output(static_cast<std::size_t>(i)));
    OnnxAttrs settings = settingsOf(node);
    if (op.attr("kernel_size")) {
        settings.merge(windowAttrs(node, op.attr("dilation") != nullptr));
        for (const char* name : {"ceil_mode", "count_include_pad"})
            if (op.attr(name)) settings[name] = std::int64_t{node.attrs.getBool(name, false)};
        if (op.attr("groups")) settings["group"] = attrInt(node, "groups", 1);
    }
    const std::string type = node.attrs.getText(kType);
    refuseOlder(writer, type, settings);
    writer.emit(type, std::move(inputs), std::move(settings), std::move(outputs));
}

bool isQuantised(const Node& node) { return node.attrs.getBool("quantised", false); }

}  // namespace fovea
