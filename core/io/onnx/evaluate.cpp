#include "core/io/onnx/evaluate.h"

#include "core/io/onnx/static_ops.h"

#include <algorithm>
#include <unordered_map>

namespace fovea {

namespace {

// What all results of a file may hold together, whether somebody looks at them or not; what is computed while it is
// being read; and how many computations may wait behind one another, which nest when the last is looked at.
constexpr std::int64_t kMaxPromised = std::int64_t{1} << 33, kMaxComputed = std::int64_t{1} << 30;
constexpr int kMaxPending = 64;

const std::unordered_map<std::string_view, const StaticOp*>& table()
{
    static const auto all = [] {
        std::unordered_map<std::string_view, const StaticOp*> out;
        for (const auto ops : {movingOps(), gatheringOps(), arithmeticOps(), reducingOps(), scanningOps(), productOps(), normOps(), makingOps()})
            for (const StaticOp& op : ops) out.emplace(op.type, &op);
        return out;
    }();
    return all;
}

// Every input that is given is a constant, and those that the operator cannot do without are given.
bool hasOperands(const OnnxCall& call, const StaticOp& op)
{
    const std::size_t needed = op.needs < 0 ? call.args.size() : call.type == "Constant" ? 0 : static_cast<std::size_t>(op.needs);
    if (op.needs < 0 && call.args.empty()) return false;
    for (std::size_t i = 0; i < std::max(needed, call.args.size()); ++i) {
        if (call.has(i) && !call.args[i].constant) return false;
        if (!call.has(i) && i < needed) return false;
    }
    return true;
}

bool oneOf(std::string_view type, std::initializer_list<std::string_view> types)
{
    return std::find(types.begin(), types.end(), type) != types.end();
}

// Whether which elements the result has hangs on the numbers of an input that says where.
bool placesFollow(const OnnxCall& call)
{
    if (!oneOf(call.type, {"Gather", "GatherElements", "GatherND", "ScatterElements", "Scatter", "ScatterND", "Slice", "Compress", "ReverseSequence", "Trilu", "OneHot"})) return false;
    for (std::size_t arg = 0; arg < call.args.size(); ++arg)
        if (!carriesNumbers(call.type, arg) && !call.args[arg].sizes.empty()) return true;
    return false;
}

// A result of fixed lengths whose numbers hang on sizes in a way that has no expression.
void forgetSizes(StaticValue& value)
{
    if (!value.lengths.empty() || value.tensor.elements() > kMaxExpressions) return;
    value.sizes.assign(static_cast<std::size_t>(value.tensor.elements()), SizeExpr());
}

void settleSizes(const OnnxCall& call, bool forgets, StaticValue& value)
{
    bool sizes = false, lengths = false;
    for (const OnnxArg& arg : call.args) {
        sizes = sizes || !arg.sizes.empty();
        lengths = lengths || (!arg.lengths.empty() && !arg.uniform);
    }
    if (oneOf(call.type, {"Shape", "Size"})) return;
    if ((sizes && forgets) || (lengths && value.sizes.empty()) || placesFollow(call)) forgetSizes(value);
}

}  // namespace

bool carriesNumbers(std::string_view type, std::size_t arg)
{
    if (oneOf(type, {"Gather", "GatherElements", "GatherND", "Reshape", "Expand", "Tile", "Slice", "Squeeze", "Unsqueeze", "Split", "Compress", "ReverseSequence", "Trilu",
                     "Clip", "DequantizeLinear", "QuantizeLinear", "Pad", "TopK", "CumSum", "CastLike", "Dropout"}) ||
        type.starts_with("Reduce"))
        return arg == 0;
    if (oneOf(type, {"ScatterElements", "Scatter", "ScatterND"})) return arg != 1;
    if (type == "Where") return arg != 0;
    if (type == "BatchNormalization") return arg <= 2;
    if (type == "OneHot") return arg == 2;
    return !oneOf(type, {"Shape", "Size", "ConstantOfShape", "Range", "EyeLike", "NonZero", "ArgMax", "ArgMin", "Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Not", "And", "Or", "Xor",
                         "IsNaN", "IsInf"});
}

bool movesNumbers(std::string_view type)
{
    const auto in = [type](std::span<const StaticOp> ops) { return std::any_of(ops.begin(), ops.end(), [type](const StaticOp& op) { return op.type == type; }); };
    return in(movingOps()) || in(gatheringOps()) || oneOf(type, {"Cast", "CastLike", "DequantizeLinear", "QuantizeLinear"});
}

std::optional<std::vector<StaticValue>> Evaluator::evaluate(const OnnxCall& call)
{
    const auto op = table().find(call.type);
    if (op == table().end() || !hasOperands(call, *op->second)) return std::nullopt;
    auto values = op->second->evaluate(Operands(call));
    if (!values || static_cast<int>(values->size()) < call.outputCount || !admit(*values)) return std::nullopt;
    for (StaticValue& value : *values) settleSizes(call, op->second->forgets, value);
    return values;
}

bool Evaluator::admit(std::vector<StaticValue>& values)
{
    for (const StaticValue& value : values) {
        m_promised = saturatingAdd(m_promised, static_cast<std::int64_t>(value.tensor.bytes.size()));
        if (m_promised > kMaxPromised) return false;
        if (value.tensor.bytes.pending() <= kMaxPending) continue;
        m_computed = saturatingAdd(m_computed, static_cast<std::int64_t>(value.tensor.bytes.size()));
        if (m_computed > kMaxComputed) return false;
        value.tensor.bytes.span();
    }
    return true;
}

std::vector<std::string_view> evaluatedTypes()
{
    std::vector<std::string_view> out;
    for (const auto& [type, evaluate] : table()) out.push_back(type);
    std::sort(out.begin(), out.end());
    return out;
}

}  // namespace fovea
