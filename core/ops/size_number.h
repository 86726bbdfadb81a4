// The arithmetic of sizes: one number at a time, as ONNX does it on whole and real numbers.
#pragma once

#include "core/graph/tensor.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace fovea {

// Precision counts: a file that computes floor(h * 0.6) in single precision gets another size than in double.
enum class NumberType : std::uint8_t { Integer, Half, Single, Double };

NumberType numberType(DType type);  // of a floating type, that of numbers computed in it

struct SizeNumber {
    NumberType type = NumberType::Integer;
    std::int64_t integer = 0;  // where type is Integer
    double real = 0;           // elsewhere, already rounded to the type

    static SizeNumber of(std::int64_t value) { return {NumberType::Integer, value, 0}; }
    static SizeNumber of(double value, NumberType type);
    bool isReal() const { return type != NumberType::Integer; }
    double asReal() const { return isReal() ? real : static_cast<double>(integer); }
    bool operator==(const SizeNumber&) const = default;
};

enum class SizeOp : std::uint8_t {
    Number, Dim,  // leaves
    Add, Sub, Mul, Div, Mod,  // infix; Div of whole numbers rounds toward zero, Mod has the sign of its divisor
    Neg,                      // prefix
    // Written as functions from here on.
    Fmod, Pow, Min, Max, Abs, Sign, Floor, Ceil, Round, Sqrt, Exp, Log, ToInt, ToHalf, ToSingle, ToDouble,
    Equal, Less, LessEqual, And, Or, Xor, Not, Where
};

int argumentCount(SizeOp op);             // 0 for leaves
std::string_view functionName(SizeOp op);  // empty for leaves, infix and prefix
std::optional<SizeOp> functionNamed(std::string_view name);

// nullopt where the result does not fit, is divided by zero, or is not defined. A whole number that meets a real
// one counts as one of its type.
std::optional<SizeNumber> compute(SizeOp op, std::span<const SizeNumber> args);

// Written so that it is read back as the same number of the same type.
std::string toText(const SizeNumber& number);

}  // namespace fovea
