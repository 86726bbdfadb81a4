// Operators that make tensors out of lengths, positions and settings.
#include "core/io/onnx/static_ops.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace fovea {

namespace {

Results constant(const Operands& in)
{
    const OnnxCall& call = in.call;
    const auto given = [](Tensor tensor) {
        StaticValue out;
        out.tensor = std::move(tensor);
        return std::vector<StaticValue>{std::move(out)};
    };
    if (const Tensor* value = call.getTensor("value")) return given(*value);
    if (const auto ints = call.getInts("value_ints")) return given(Tensor::fromIntegers({static_cast<std::int64_t>(ints->size())}, *ints));
    if (call.attrs.contains("value_int")) return given(Tensor::fromIntegers({}, {call.getInt("value_int", 0)}));
    if (call.attrs.contains("value_float")) return given(Tensor::fromFloats({}, {static_cast<float>(call.getReal("value_float", 0))}));
    const auto it = call.attrs.find("value_floats");
    if (it == call.attrs.end() || !std::holds_alternative<std::vector<double>>(it->second)) return std::nullopt;
    const auto& reals = std::get<std::vector<double>>(it->second);
    return given(Tensor::fromFloats({static_cast<std::int64_t>(reals.size())}, std::vector<float>(reals.begin(), reals.end())));
}

StaticValue listOf(const Dims& dims)
{
    StaticValue out;
    out.tensor = Tensor::fromIntegers({static_cast<std::int64_t>(dims.size())}, sizesOf(dims));
    if (anyFollows(dims))
        for (const Dim& dim : dims) out.sizes.push_back(dim.expr());
    return out;
}

// Both bounds may count from the end and lie outside.
Results shape(const Operands& in)
{
    const Dims dims = in.dims(0);
    const auto rank = static_cast<std::int64_t>(dims.size());
    const auto bound = [&](const char* name, std::int64_t fallback) {
        const std::int64_t at = in.call.getInt(name, fallback);
        return std::clamp<std::int64_t>(at < 0 ? saturatingAdd(at, rank) : at, 0, rank);
    };
    const std::int64_t from = bound("start", 0), to = std::max(from, bound("end", rank));
    return std::vector<StaticValue>{listOf(Dims(dims.begin() + from, dims.begin() + to))};
}

Results size(const Operands& in)
{
    Dim all(1);
    for (const Dim& dim : in.dims(0)) all = combined(SizeOp::Mul, all, dim);
    StaticValue out = listOf({all});
    out.tensor.dims = {};
    return std::vector<StaticValue>{std::move(out)};
}

Results constantOfShape(const Operands& in)
{
    const Tensor* given = in.call.getTensor("value");
    const Tensor value = given && given->elements() == 1 ? *given : Tensor::fromFloats({1}, {0});
    const std::size_t step = byteSize(value.dtype);
    Result out = result(value.dtype, in.lengths(0), {}, [value, step](Target& to) {
        const std::byte* from = value.bytes.data();
        for (std::int64_t i = 0; i < to.count(); ++i) std::copy(from, from + step, to.at(i));
    });
    if (out) out->uniform = true;
    return only(std::move(out));
}

// How many steps a range has: an expression where its ends follow sizes.
SizeExpr stepsOf(const SizeExpr& start, const SizeExpr& limit, const SizeExpr& by)
{
    const SizeExpr span = SizeExpr::apply(SizeOp::Sub, {limit, start});
    if (span.isReal() || by.isReal()) {
        const SizeExpr count = SizeExpr::apply(SizeOp::Ceil, {SizeExpr::apply(SizeOp::Div, {span, by})});
        return SizeExpr::apply(SizeOp::Max, {SizeExpr::apply(SizeOp::ToInt, {count}), 0});
    }
    if (const auto one = by.constant(); one == 1) return span;
    const SizeExpr up = SizeExpr::apply(SizeOp::Sub, {SizeExpr::apply(SizeOp::Add, {span, by}), SizeExpr::apply(SizeOp::Sign, {by})});
    return SizeExpr::apply(SizeOp::Max, {SizeExpr::apply(SizeOp::Div, {up, by}), 0});
}

Results range(const Operands& in)
{
    for (std::size_t arg = 0; arg < 3; ++arg)
        if (in.elements(arg) != 1) return std::nullopt;
    const Tensor start = in.tensor(0), limit = in.tensor(1), by = in.tensor(2);
    const bool real = isFloating(start.dtype);
    std::int64_t count = 0;
    if (real) {
        const double steps = std::ceil((limit.real(0) - start.real(0)) / by.real(0));
        if (!(steps < 1e9)) return std::nullopt;
        count = static_cast<std::int64_t>(std::max(steps, 0.0));
    } else {
        const std::int64_t step = by.integer(0);
        if (step == 0) return std::nullopt;
        const Int128 span = static_cast<Int128>(limit.integer(0)) - start.integer(0);
        count = std::max<std::int64_t>(0, saturate(step > 0 ? (span + step - 1) / step : (span + step + 1) / step));
    }
    Dim length(count);
    if (in.anyFollows()) length = Dim(count, stepsOf(in.element(0, 0), in.element(1, 0), in.element(2, 0)));
    Result out = result(start.dtype, {length}, {start, by}, [=](Target& to) {
        for (std::int64_t i = 0; i < to.count(); ++i) {
            if (real) to.put(i, start.real(0) + static_cast<double>(i) * by.real(0));
            else to.put(i, start.integer(0) + i * by.integer(0));
        }
    });
    if (!out) return std::nullopt;
    setSizes(in, *out, [&](std::int64_t i) {
        const SizeExpr way = SizeExpr::apply(SizeOp::Mul, {in.element(2, 0), i});
        return SizeExpr::apply(SizeOp::Add, {in.element(0, 0), way});
    });
    return only(std::move(out));
}

std::optional<DType> typeAttr(const Operands& in, const char* name, DType fallback)
{
    const std::int64_t stated = in.call.getInt(name, 0);
    switch (stated) {
    case 0: return fallback;
    case 1: return DType::Float32;
    case 6: return DType::Int32;
    case 7: return DType::Int64;
    case 10: return DType::Float16;
    case 11: return DType::Float64;
    default: return std::nullopt;
    }
}

Results eyeLike(const Operands& in)
{
    const Dims dims = in.dims(0);
    const auto type = typeAttr(in, "dtype", in.type(0));
    if (dims.size() != 2 || !type) return std::nullopt;
    const std::int64_t columns = dims[1].size(), k = in.call.getInt("k", 0);
    return only(result(*type, dims, {}, [=](Target& to) {
        for (std::int64_t i = 0; i < to.count(); ++i) to.put(i, std::int64_t{i % columns - i / columns == k});
    }));
}

Results oneHot(const Operands& in)
{
    const auto depth = in.whole(1);
    const Dims index = in.dims(0);
    if (!depth || *depth < 1 || in.elements(2) != 2) return std::nullopt;
    const int axis = axisOf(in.call.getInt("axis", -1), index.size() + 1);
    if (axis < 0) return std::nullopt;
    Dims to = index;
    to.insert(to.begin() + axis, in.lengths(1)[0]);
    const Along along(sizesOf(to), axis);
    const Tensor places = in.tensor(0);
    return only(moved(in, 2, to, [=](std::int64_t i) {
        const std::int64_t inner = i % along.inner, k = i / along.inner % along.size, outer = i / along.inner / along.size;
        std::int64_t at = places.integer(outer * along.inner + inner);
        if (at < 0) at += along.size;
        return Element{2, std::int64_t{at == k}};
    }));
}

// Windows of signal processing: a - b cos(2 pi n / N) + c cos(4 pi n / N).
Results window(const Operands& in)
{
    const auto length = in.whole(0);
    const auto type = typeAttr(in, "output_datatype", DType::Float32);
    if (!length || *length < 0 || !type) return std::nullopt;
    const bool hann = in.call.type == "HannWindow", hamming = in.call.type == "HammingWindow";
    const double a = hann ? 0.5 : hamming ? 25.0 / 46 : 0.42, b = hann ? 0.5 : hamming ? 21.0 / 46 : 0.5, c = hann || hamming ? 0 : 0.08;
    const auto period = static_cast<double>(in.call.getInt("periodic", 1) != 0 ? *length : *length - 1);
    return only(result(*type, {in.lengths(0)[0]}, {}, [=](Target& to) {
        for (std::int64_t i = 0; i < to.count(); ++i) {
            const double angle = 2 * std::numbers::pi * static_cast<double>(i) / period;
            to.put(i, a - b * std::cos(angle) + c * std::cos(2 * angle));
        }
    }));
}

}  // namespace

std::span<const StaticOp> makingOps()
{
    static constexpr StaticOp ops[] = {{"Constant", constant}, {"Shape", shape}, {"Size", size}, {"ConstantOfShape", constantOfShape}, {"Range", range, 3},
                                       {"EyeLike", eyeLike, 1}, {"OneHot", oneHot, 3}, {"HannWindow", window, 1, true}, {"HammingWindow", window, 1, true}, {"BlackmanWindow", window, 1, true}};
    return ops;
}

}  // namespace fovea
