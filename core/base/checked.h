// Integer arithmetic that says when it does not fit, for numbers that come from files.
#pragma once

#include <cstdint>
#include <numeric>
#include <optional>

namespace fovea {

inline std::optional<std::int64_t> checkedAdd(std::int64_t a, std::int64_t b)
{
    std::int64_t out;
    if (__builtin_add_overflow(a, b, &out)) return std::nullopt;
    return out;
}

inline std::optional<std::int64_t> checkedMul(std::int64_t a, std::int64_t b)
{
    std::int64_t out;
    if (__builtin_mul_overflow(a, b, &out)) return std::nullopt;
    return out;
}

// a * b, held at +-kSaturated instead of overflowing. For fields and costs of absurd networks: they stay
// ordered and finite, and nobody reads the exact number of a field wider than 10^15 pixels.
inline constexpr std::int64_t kSaturated = 1'000'000'000'000'000;

// GCC and clang both have it; __extension__ keeps -Wpedantic quiet about it.
__extension__ typedef __int128 Int128;

inline std::int64_t saturate(Int128 value)
{
    if (value > kSaturated) return kSaturated;
    if (value < -kSaturated) return -kSaturated;
    return static_cast<std::int64_t>(value);
}

inline std::int64_t saturatingMul(std::int64_t a, std::int64_t b) { return saturate(static_cast<Int128>(a) * b); }
inline std::int64_t saturatingAdd(std::int64_t a, std::int64_t b) { return saturate(static_cast<Int128>(a) + b); }

// Rounds towards minus infinity; divisor > 0.
inline std::int64_t floorDiv(std::int64_t a, std::int64_t b) { return a / b - (a % b != 0 && (a < 0)); }
inline std::int64_t ceilDiv(std::int64_t a, std::int64_t b) { return -floorDiv(-a, b); }

}  // namespace fovea
