#include "core/graph/tensor.h"

#include "core/base/checked.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstring>
#include <mutex>
#include <utility>

namespace fovea {

namespace {

struct TypeRow {
    DType type;
    std::string_view name;
    std::size_t bytes;
};

constexpr std::array<TypeRow, 13> kTypes{{{DType::Float32, "F32", 4},
                                          {DType::Float64, "F64", 8},
                                          {DType::Float16, "F16", 2},
                                          {DType::BFloat16, "BF16", 2},
                                          {DType::Int8, "I8", 1},
                                          {DType::UInt8, "U8", 1},
                                          {DType::Int16, "I16", 2},
                                          {DType::UInt16, "U16", 2},
                                          {DType::Int32, "I32", 4},
                                          {DType::UInt32, "U32", 4},
                                          {DType::Int64, "I64", 8},
                                          {DType::UInt64, "U64", 8},
                                          {DType::Bool, "BOOL", 1}}};

template <typename T>
T load(const std::byte* from)
{
    T value;
    std::memcpy(&value, from, sizeof value);
    return value;
}

float halfToFloat(std::uint16_t half)
{
    const std::uint32_t sign = (half & 0x8000u) << 16, exponent = (half >> 10) & 0x1fu, mantissa = half & 0x3ffu;
    if (exponent == 0) {
        const float tiny = static_cast<float>(mantissa) * 0x1p-24f;
        return sign ? -tiny : tiny;
    }
    const std::uint32_t bits = sign | (exponent == 31 ? 0x7f800000u : (exponent + 112) << 23) | (mantissa << 13);
    float out;
    std::memcpy(&out, &bits, sizeof out);
    return out;
}

template <typename T>
void store(T value, std::byte* to)
{
    std::memcpy(to, &value, sizeof value);
}

// Round to nearest, ties to even; what is too small for a normal number becomes a subnormal one.
std::uint16_t halfFromFloat(float value)
{
    const std::uint16_t sign = std::signbit(value) ? 0x8000u : 0u;
    const float size = std::fabs(value);
    if (std::isnan(value)) return 0x7e00u;
    if (size >= 65520.0f) return static_cast<std::uint16_t>(sign | 0x7c00u);
    int exponent = 0;
    std::frexp(size, &exponent);
    const int scale = std::max(exponent, -13) - 11;  // of the last bit of the mantissa
    const auto units = static_cast<std::uint32_t>(std::nearbyint(std::ldexp(size, -scale)));
    // A mantissa that rounds up to the next power of two carries into the exponent by itself.
    const std::uint32_t biased = units < 0x400u ? 0u : static_cast<std::uint32_t>(scale + 25);
    return static_cast<std::uint16_t>(sign | (biased == 0 ? units : (biased << 10) + (units - 0x400u)));
}

template <typename Out>
Out loadAs(DType type, const std::byte* at)
{
    switch (type) {
    case DType::Float32: return static_cast<Out>(load<float>(at));
    case DType::Float64: return static_cast<Out>(load<double>(at));
    case DType::Float16: return static_cast<Out>(halfToFloat(load<std::uint16_t>(at)));
    case DType::BFloat16: {
        const std::uint32_t bits = static_cast<std::uint32_t>(load<std::uint16_t>(at)) << 16;
        float out;
        std::memcpy(&out, &bits, sizeof out);
        return static_cast<Out>(out);
    }
    case DType::Int8: return static_cast<Out>(load<std::int8_t>(at));
    case DType::UInt8:
    case DType::Bool: return static_cast<Out>(load<std::uint8_t>(at));
    case DType::Int16: return static_cast<Out>(load<std::int16_t>(at));
    case DType::UInt16: return static_cast<Out>(load<std::uint16_t>(at));
    case DType::Int32: return static_cast<Out>(load<std::int32_t>(at));
    case DType::UInt32: return static_cast<Out>(load<std::uint32_t>(at));
    case DType::Int64: return static_cast<Out>(load<std::int64_t>(at));
    case DType::UInt64: return static_cast<Out>(load<std::uint64_t>(at));
    }
    return Out{};
}

template <typename T>
Tensor owned(DType type, std::vector<std::int64_t> dims, std::vector<T> values)
{
    auto buffer = std::make_shared<const std::vector<T>>(std::move(values));
    Tensor out{type, std::move(dims), std::as_bytes(std::span(*buffer)), buffer};
    return out;
}

}  // namespace

bool isFloating(DType type)
{
    return type == DType::Float32 || type == DType::Float64 || type == DType::Float16 || type == DType::BFloat16;
}

std::size_t byteSize(DType type) { return kTypes[static_cast<std::size_t>(type)].bytes; }

std::string_view toString(DType type) { return kTypes[static_cast<std::size_t>(type)].name; }

std::optional<DType> dtypeFromText(std::string_view text)
{
    for (const TypeRow& row : kTypes)
        if (row.name == text) return row.type;
    return std::nullopt;
}

void storeReal(double value, DType type, std::byte* to)
{
    switch (type) {
    case DType::Float32: store(static_cast<float>(value), to); return;
    case DType::Float64: store(value, to); return;
    case DType::Float16: store(halfFromFloat(static_cast<float>(value)), to); return;
    case DType::BFloat16: {
        std::uint32_t bits = 0;
        const auto single = static_cast<float>(value);
        std::memcpy(&bits, &single, sizeof bits);
        const bool number = !std::isnan(single);  // rounding would carry a NaN into an infinity
        store(static_cast<std::uint16_t>((number ? bits + 0x7fffu + ((bits >> 16) & 1u) : bits | 0x400000u) >> 16), to);
        return;
    }
    default: std::memset(to, 0, byteSize(type));
    }
}

void storeInteger(std::int64_t value, DType type, std::byte* to)
{
    switch (type) {
    case DType::Int8:
    case DType::UInt8: store(static_cast<std::uint8_t>(value), to); return;
    case DType::Bool: store(static_cast<std::uint8_t>(value != 0), to); return;
    case DType::Int16:
    case DType::UInt16: store(static_cast<std::uint16_t>(value), to); return;
    case DType::Int32:
    case DType::UInt32: store(static_cast<std::uint32_t>(value), to); return;
    case DType::Int64:
    case DType::UInt64: store(value, to); return;
    default: storeReal(static_cast<double>(value), type, to);
    }
}

double loadReal(DType type, const std::byte* from) { return loadAs<double>(type, from); }

std::int64_t loadInteger(DType type, const std::byte* from)
{
    if (!isFloating(type)) return loadAs<std::int64_t>(type, from);
    const double value = loadAs<double>(type, from);
    return value > 9e18 || value < -9e18 || value != value ? 0 : static_cast<std::int64_t>(value);
}

struct TensorBytes::Later {
    std::size_t size = 0;
    int depth = 0;
    Compute compute;
    std::once_flag once;
    std::atomic<bool> done = false;
    std::vector<std::byte> bytes;
};

TensorBytes TensorBytes::later(std::size_t size, Compute compute, int depth)
{
    TensorBytes out;
    out.m_later = std::make_shared<Later>();
    out.m_later->size = size;
    out.m_later->depth = depth + 1;
    out.m_later->compute = std::move(compute);
    return out;
}

std::size_t TensorBytes::laterSize() const { return m_later->size; }

int TensorBytes::pending() const { return m_later && !m_later->done ? m_later->depth : 0; }

std::span<const std::byte> TensorBytes::computed() const
{
    Later& later = *m_later;
    std::call_once(later.once, [&later] {
        std::vector<std::byte> bytes(later.size);
        later.compute(bytes);
        later.bytes = std::move(bytes);
        later.compute = nullptr;  // what it was made of may go
        later.done = true;
    });
    return later.bytes;
}

std::int64_t Tensor::elements() const
{
    std::int64_t product = 1;
    for (const std::int64_t dim : dims) product = saturatingMul(product, dim);
    return product;
}

double Tensor::real(std::int64_t index) const
{
    const std::size_t size = byteSize(dtype);
    if (index < 0 || (static_cast<std::size_t>(index) + 1) * size > bytes.size()) return 0;
    return loadReal(dtype, bytes.data() + static_cast<std::size_t>(index) * size);
}

std::int64_t Tensor::integer(std::int64_t index) const
{
    const std::size_t size = byteSize(dtype);
    if (index < 0 || (static_cast<std::size_t>(index) + 1) * size > bytes.size()) return 0;
    return loadInteger(dtype, bytes.data() + static_cast<std::size_t>(index) * size);
}

std::vector<std::int64_t> Tensor::integers() const
{
    const auto count = static_cast<std::int64_t>(bytes.size() / byteSize(dtype));
    std::vector<std::int64_t> out;
    out.reserve(static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < count; ++i) out.push_back(integer(i));
    return out;
}

Tensor Tensor::later(DType dtype, std::vector<std::int64_t> dims, TensorBytes::Compute compute, int depth)
{
    Tensor out;
    out.dtype = dtype;
    out.dims = std::move(dims);
    out.bytes = TensorBytes::later(static_cast<std::size_t>(out.elements()) * byteSize(dtype), std::move(compute), depth);
    return out;
}

Tensor Tensor::fromFloats(std::vector<std::int64_t> dims, std::vector<float> values)
{
    return owned(DType::Float32, std::move(dims), std::move(values));
}

Tensor Tensor::fromIntegers(std::vector<std::int64_t> dims, std::vector<std::int64_t> values)
{
    return owned(DType::Int64, std::move(dims), std::move(values));
}

}  // namespace fovea
