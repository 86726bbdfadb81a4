#include "core/graph/shape.h"

#include "core/base/checked.h"

namespace fovea {

Shape::Shape(std::span<const std::int64_t> dims)
{
    if (dims.size() > kMaxRank) return;
    m_rank = static_cast<std::int8_t>(dims.size());
    for (std::size_t i = 0; i < dims.size(); ++i) m_dims[i] = dims[i] < 0 ? kUnknown : dims[i];
}

Shape Shape::ofRank(int rank)
{
    Shape shape;
    if (rank < 0 || rank > kMaxRank) return shape;
    shape.m_rank = static_cast<std::int8_t>(rank);
    for (int i = 0; i < rank; ++i) shape[i] = kUnknown;
    return shape;
}

bool Shape::isComplete() const
{
    if (m_rank < 0) return false;
    for (const std::int64_t dim : dims())
        if (dim < 0) return false;
    return true;
}

void Shape::append(std::int64_t dim)
{
    if (m_rank < 0) return;
    if (m_rank == kMaxRank) {
        *this = Shape();
        return;
    }
    m_dims[static_cast<std::size_t>(m_rank++)] = dim;
}

std::int64_t Shape::elements() const
{
    if (!isComplete()) return kUnknown;
    std::int64_t product = 1;
    for (const std::int64_t dim : dims()) {
        const auto next = checkedMul(product, dim);
        if (!next) return kUnknown;
        product = *next;
    }
    return product;
}

std::string Shape::text() const
{
    if (m_rank < 0) return "?";
    std::string out;
    for (const std::int64_t dim : dims()) {
        if (!out.empty()) out += 'x';
        out += dim < 0 ? "?" : std::to_string(dim);
    }
    return out.empty() ? "scalar" : out;
}

}  // namespace fovea
