// Operators that walk along an axis.
#include "core/io/onnx/static_ops.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace fovea {

namespace {

Results cumulated(const Operands& in)
{
    const Dims dims = in.dims(0);
    const auto stated = in.whole(1);
    const int axis = stated ? axisOf(*stated, dims.size()) : -1;
    if (axis < 0) return std::nullopt;
    const bool exclusive = in.call.getInt("exclusive", 0) != 0, reverse = in.call.getInt("reverse", 0) != 0;
    const Along along(sizesOf(dims), axis);
    const Tensor from = in.tensor(0);
    Result out = result(from.dtype, dims, {from}, [=](Target& to) {
        const Elements elements(from);
        const bool real = isFloating(from.dtype);
        for (std::int64_t o = 0; o < along.outer; ++o)
            for (std::int64_t i = 0; i < along.inner; ++i) {
                double sum = 0;
                std::uint64_t total = 0;
                for (std::int64_t k = 0; k < along.size; ++k) {
                    const std::int64_t at = along.at(o, reverse ? along.size - 1 - k : k, i);
                    const double x = real ? elements.real(at) : 0;
                    const auto n = static_cast<std::uint64_t>(real ? 0 : elements.whole(at));
                    if (!exclusive) sum += x, total += n;
                    if (real) to.put(at, sum);
                    else to.put(at, static_cast<std::int64_t>(total));
                    if (exclusive) sum += x, total += n;
                }
            }
    });
    if (!out) return std::nullopt;
    setSizes(in, *out, [&](std::int64_t) { return SizeExpr(); });
    return only(std::move(out));
}

// Until opset 12 every dimension from `axis` on is one.
Along normalised(const Operands& in, bool& valid)
{
    const Ints dims = in.tensor(0).dims;
    const int axis = axisOf(in.call.getInt("axis", in.call.opset < 13 ? 1 : -1), dims.size());
    valid = axis >= 0;
    if (in.call.opset >= 13 || !valid) return Along(dims, std::max(axis, 0));
    const Ints parts{elementsOf(Ints(dims.begin(), dims.begin() + axis)), elementsOf(Ints(dims.begin() + axis, dims.end()))};
    return Along(parts, 1);
}

void softmaxLine(const Elements& from, Target& to, const Along& along, std::int64_t o, std::int64_t i, const std::string& type)
{
    double high = -std::numeric_limits<double>::infinity(), sum = 0;
    std::int64_t best = 0;
    for (std::int64_t k = 0; k < along.size; ++k)
        if (const double x = from.real(along.at(o, k, i)); x > high) {
            high = x;
            best = k;
        }
    for (std::int64_t k = 0; k < along.size; ++k) sum += std::exp(from.real(along.at(o, k, i)) - high);
    for (std::int64_t k = 0; k < along.size; ++k) {
        const std::int64_t at = along.at(o, k, i);
        const double x = from.real(at) - high;
        to.put(at, type == "Hardmax" ? double(k == best) : type == "LogSoftmax" ? x - std::log(sum) : std::exp(x) / sum);
    }
}

Results softmax(const Operands& in)
{
    bool valid = false;
    const Along along = normalised(in, valid);
    if (!valid) return std::nullopt;
    const Tensor from = in.tensor(0);
    const std::string type = in.call.type;
    return only(result(from.dtype, in.dims(0), {from}, [=](Target& to) {
        const Elements elements(from);
        for (std::int64_t o = 0; o < along.outer; ++o)
            for (std::int64_t i = 0; i < along.inner; ++i) softmaxLine(elements, to, along, o, i, type);
    }));
}

// Positions of the k largest (or smallest) along an axis, in order.
Ints orderOf(const Elements& from, const Along& along, std::int64_t o, std::int64_t i, bool largest)
{
    Ints order(static_cast<std::size_t>(along.size));
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
        const double x = from.real(along.at(o, a, i)), y = from.real(along.at(o, b, i));
        return largest ? x > y : x < y;
    });
    return order;
}

Results topK(const Operands& in)
{
    const Dims dims = in.dims(0);
    const int axis = axisOf(in.call.getInt("axis", -1), dims.size());
    const auto k = in.has(1) ? in.whole(1) : std::optional(in.call.getInt("k", -1));
    if (axis < 0 || !k || *k < 0 || *k > dims[static_cast<std::size_t>(axis)].size()) return std::nullopt;
    const bool largest = in.call.getInt("largest", 1) != 0;
    Dims to = dims;
    to[static_cast<std::size_t>(axis)] = in.has(1) ? in.lengths(1)[0] : Dim(*k);
    const Along along(sizesOf(dims), axis), kept(sizesOf(to), axis);
    const Tensor from = in.tensor(0);
    const auto part = [&](DType type, bool values) {
        return result(type, to, {from}, [=](Target& target) {
            const Elements elements(from);
            for (std::int64_t o = 0; o < along.outer; ++o)
                for (std::int64_t i = 0; i < along.inner; ++i) {
                    const Ints order = orderOf(elements, along, o, i, largest);
                    for (std::int64_t n = 0; n < kept.size; ++n) {
                        const std::int64_t at = order[static_cast<std::size_t>(n)];
                        if (values) target.put(kept.at(o, n, i), elements.real(along.at(o, at, i)));
                        else target.put(kept.at(o, n, i), at);
                    }
                }
        });
    };
    Result values = part(from.dtype, true), positions = part(DType::Int64, false);
    if (!values || !positions) return std::nullopt;
    return std::vector<StaticValue>{std::move(*values), std::move(*positions)};
}

// [rank, count]: the positions of what is not zero.
Results nonZero(const Operands& in)
{
    const Dims dims = in.dims(0);
    const Tensor from = in.tensor(0);
    const Ints sizes = sizesOf(dims);
    const auto rank = static_cast<std::int64_t>(std::max<std::size_t>(dims.size(), 1));
    Ints places;
    for (std::int64_t i = 0; i < from.elements(); ++i)
        if (from.real(i) != 0) places.push_back(i);
    Dim count(static_cast<std::int64_t>(places.size()));
    // Where all elements are the same number, how many there are follows the lengths.
    if (in.call.args[0].uniform && !places.empty()) {
        count = Dim(1);
        for (const Dim& dim : dims) count = combined(SizeOp::Mul, count, dim);
    }
    const auto columns = static_cast<std::int64_t>(places.size());
    return only(result(DType::Int64, {Dim(rank), count}, {}, [=, places = std::move(places)](Target& to) {
        const Ints strides = stridesOf(sizes);
        for (std::int64_t r = 0; r < rank; ++r)
            for (std::int64_t i = 0; i < columns; ++i) {
                const std::int64_t at = places[static_cast<std::size_t>(i)];
                to.put(r * columns + i, sizes.empty() ? 0 : at / strides[static_cast<std::size_t>(r)] % sizes[static_cast<std::size_t>(r)]);
            }
    }));
}

}  // namespace

std::span<const StaticOp> scanningOps()
{
    static constexpr StaticOp ops[] = {{"CumSum", cumulated, 2}, {"Softmax", softmax, 1, true}, {"LogSoftmax", softmax, 1, true},
                                       {"Hardmax", softmax, 1, true},  {"TopK", topK, 1, true},       {"NonZero", nonZero, 1, true}};
    return ops;
}

}  // namespace fovea
