#include "core/ops/size_number.h"

#include "core/base/checked.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace fovea {

namespace {

struct FunctionRow {
    SizeOp op;
    std::string_view name;
    int arguments;
};

constexpr std::array<FunctionRow, 24> kFunctions{{{SizeOp::Fmod, "fmod", 2},    {SizeOp::Pow, "pow", 2},
                                                  {SizeOp::Min, "min", 2},      {SizeOp::Max, "max", 2},
                                                  {SizeOp::Abs, "abs", 1},      {SizeOp::Sign, "sign", 1},
                                                  {SizeOp::Floor, "floor", 1},  {SizeOp::Ceil, "ceil", 1},
                                                  {SizeOp::Round, "round", 1},  {SizeOp::Sqrt, "sqrt", 1},
                                                  {SizeOp::Exp, "exp", 1},      {SizeOp::Log, "log", 1},
                                                  {SizeOp::ToInt, "int", 1},    {SizeOp::ToHalf, "half", 1},
                                                  {SizeOp::ToSingle, "float", 1}, {SizeOp::ToDouble, "double", 1},
                                                  {SizeOp::Equal, "eq", 2},     {SizeOp::Less, "lt", 2},
                                                  {SizeOp::LessEqual, "le", 2}, {SizeOp::And, "and", 2},
                                                  {SizeOp::Or, "or", 2},        {SizeOp::Xor, "xor", 2},
                                                  {SizeOp::Not, "not", 1},      {SizeOp::Where, "where", 3}}};

double roundedTo(double value, NumberType type)
{
    if (type == NumberType::Single) return static_cast<float>(value);
    if (type != NumberType::Half) return value;
    std::byte bytes[2];
    storeReal(value, DType::Float16, bytes);
    return Tensor{DType::Float16, {}, bytes, nullptr}.real(0);
}

std::optional<std::int64_t> modulo(std::int64_t a, std::int64_t b)
{
    if (b == 0) return std::nullopt;
    if (b == -1) return 0;
    const std::int64_t rest = a % b;
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

std::optional<std::int64_t> power(std::int64_t base, std::int64_t exponent)
{
    if (exponent < 0 || exponent > 63) return std::nullopt;
    std::optional<std::int64_t> out = 1;
    for (std::int64_t i = 0; i < exponent && out; ++i) out = checkedMul(*out, base);
    return out;
}

constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();

std::optional<std::int64_t> onIntegers(SizeOp op, std::int64_t a, std::int64_t b)
{
    switch (op) {
    case SizeOp::Add: return checkedAdd(a, b);
    case SizeOp::Sub: return b == kLeast ? std::nullopt : checkedAdd(a, -b);
    case SizeOp::Mul: return checkedMul(a, b);
    case SizeOp::Div: return b == 0 || (b == -1 && a == kLeast) ? std::nullopt : std::optional(a / b);
    case SizeOp::Mod: return modulo(a, b);
    case SizeOp::Fmod: return b == 0 ? std::nullopt : std::optional(b == -1 ? 0 : a % b);
    case SizeOp::Pow: return power(a, b);
    case SizeOp::Min: return std::min(a, b);
    case SizeOp::Max: return std::max(a, b);
    case SizeOp::Neg: return a == kLeast ? std::nullopt : std::optional(-a);
    case SizeOp::Abs: return a == kLeast ? std::nullopt : std::optional(std::abs(a));
    case SizeOp::Sign: return (a > 0) - (a < 0);
    case SizeOp::Floor:
    case SizeOp::Ceil:
    case SizeOp::Round: return a;
    default: return std::nullopt;
    }
}

std::optional<double> onReals(SizeOp op, double a, double b)
{
    switch (op) {
    case SizeOp::Add: return a + b;
    case SizeOp::Sub: return a - b;
    case SizeOp::Mul: return a * b;
    case SizeOp::Div: return a / b;
    case SizeOp::Mod: return a - std::floor(a / b) * b;
    case SizeOp::Fmod: return std::fmod(a, b);
    case SizeOp::Pow: return std::pow(a, b);
    case SizeOp::Min: return std::min(a, b);
    case SizeOp::Max: return std::max(a, b);
    case SizeOp::Neg: return -a;
    case SizeOp::Abs: return std::abs(a);
    case SizeOp::Sign: return double((a > 0) - (a < 0));
    case SizeOp::Floor: return std::floor(a);
    case SizeOp::Ceil: return std::ceil(a);
    case SizeOp::Round: return std::nearbyint(a);  // to even, as ONNX says
    case SizeOp::Sqrt: return std::sqrt(a);
    case SizeOp::Exp: return std::exp(a);
    case SizeOp::Log: return std::log(a);
    default: return std::nullopt;
    }
}

std::optional<SizeNumber> truth(SizeOp op, const SizeNumber& a, const SizeNumber& b)
{
    const bool real = a.isReal() || b.isReal();
    const double x = a.asReal(), y = b.asReal();
    const bool p = x != 0, q = y != 0;
    switch (op) {
    case SizeOp::Equal: return SizeNumber::of(std::int64_t{real ? x == y : a.integer == b.integer});
    case SizeOp::Less: return SizeNumber::of(std::int64_t{real ? x < y : a.integer < b.integer});
    case SizeOp::LessEqual: return SizeNumber::of(std::int64_t{real ? x <= y : a.integer <= b.integer});
    case SizeOp::And: return SizeNumber::of(std::int64_t{p && q});
    case SizeOp::Or: return SizeNumber::of(std::int64_t{p || q});
    case SizeOp::Xor: return SizeNumber::of(std::int64_t{p != q});
    case SizeOp::Not: return SizeNumber::of(std::int64_t{!p});
    default: return std::nullopt;
    }
}

std::optional<SizeNumber> converted(SizeOp op, const SizeNumber& a)
{
    switch (op) {
    case SizeOp::ToInt:
        if (!a.isReal()) return a;
        // What does not fit is undefined in ONNX.
        return std::abs(a.real) < 9.2e18 ? std::optional(SizeNumber::of(static_cast<std::int64_t>(a.real))) : std::nullopt;
    case SizeOp::ToHalf: return SizeNumber::of(a.asReal(), NumberType::Half);
    case SizeOp::ToSingle: return SizeNumber::of(a.asReal(), NumberType::Single);
    case SizeOp::ToDouble: return SizeNumber::of(a.asReal(), NumberType::Double);
    default: return std::nullopt;
    }
}

template <typename Real>
std::string shortest(Real value)
{
    char buffer[64];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
    std::string out(buffer, end);
    return out.find_first_of(".en") == std::string::npos ? out + ".0" : out;
}

}  // namespace

NumberType numberType(DType type)
{
    return type == DType::Float64 ? NumberType::Double : type == DType::Float16 ? NumberType::Half : type == DType::Float32 || type == DType::BFloat16 ? NumberType::Single : NumberType::Integer;
}

SizeNumber SizeNumber::of(double value, NumberType type)
{
    SizeNumber out;
    out.type = type;
    out.real = roundedTo(value, type);
    return out;
}

int argumentCount(SizeOp op)
{
    if (op <= SizeOp::Dim) return 0;
    if (op < SizeOp::Neg) return 2;
    if (op == SizeOp::Neg) return 1;
    return kFunctions[static_cast<std::size_t>(op) - static_cast<std::size_t>(SizeOp::Fmod)].arguments;
}

std::string_view functionName(SizeOp op)
{
    if (op <= SizeOp::Neg) return {};
    return kFunctions[static_cast<std::size_t>(op) - static_cast<std::size_t>(SizeOp::Fmod)].name;
}

std::optional<SizeOp> functionNamed(std::string_view name)
{
    for (const FunctionRow& row : kFunctions)
        if (row.name == name) return row.op;
    return std::nullopt;
}

std::optional<SizeNumber> compute(SizeOp op, std::span<const SizeNumber> args)
{
    if (static_cast<int>(args.size()) != argumentCount(op) || args.empty()) return std::nullopt;
    const SizeNumber& a = args[0];
    const SizeNumber& b = args.size() > 1 ? args[1] : a;
    if (op == SizeOp::Where) return a.asReal() != 0 ? args[1] : args[2];
    if (op >= SizeOp::ToInt && op <= SizeOp::ToDouble) return converted(op, a);
    if (op >= SizeOp::Equal) return truth(op, a, b);
    const NumberType type = std::max(a.type, b.type);
    if (type == NumberType::Integer) {
        const auto whole = onIntegers(op, a.integer, b.integer);
        return whole ? std::optional(SizeNumber::of(*whole)) : std::nullopt;
    }
    // One operation in double, rounded once, is the operation in single or half precision.
    const auto real = onReals(op, a.asReal(), b.asReal());
    if (!real) return std::nullopt;
    const SizeNumber out = SizeNumber::of(*real, type);
    return std::isfinite(out.real) ? std::optional(out) : std::nullopt;
}

std::string toText(const SizeNumber& number)
{
    switch (number.type) {
    case NumberType::Integer: return std::to_string(number.integer);
    case NumberType::Half: return "half(" + shortest(static_cast<float>(number.real)) + ")";
    case NumberType::Single: return shortest(static_cast<float>(number.real));
    case NumberType::Double: return shortest(number.real) + "d";
    }
    return {};
}

}  // namespace fovea
