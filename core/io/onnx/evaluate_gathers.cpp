// Operators that pick elements by positions which are constants themselves.
#include "core/io/onnx/static_ops.h"

#include <algorithm>

namespace fovea {

namespace {

// Positions along an axis, counted from the front; nullopt where one lies outside.
std::optional<Ints> positionsOf(const Tensor& tensor, std::int64_t size)
{
    Ints out = tensor.integers();
    for (std::int64_t& at : out) {
        if (at < 0) at += size;
        if (at < 0 || at >= size) return std::nullopt;
    }
    return out;
}

Results gather(const Operands& in)
{
    const Dims from = in.dims(0), index = in.dims(1);
    const int axis = axisOf(in.call.getInt("axis", 0), from.size());
    if (axis < 0) return std::nullopt;
    const Along along(sizesOf(from), axis);
    const auto places = positionsOf(in.tensor(1), along.size);
    if (!places) return std::nullopt;
    Dims to(from.begin(), from.begin() + axis);
    to.insert(to.end(), index.begin(), index.end());
    to.insert(to.end(), from.begin() + axis + 1, from.end());
    const auto count = static_cast<std::int64_t>(places->size());
    return only(moved(in, 0, to, [along, count, places = std::move(*places)](std::int64_t i) {
        const std::int64_t inner = i % along.inner, k = i / along.inner % count, outer = i / along.inner / count;
        return Element{0, along.at(outer, places[static_cast<std::size_t>(k)], inner)};
    }));
}

Results gatherElements(const Operands& in)
{
    const Ints from = in.tensor(0).dims, to = in.tensor(1).dims;
    const int axis = axisOf(in.call.getInt("axis", 0), from.size());
    if (axis < 0 || to.size() != from.size()) return std::nullopt;
    for (std::size_t i = 0; i < to.size(); ++i)
        if (static_cast<int>(i) != axis && to[i] > from[i]) return std::nullopt;
    const auto places = positionsOf(in.tensor(1), from[static_cast<std::size_t>(axis)]);
    if (!places) return std::nullopt;
    const Ints strides = stridesOf(from);
    return only(moved(in, 0, in.dims(1), [=, places = std::move(*places)](std::int64_t i) {
        std::int64_t at = 0;
        const std::int64_t place = places[static_cast<std::size_t>(i)];
        for (std::size_t d = to.size(); d-- > 0; i /= to[d]) at += (static_cast<int>(d) == axis ? place : i % to[d]) * strides[d];
        return Element{0, at};
    }));
}

// Where each tuple of a tensor of positions points to in one of `dims`, behind `batch` shared dimensions.
std::optional<Ints> tupleOffsets(const Tensor& indices, const Ints& dims, std::size_t batch)
{
    const auto width = static_cast<std::size_t>(indices.dims.back());
    if (batch + width > dims.size()) return std::nullopt;
    const Ints strides = stridesOf(dims), values = indices.integers();
    Ints out;
    for (std::size_t at = 0; width > 0 && at + width <= values.size(); at += width) {
        std::int64_t offset = 0;
        for (std::size_t k = 0; k < width; ++k) {
            const std::int64_t size = dims[batch + k];
            const std::int64_t place = values[at + k] < 0 ? values[at + k] + size : values[at + k];
            if (place < 0 || place >= size) return std::nullopt;
            offset += place * strides[batch + k];
        }
        out.push_back(offset);
    }
    return out;
}

Results gatherNd(const Operands& in)
{
    const Ints from = in.tensor(0).dims, index = in.tensor(1).dims;
    const std::int64_t batch = in.call.getInt("batch_dims", 0);
    if (index.empty() || index.back() < 1 || batch < 0 || batch >= static_cast<std::int64_t>(std::min(index.size(), from.size()))) return std::nullopt;
    const auto shared = static_cast<std::size_t>(batch), width = static_cast<std::size_t>(index.back());
    const auto offsets = tupleOffsets(in.tensor(1), from, shared);
    if (!offsets) return std::nullopt;
    const Dims indexDims = in.dims(1), fromDims = in.dims(0);
    Dims to(indexDims.begin(), indexDims.end() - 1);
    to.insert(to.end(), fromDims.begin() + static_cast<std::ptrdiff_t>(shared + width), fromDims.end());
    const std::int64_t inner = elementsOf(Ints(from.begin() + static_cast<std::ptrdiff_t>(shared + width), from.end()));
    const std::int64_t perBatch = elementsOf(Ints(index.begin() + static_cast<std::ptrdiff_t>(shared), index.end() - 1));
    const std::int64_t batchStep = elementsOf(Ints(from.begin() + static_cast<std::ptrdiff_t>(shared), from.end()));
    return only(moved(in, 0, to, [=, offsets = std::move(*offsets)](std::int64_t i) {
        const std::int64_t tuple = i / inner;
        return Element{0, tuple / perBatch * batchStep + offsets[static_cast<std::size_t>(tuple)] + i % inner};
    }));
}

Results compress(const Operands& in)
{
    const bool flat = !in.call.attrs.contains("axis");
    const Ints from = flat ? Ints{in.elements(0)} : in.tensor(0).dims;
    const int axis = flat ? 0 : axisOf(in.call.getInt("axis", 0), from.size());
    if (axis < 0) return std::nullopt;
    const Along along(from, axis);
    Ints kept;
    for (std::int64_t i = 0; i < std::min(in.elements(1), along.size); ++i)
        if (in.tensor(1).integer(i) != 0) kept.push_back(i);
    Dims to(from.begin(), from.end());
    to[static_cast<std::size_t>(axis)] = Dim(static_cast<std::int64_t>(kept.size()));
    const auto count = static_cast<std::int64_t>(kept.size());
    return only(moved(in, 0, to, [along, count, kept](std::int64_t i) {
        return Element{0, along.at(i / along.inner / count, kept[static_cast<std::size_t>(i / along.inner % count)], i % along.inner)};
    }));
}

// Input 0 with elements of input 2 put, added or multiplied in where `places` says, in order.
Results scattered(const Operands& in, Ints places)
{
    const std::string how = in.call.getText("reduction", "none");
    if (in.type(2) != in.type(0)) return std::nullopt;
    if (how == "none") {
        Ints source(static_cast<std::size_t>(in.elements(0)), -1);
        for (std::size_t i = 0; i < places.size(); ++i) source[static_cast<std::size_t>(places[i])] = static_cast<std::int64_t>(i);
        return only(moved(in, 0, in.dims(0), [source = std::move(source)](std::int64_t i) {
            const std::int64_t update = source[static_cast<std::size_t>(i)];
            return update >= 0 ? Element{2, update} : Element{0, i};
        }));
    }
    const SizeOp op = how == "add" ? SizeOp::Add : how == "mul" ? SizeOp::Mul : how == "max" ? SizeOp::Max : how == "min" ? SizeOp::Min : SizeOp::Where;
    if (op == SizeOp::Where) return std::nullopt;
    const Tensor data = in.tensor(0), updates = in.tensor(2);
    const bool real = isFloating(data.dtype);
    return only(result(data.dtype, in.dims(0), {data, updates}, [=, places = std::move(places)](Target& to) {
        const Elements from(data), with(updates);
        for (std::int64_t i = 0; i < to.count(); ++i) real ? to.put(i, from.real(i)) : to.put(i, from.whole(i));
        for (std::size_t k = 0; k < places.size(); ++k) {
            const auto i = static_cast<std::int64_t>(k);
            const SizeNumber pair[2] = {
                real ? SizeNumber::of(loadReal(data.dtype, to.at(places[k])), NumberType::Double) : SizeNumber::of(loadInteger(data.dtype, to.at(places[k]))),
                real ? SizeNumber::of(with.real(i), NumberType::Double) : SizeNumber::of(with.whole(i))};
            const auto made = compute(op, pair);
            if (!made) continue;
            real ? to.put(places[k], made->real) : to.put(places[k], made->integer);
        }
    }));
}

Results scatterElements(const Operands& in)
{
    const Ints from = in.tensor(0).dims, index = in.tensor(1).dims;
    const int axis = axisOf(in.call.getInt("axis", 0), from.size());
    if (axis < 0 || index.size() != from.size() || in.elements(2) != in.elements(1)) return std::nullopt;
    for (std::size_t i = 0; i < index.size(); ++i)
        if (static_cast<int>(i) != axis && index[i] > from[i]) return std::nullopt;
    auto places = positionsOf(in.tensor(1), from[static_cast<std::size_t>(axis)]);
    if (!places) return std::nullopt;
    const Ints strides = stridesOf(from);
    for (std::size_t k = 0; k < places->size(); ++k) {
        std::int64_t at = 0, i = static_cast<std::int64_t>(k);
        for (std::size_t d = index.size(); d-- > 0; i /= index[d]) at += (static_cast<int>(d) == axis ? (*places)[k] : i % index[d]) * strides[d];
        (*places)[k] = at;
    }
    return scattered(in, std::move(*places));
}

Results scatterNd(const Operands& in)
{
    const Ints from = in.tensor(0).dims, index = in.tensor(1).dims;
    if (index.empty() || index.back() < 1) return std::nullopt;
    const auto offsets = tupleOffsets(in.tensor(1), from, 0);
    if (!offsets) return std::nullopt;
    const std::int64_t inner = elementsOf(Ints(from.begin() + static_cast<std::ptrdiff_t>(index.back()), from.end()));
    if (saturatingMul(inner, static_cast<std::int64_t>(offsets->size())) != in.elements(2)) return std::nullopt;
    Ints places;
    for (const std::int64_t offset : *offsets)
        for (std::int64_t i = 0; i < inner; ++i) places.push_back(offset + i);
    return scattered(in, std::move(places));
}

}  // namespace

std::span<const StaticOp> gatheringOps()
{
    static constexpr StaticOp ops[] = {{"Gather", gather, 2},   {"GatherElements", gatherElements, 2},   {"GatherND", gatherNd, 2},
                                       {"Compress", compress, 2}, {"ScatterElements", scatterElements, 3}, {"Scatter", scatterElements, 3},
                                       {"ScatterND", scatterNd, 3}};
    return ops;
}

}  // namespace fovea
