// A tensor's bytes, shared with whatever holds them (a mapped file, a buffer). Immutable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fovea {

enum class DType : std::uint8_t { Float32, Float64, Float16, BFloat16, Int8, UInt8, Int16, UInt16, Int32, UInt32, Int64, UInt64, Bool };

std::size_t byteSize(DType type);
bool isFloating(DType type);
std::string_view toString(DType type);  // safetensors' names: "F32", "I64", "BOOL", ...
std::optional<DType> dtypeFromText(std::string_view text);

// Writes `value` as one element of a floating type, rounded to the nearest; other types get zeros.
void storeReal(double value, DType type, std::byte* to);

struct Tensor {
    DType dtype = DType::Float32;
    std::vector<std::int64_t> dims;      // row-major; empty: a scalar
    std::span<const std::byte> bytes;    // little-endian, exactly elements() * byteSize(dtype)
    std::shared_ptr<const void> owner;   // keeps `bytes` alive

    std::int64_t elements() const;
    // Element `index` in row-major order as a number; 0 outside the tensor.
    double real(std::int64_t index) const;
    std::int64_t integer(std::int64_t index) const;
    std::vector<std::int64_t> integers() const;

    static Tensor fromFloats(std::vector<std::int64_t> dims, std::vector<float> values);
    static Tensor fromIntegers(std::vector<std::int64_t> dims, std::vector<std::int64_t> values);
};

}  // namespace fovea
