// Operators that work element by element, on numbers and on expressions alike.
#include "core/io/onnx/static_ops.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <numbers>

namespace fovea {

namespace {

using Real = double (*)(double, double);
using Whole = std::int64_t (*)(std::int64_t, std::int64_t);

// What operators of two inputs do. A quotient by zero of whole numbers, which ONNX leaves open, is 0.
struct Binary {
    std::string_view type;
    Real real;
    Whole whole;
    SizeOp op = SizeOp::Where;  // Where: it has no expression
    bool truth = false;         // gives a Bool
};

std::int64_t wrapped(SizeOp op, std::int64_t a, std::int64_t b)
{
    const auto x = static_cast<std::uint64_t>(a), y = static_cast<std::uint64_t>(b);
    return static_cast<std::int64_t>(op == SizeOp::Add ? x + y : op == SizeOp::Sub ? x - y : x * y);
}

std::int64_t quotient(std::int64_t a, std::int64_t b) { return b == 0 ? 0 : b == -1 ? wrapped(SizeOp::Sub, 0, a) : a / b; }
std::int64_t remainder(std::int64_t a, std::int64_t b) { return b == 0 || b == -1 ? 0 : a % b; }
std::int64_t modulo(std::int64_t a, std::int64_t b)
{
    const std::int64_t rest = remainder(a, b);
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}
std::int64_t power(std::int64_t a, std::int64_t b)
{
    if (b < 0) return a == 1 ? 1 : a == -1 ? (b % 2 == 0 ? 1 : -1) : 0;
    std::int64_t out = 1;
    for (; b > 0; b >>= 1, a = wrapped(SizeOp::Mul, a, a))
        if (b & 1) out = wrapped(SizeOp::Mul, out, a);
    return out;
}

using I = std::int64_t;
constexpr Binary kBinary[] = {
    {"Add", [](double a, double b) { return a + b; }, [](I a, I b) { return wrapped(SizeOp::Add, a, b); }, SizeOp::Add},
    {"Sub", [](double a, double b) { return a - b; }, [](I a, I b) { return wrapped(SizeOp::Sub, a, b); }, SizeOp::Sub},
    {"Mul", [](double a, double b) { return a * b; }, [](I a, I b) { return wrapped(SizeOp::Mul, a, b); }, SizeOp::Mul},
    {"Div", [](double a, double b) { return a / b; }, quotient, SizeOp::Div},
    {"Pow", [](double a, double b) { return std::pow(a, b); }, power, SizeOp::Pow},
    {"Mod", [](double a, double b) { return std::fmod(a, b); }, modulo, SizeOp::Mod},
    {"Fmod", [](double a, double b) { return std::fmod(a, b); }, remainder, SizeOp::Fmod},
    {"PRelu", [](double a, double b) { return a < 0 ? a * b : a; }, [](I a, I b) { return a < 0 ? wrapped(SizeOp::Mul, a, b) : a; }},
    {"Min", [](double a, double b) { return std::isnan(a) || a < b ? a : b; }, [](I a, I b) { return std::min(a, b); }, SizeOp::Min},
    {"Max", [](double a, double b) { return std::isnan(a) || a > b ? a : b; }, [](I a, I b) { return std::max(a, b); }, SizeOp::Max},
    {"And", [](double a, double b) { return double(a != 0 && b != 0); }, [](I a, I b) { return I{a && b}; }, SizeOp::And, true},
    {"Or", [](double a, double b) { return double(a != 0 || b != 0); }, [](I a, I b) { return I{a || b}; }, SizeOp::Or, true},
    {"Xor", [](double a, double b) { return double((a != 0) != (b != 0)); }, [](I a, I b) { return I{!a != !b}; }, SizeOp::Xor, true},
    {"Equal", [](double a, double b) { return double(a == b); }, [](I a, I b) { return I{a == b}; }, SizeOp::Equal, true},
    {"Less", [](double a, double b) { return double(a < b); }, [](I a, I b) { return I{a < b}; }, SizeOp::Less, true},
    {"LessOrEqual", [](double a, double b) { return double(a <= b); }, [](I a, I b) { return I{a <= b}; }, SizeOp::LessEqual, true},
    {"Greater", [](double a, double b) { return double(a > b); }, [](I a, I b) { return I{a > b}; }, SizeOp::Less, true},
    {"GreaterOrEqual", [](double a, double b) { return double(a >= b); }, [](I a, I b) { return I{a >= b}; }, SizeOp::LessEqual, true},
};

const Binary& binaryOf(std::string_view type)
{
    return *std::find_if(std::begin(kBinary), std::end(kBinary), [&](const Binary& row) { return row.type == type; });
}

SizeExpr expressed(const Binary& row, SizeExpr a, SizeExpr b)
{
    if (row.op == SizeOp::Where) return {};
    const bool turned = row.type == "Greater" || row.type == "GreaterOrEqual";
    return turned ? SizeExpr::apply(row.op, {std::move(b), std::move(a)}) : SizeExpr::apply(row.op, {std::move(a), std::move(b)});
}

// Before opset 7 a second operand could be laid along an axis of the first.
Dims alignedSecond(const Operands& in)
{
    Dims b = in.dims(1);
    const std::size_t rank = in.tensor(0).dims.size();
    if (in.call.opset >= 7 || !in.call.attrs.contains("axis")) return b;
    const int axis = axisOf(in.call.getInt("axis", 0), rank);
    while (axis >= 0 && b.size() + static_cast<std::size_t>(axis) < rank) b.emplace_back(1);
    return b;
}

Results binary(const Operands& in, const Binary& row, const Dims& second)
{
    const auto to = broadcastDims(in.dims(0), second);
    if (!to) return std::nullopt;
    const Ints dims = sizesOf(*to);
    const Tensor a = in.tensor(0), b = in.tensor(1);
    const Broadcast left(dims, a.dims), right(dims, sizesOf(second));
    const bool real = isFloating(a.dtype) || isFloating(b.dtype);
    Result out = result(row.truth ? DType::Bool : a.dtype, *to, {a, b}, [=, &row](Target& target) {
        const Elements x(a), y(b);
        for (std::int64_t i = 0; i < target.count(); ++i) {
            if (real) target.put(i, row.real(x.real(left.at(i)), y.real(right.at(i))));
            else target.put(i, row.whole(x.whole(left.at(i)), y.whole(right.at(i))));
        }
    });
    if (!out) return std::nullopt;
    out->uniform = in.call.args[0].uniform && in.call.args[1].uniform;
    setSizes(in, *out, [&](std::int64_t i) { return expressed(row, in.element(0, left.at(i)), in.element(1, right.at(i))); });
    return only(std::move(out));
}

Results binary(const Operands& in)
{
    const bool cuts = in.call.type == "Mod" && in.call.getInt("fmod", 0) != 0;
    return binary(in, binaryOf(cuts ? "Fmod" : in.call.type), alignedSecond(in));
}

Results prelu(const Operands& in)
{
    // One slope per channel may come as [C] for [N, C, ...].
    Dims slope = in.dims(1);
    const Dims dims = in.dims(0);
    if (slope.size() == 1 && dims.size() > 2 && slope[0].size() == dims[1].size() && slope[0].size() != dims.back().size())
        slope.insert(slope.end(), dims.size() - 2, Dim(1));
    return binary(in, binaryOf("PRelu"), slope);
}

Results shifted(const Operands& in)
{
    static constexpr Binary kLeft{"", [](double, double) { return 0.0; }, [](I a, I b) { return b > 63 || b < 0 ? 0 : static_cast<I>(static_cast<std::uint64_t>(a) << b); }};
    static constexpr Binary kRight{"", [](double, double) { return 0.0; }, [](I a, I b) { return b > 63 || b < 0 ? 0 : static_cast<I>(static_cast<std::uint64_t>(a) >> b); }};
    return binary(in, in.call.getText("direction", "LEFT") == "LEFT" ? kLeft : kRight, in.dims(1));
}

// Any number of inputs, joined one after the other.
Results variadic(const Operands& in)
{
    const bool mean = in.call.type == "Mean";
    const Binary& row = binaryOf(mean || in.call.type == "Sum" ? "Add" : in.call.type);
    Dims to = in.dims(0);
    std::vector<Tensor> tensors;
    for (std::size_t arg = 0; arg < in.count(); ++arg) {
        const auto joined = broadcastDims(to, in.dims(arg));
        if (!joined || in.type(arg) != in.type(0)) return std::nullopt;
        to = *joined;
        tensors.push_back(in.tensor(arg));
    }
    std::vector<Broadcast> places;
    for (const Tensor& tensor : tensors) places.emplace_back(sizesOf(to), tensor.dims);
    const double share = mean ? 1.0 / static_cast<double>(tensors.size()) : 1;
    Result out = result(in.type(0), to, tensors, [=, &row](Target& target) {
        std::vector<Elements> from(tensors.begin(), tensors.end());
        const bool real = isFloating(tensors[0].dtype);
        for (std::int64_t i = 0; i < target.count(); ++i) {
            double x = from[0].real(places[0].at(i));
            std::int64_t n = from[0].whole(places[0].at(i));
            for (std::size_t k = 1; k < from.size(); ++k) {
                const std::int64_t at = places[k].at(i);
                if (real) x = row.real(x, from[k].real(at));
                else n = row.whole(n, from[k].whole(at));
            }
            if (real) target.put(i, x * share);
            else target.put(i, n);
        }
    });
    if (!out) return std::nullopt;
    setSizes(in, *out, [&](std::int64_t i) {
        SizeExpr all = in.element(0, places[0].at(i));
        for (std::size_t k = 1; k < places.size(); ++k) all = expressed(row, std::move(all), in.element(k, places[k].at(i)));
        return mean ? SizeExpr() : all;
    });
    return only(std::move(out));
}

// What operators of one input and settings do.
struct Unary {
    std::string_view type;
    double (*real)(double x, double a, double b);
    SizeOp op = SizeOp::Where;
    const char* first = nullptr;  // its settings a and b
    double firstDefault = 0;
    const char* second = nullptr;
    double secondDefault = 0;
};

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double softplus(double x) { return x > 30 ? x : std::log1p(std::exp(x)); }

constexpr Unary kUnary[] = {
    {"Abs", [](double x, double, double) { return std::abs(x); }, SizeOp::Abs},
    {"Neg", [](double x, double, double) { return -x; }, SizeOp::Neg},
    {"Floor", [](double x, double, double) { return std::floor(x); }, SizeOp::Floor},
    {"Ceil", [](double x, double, double) { return std::ceil(x); }, SizeOp::Ceil},
    {"Round", [](double x, double, double) { return std::nearbyint(x); }, SizeOp::Round},
    {"Sqrt", [](double x, double, double) { return std::sqrt(x); }, SizeOp::Sqrt},
    {"Exp", [](double x, double, double) { return std::exp(x); }, SizeOp::Exp},
    {"Log", [](double x, double, double) { return std::log(x); }, SizeOp::Log},
    {"Sign", [](double x, double, double) { return double((x > 0) - (x < 0)); }, SizeOp::Sign},
    {"Reciprocal", [](double x, double, double) { return 1 / x; }},
    {"Sigmoid", [](double x, double, double) { return sigmoid(x); }},
    {"Tanh", [](double x, double, double) { return std::tanh(x); }},
    {"Relu", [](double x, double, double) { return x > 0 ? x : std::isnan(x) ? x : 0; }},
    {"LeakyRelu", [](double x, double a, double) { return x < 0 ? a * x : x; }, SizeOp::Where, "alpha", 0.01},
    {"ThresholdedRelu", [](double x, double a, double) { return x > a ? x : 0; }, SizeOp::Where, "alpha", 1},
    {"Elu", [](double x, double a, double) { return x < 0 ? a * std::expm1(x) : x; }, SizeOp::Where, "alpha", 1},
    {"Celu", [](double x, double a, double) { return std::max(x, 0.0) + std::min(0.0, a * std::expm1(x / a)); }, SizeOp::Where, "alpha", 1},
    {"Selu", [](double x, double a, double b) { return b * (x > 0 ? x : a * std::expm1(x)); }, SizeOp::Where, "alpha", 1.67326319217681884765625, "gamma", 1.05070102214813232421875},
    {"HardSigmoid", [](double x, double a, double b) { return std::clamp(a * x + b, 0.0, 1.0); }, SizeOp::Where, "alpha", 0.2, "beta", 0.5},
    {"HardSwish", [](double x, double, double) { return x * std::clamp(x / 6 + 0.5, 0.0, 1.0); }},
    {"Softplus", [](double x, double, double) { return softplus(x); }},
    {"Softsign", [](double x, double, double) { return x / (1 + std::abs(x)); }},
    {"Mish", [](double x, double, double) { return x * std::tanh(softplus(x)); }},
    {"Shrink", [](double x, double a, double b) { return x < -b ? x + a : x > b ? x - a : 0; }, SizeOp::Where, "bias", 0, "lambd", 0.5},
    {"Erf", [](double x, double, double) { return std::erf(x); }},
    {"Sin", [](double x, double, double) { return std::sin(x); }},
    {"Cos", [](double x, double, double) { return std::cos(x); }},
    {"Tan", [](double x, double, double) { return std::tan(x); }},
    {"Asin", [](double x, double, double) { return std::asin(x); }},
    {"Acos", [](double x, double, double) { return std::acos(x); }},
    {"Atan", [](double x, double, double) { return std::atan(x); }},
    {"Sinh", [](double x, double, double) { return std::sinh(x); }},
    {"Cosh", [](double x, double, double) { return std::cosh(x); }},
    {"Asinh", [](double x, double, double) { return std::asinh(x); }},
    {"Acosh", [](double x, double, double) { return std::acosh(x); }},
    {"Atanh", [](double x, double, double) { return std::atanh(x); }},
};

Results mapped(const Operands& in, DType type, const std::function<double(double)>& real, const std::function<std::int64_t(std::int64_t)>& whole,
               const std::function<SizeExpr(SizeExpr)>& expression)
{
    const Tensor from = in.tensor(0);
    Result out = result(type, in.dims(0), {from}, [from, real, whole](Target& to) {
        const Elements elements(from);
        const bool reals = isFloating(from.dtype);
        for (std::int64_t i = 0; i < to.count(); ++i) {
            if (reals) to.put(i, real(elements.real(i)));
            else to.put(i, whole(elements.whole(i)));
        }
    });
    if (!out) return std::nullopt;
    out->uniform = in.call.args[0].uniform;
    setSizes(in, *out, [&](std::int64_t i) { return expression(in.element(0, i)); });
    return only(std::move(out));
}

Results unary(const Operands& in)
{
    const Unary& row = *std::find_if(std::begin(kUnary), std::end(kUnary), [&](const Unary& r) { return r.type == in.call.type; });
    const double a = row.first ? in.call.getReal(row.first, row.firstDefault) : 0, b = row.second ? in.call.getReal(row.second, row.secondDefault) : 0;
    const auto real = [&row, a, b](double x) { return row.real(x, a, b); };
    // Small enough for doubles but for a change of sign.
    const auto whole = [&row, real](std::int64_t x) {
        if (row.op == SizeOp::Neg) return wrapped(SizeOp::Sub, 0, x);
        if (row.op == SizeOp::Abs) return x < 0 ? wrapped(SizeOp::Sub, 0, x) : x;
        return static_cast<std::int64_t>(std::clamp(real(static_cast<double>(x)), -9e18, 9e18));
    };
    return mapped(in, in.type(0), real, whole, [&](SizeExpr x) {
        if (row.type == "Relu") return SizeExpr::apply(SizeOp::Max, {x, x.isReal() ? SizeExpr(SizeNumber::of(0.0, NumberType::Half)) : SizeExpr(0)});
        if (row.type == "Reciprocal") return SizeExpr::apply(SizeOp::Div, {SizeExpr(SizeNumber::of(1.0, NumberType::Half)), x});
        return row.op == SizeOp::Where ? SizeExpr() : SizeExpr::apply(row.op, {x});
    });
}

Results gelu(const Operands& in)
{
    const bool tanh = in.call.getText("approximate", "none") == "tanh";
    const auto real = [tanh](double x) {
        const double bent = tanh ? std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)) : std::erf(x / std::numbers::sqrt2);
        return 0.5 * x * (1 + bent);
    };
    return mapped(in, in.type(0), real, [](std::int64_t x) { return x; }, [](SizeExpr) { return SizeExpr(); });
}

Results negated(const Operands& in)
{
    return mapped(in, DType::Bool, [](double x) { return double(x == 0); }, [](std::int64_t x) { return std::int64_t{x == 0}; },
                  [](SizeExpr x) { return SizeExpr::apply(SizeOp::Not, {std::move(x)}); });
}

Results isNan(const Operands& in)
{
    return mapped(in, DType::Bool, [](double x) { return double(std::isnan(x)); }, [](std::int64_t) { return std::int64_t{0}; },
                  [](SizeExpr) { return SizeExpr(0); });
}

Results isInf(const Operands& in)
{
    const bool low = in.call.getInt("detect_negative", 1) != 0, high = in.call.getInt("detect_positive", 1) != 0;
    return mapped(in, DType::Bool, [=](double x) { return double(std::isinf(x) && (x < 0 ? low : high)); }, [](std::int64_t) { return std::int64_t{0}; },
                  [](SizeExpr) { return SizeExpr(0); });
}

std::optional<DType> typeOf(std::int64_t onnx)
{
    static constexpr std::pair<int, DType> kTypes[] = {{1, DType::Float32}, {2, DType::UInt8},   {3, DType::Int8},   {4, DType::UInt16}, {5, DType::Int16},
                                                       {6, DType::Int32},   {7, DType::Int64},   {9, DType::Bool},   {10, DType::Float16}, {11, DType::Float64},
                                                       {12, DType::UInt32}, {13, DType::UInt64}, {16, DType::BFloat16}};
    for (const auto& [number, type] : kTypes)
        if (number == onnx) return type;
    return std::nullopt;
}

Results castTo(const Operands& in, DType to)
{
    if (to == in.type(0)) return only(view(in, 0, in.dims(0)));
    const NumberType number = numberType(to);
    return mapped(in, to, [](double x) { return x; }, [](std::int64_t x) { return x; }, [number, to](SizeExpr x) {
        if (to == DType::Bool) return SizeExpr::apply(SizeOp::Not, {SizeExpr::apply(SizeOp::Equal, {std::move(x), 0})});
        if (to == DType::BFloat16) return SizeExpr();  // has no expression of its own
        const SizeOp op = number == NumberType::Integer ? SizeOp::ToInt : number == NumberType::Half ? SizeOp::ToHalf : number == NumberType::Single ? SizeOp::ToSingle : SizeOp::ToDouble;
        return SizeExpr::apply(op, {std::move(x)});
    });
}

Results cast(const Operands& in)
{
    static const std::map<std::string, std::int64_t> kNames = {{"FLOAT", 1}, {"INT32", 6}, {"INT64", 7}, {"BOOL", 9}, {"FLOAT16", 10}, {"DOUBLE", 11}, {"UINT8", 2}, {"INT8", 3}};
    std::int64_t to = in.call.getInt("to", 0);
    if (const auto named = kNames.find(in.call.getText("to", "")); named != kNames.end()) to = named->second;  // until opset 5
    const auto type = typeOf(to);
    return type ? castTo(in, *type) : std::nullopt;
}

Results castLike(const Operands& in) { return castTo(in, in.type(1)); }

// Bounds are settings until opset 10 and inputs since.
Results clip(const Operands& in)
{
    const double infinite = std::numeric_limits<double>::infinity();
    if ((in.has(1) && in.elements(1) != 1) || (in.has(2) && in.elements(2) != 1)) return std::nullopt;
    const double low = in.has(1) ? in.tensor(1).real(0) : in.call.getReal("min", -infinite), high = in.has(2) ? in.tensor(2).real(0) : in.call.getReal("max", infinite);
    const std::int64_t least = in.has(1) ? in.tensor(1).integer(0) : std::numeric_limits<std::int64_t>::min();
    const std::int64_t most = in.has(2) ? in.tensor(2).integer(0) : std::numeric_limits<std::int64_t>::max();
    return mapped(in, in.type(0), [=](double x) { return std::min(std::max(x, low), high); }, [=](std::int64_t x) { return std::min(std::max(x, least), most); },
                  [&](SizeExpr x) {
                      if (in.has(1)) x = SizeExpr::apply(SizeOp::Max, {std::move(x), in.element(1, 0)});
                      return in.has(2) ? SizeExpr::apply(SizeOp::Min, {std::move(x), in.element(2, 0)}) : x;
                  });
}

constexpr auto allOps()
{
    std::array<StaticOp, std::size(kUnary) + 32> ops{};
    std::size_t at = 0;
    for (const Unary& row : kUnary) ops[at++] = {row.type, unary};
    for (const char* type : {"Add", "Sub", "Mul", "Div", "Pow", "Mod", "And", "Or", "Xor", "Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"})
        ops[at++] = {type, static_cast<Results (*)(const Operands&)>(binary), 2};
    for (const char* type : {"Min", "Max", "Sum", "Mean"}) ops[at++] = {type, variadic, -1};
    for (const StaticOp& op : {StaticOp{"PRelu", prelu, 2}, {"BitShift", shifted, 2}, {"Gelu", gelu}, {"Not", negated}, {"IsNaN", isNan}, {"IsInf", isInf},
                               {"Cast", cast}, {"CastLike", castLike, 2}, {"Clip", clip}})
        ops[at++] = op;
    return std::pair(ops, at);
}

}  // namespace

std::span<const StaticOp> arithmeticOps()
{
    static constexpr auto table = allOps();
    return std::span(table.first).first(table.second);
}

}  // namespace fovea
