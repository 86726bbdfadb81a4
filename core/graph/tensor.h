// A tensor's bytes, shared with whatever holds them (a mapped file, a buffer). Immutable.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
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

// Writes `value` as one element of a floating type, rounded to the nearest, ties to even; other types get zeros.
void storeReal(double value, DType type, std::byte* to);
// Writes `value` as one element of any type; what does not fit an integer type wraps around.
void storeInteger(std::int64_t value, DType type, std::byte* to);
// One element; of an integer type as a whole number (unsigned ones of 64 bits bit by bit).
double loadReal(DType type, const std::byte* from);
std::int64_t loadInteger(DType type, const std::byte* from);

// The bytes of a tensor: there already, or computed when they are first looked at (by any thread, once).
class TensorBytes {
public:
    using Compute = std::function<void(std::span<std::byte> to)>;  // `to` is zeroed; may throw

    TensorBytes() = default;
    template <typename Bytes>
        requires std::convertible_to<const Bytes&, std::span<const std::byte>>
    TensorBytes(const Bytes& bytes) : m_bytes(bytes) {}
    static TensorBytes later(std::size_t size, Compute compute, int depth);

    std::size_t size() const { return m_later ? laterSize() : m_bytes.size(); }
    bool empty() const { return size() == 0; }
    const std::byte* data() const { return span().data(); }
    std::span<const std::byte> span() const { return m_later ? computed() : m_bytes; }
    operator std::span<const std::byte>() const { return span(); }
    // How many computations wait behind one another until the bytes are there; 0: they are.
    int pending() const;
    // The same promise, whatever it gives.
    bool sameAs(const TensorBytes& other) const
    {
        return m_later == other.m_later && m_bytes.data() == other.m_bytes.data() && m_bytes.size() == other.m_bytes.size();
    }

private:
    struct Later;
    std::size_t laterSize() const;
    std::span<const std::byte> computed() const;

    std::span<const std::byte> m_bytes;
    std::shared_ptr<Later> m_later;
};

struct Tensor {
    DType dtype = DType::Float32;
    std::vector<std::int64_t> dims;      // row-major; empty: a scalar
    TensorBytes bytes;                   // little-endian, exactly elements() * byteSize(dtype)
    std::shared_ptr<const void> owner;   // keeps `bytes` alive

    std::int64_t elements() const;
    // Element `index` in row-major order as a number; 0 outside the tensor.
    double real(std::int64_t index) const;
    std::int64_t integer(std::int64_t index) const;
    std::vector<std::int64_t> integers() const;

    // `depth`: the most computations that wait behind one another for what `compute` reads.
    static Tensor later(DType dtype, std::vector<std::int64_t> dims, TensorBytes::Compute compute, int depth = 0);
    static Tensor fromFloats(std::vector<std::int64_t> dims, std::vector<float> values);
    static Tensor fromIntegers(std::vector<std::int64_t> dims, std::vector<std::int64_t> values);
};

}  // namespace fovea
