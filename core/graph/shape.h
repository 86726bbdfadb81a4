// Shapes of tensors and which of their dimensions is which.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

namespace fovea {

inline constexpr std::int64_t kUnknown = -1;

// Up to eight dimensions, each a size or kUnknown; a shape may itself be unknown (rank -1).
class Shape {
public:
    static constexpr int kMaxRank = 8;

    Shape() = default;  // unknown rank
    Shape(std::initializer_list<std::int64_t> dims) : Shape(std::span(dims.begin(), dims.size())) {}
    explicit Shape(std::span<const std::int64_t> dims);  // unknown where there are more than kMaxRank
    static Shape ofRank(int rank);                       // all dimensions unknown

    bool hasRank() const { return m_rank >= 0; }
    int rank() const { return m_rank; }
    bool isComplete() const;  // rank and every dimension known
    std::int64_t operator[](int dim) const { return m_dims[static_cast<std::size_t>(dim)]; }
    std::int64_t& operator[](int dim) { return m_dims[static_cast<std::size_t>(dim)]; }
    std::span<const std::int64_t> dims() const { return {m_dims.data(), m_rank < 0 ? 0u : static_cast<std::size_t>(m_rank)}; }
    void append(std::int64_t dim);
    // Product of all dimensions, kUnknown where one is unknown or the product does not fit.
    std::int64_t elements() const;
    bool operator==(const Shape&) const = default;
    std::string text() const;  // "1x64x56x56", unknown sizes as "?"

private:
    std::int8_t m_rank = -1;
    std::array<std::int64_t, kMaxRank> m_dims{};
};

// Which dimension carries channels, height and width; -1 where none does (any more).
struct Layout {
    std::int8_t c = -1;
    std::int8_t h = -1;
    std::int8_t w = -1;
    bool operator==(const Layout&) const = default;
};

inline constexpr Layout kNchw{1, 2, 3};

// What is known about one tensor that flows along an edge.
struct Value {
    Shape shape;
    Layout layout;
    bool operator==(const Value&) const = default;

    std::int64_t channels() const { return layout.c >= 0 && layout.c < shape.rank() ? shape[layout.c] : kUnknown; }
    std::int64_t height() const { return layout.h >= 0 && layout.h < shape.rank() ? shape[layout.h] : kUnknown; }
    std::int64_t width() const { return layout.w >= 0 && layout.w < shape.rank() ? shape[layout.w] : kUnknown; }
};

}  // namespace fovea
