// Shapes of tensors and which of their dimensions is which.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <vector>

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

// What a tensor extends along: images of a batch, channels, the image's rows and columns, or anything else (frames, heads).
enum class Axis : std::int8_t { Batch, Channel, Height, Width, Other };

// Which dimension carries the batch, channels, height and width; -1 where none does (any more).
struct Layout {
    std::int8_t c = -1;
    std::int8_t h = -1;
    std::int8_t w = -1;
    std::int8_t n = 0;
    bool operator==(const Layout&) const = default;
    std::int8_t of(Axis axis) const
    {
        return axis == Axis::Batch ? n : axis == Axis::Channel ? c : axis == Axis::Height ? h : axis == Axis::Width ? w : std::int8_t{-1};
    }
};

inline constexpr Layout kNchw{1, 2, 3};

struct Dimension;
using Dimensions = std::vector<Dimension>;  // see dimensions.h

// What is known about one tensor that flows along an edge.
struct Value {
    Shape shape;
    Layout layout;
    // Where an axis shares its dimension with others or is spread over several; null nearly everywhere: each axis is
    // one whole dimension.
    std::shared_ptr<const Dimensions> folded = nullptr;
    bool operator==(const Value& other) const;

    std::int64_t channels() const { return layout.c >= 0 && layout.c < shape.rank() ? shape[layout.c] : kUnknown; }
    // Units along the dimension that carries the image's rows or columns.
    std::int64_t height() const { return folded ? unitsAlong(Axis::Height) : layout.h >= 0 && layout.h < shape.rank() ? shape[layout.h] : kUnknown; }
    std::int64_t width() const { return folded ? unitsAlong(Axis::Width) : layout.w >= 0 && layout.w < shape.rank() ? shape[layout.w] : kUnknown; }

private:
    std::int64_t unitsAlong(Axis axis) const;
};

}  // namespace fovea
