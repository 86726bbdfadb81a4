// Operators that shift and scale: normalisation of weights, and numbers stored with a scale.
#include "core/io/onnx/static_ops.h"

#include <algorithm>
#include <cmath>

namespace fovea {

namespace {

// Mean and variance of the elements of each group; the group of an element by its position.
struct Statistics {
    std::vector<double> mean, variance;

    Statistics(const Elements& from, std::int64_t count, std::int64_t groups, const std::function<std::int64_t(std::int64_t)>& groupOf)
        : mean(static_cast<std::size_t>(groups)), variance(static_cast<std::size_t>(groups))
    {
        const double each = groups > 0 ? static_cast<double>(count) / static_cast<double>(groups) : 1;
        for (std::int64_t i = 0; i < count; ++i) mean[static_cast<std::size_t>(groupOf(i))] += from.real(i) / each;
        for (std::int64_t i = 0; i < count; ++i) {
            const auto group = static_cast<std::size_t>(groupOf(i));
            const double away = from.real(i) - mean[group];
            variance[group] += away * away / each;
        }
    }
};

std::int64_t channelOf(const Ints& dims, std::int64_t index)
{
    return index / elementsOf(Ints(dims.begin() + 2, dims.end())) % dims[1];
}

// With the statistics of its own input where it was exported while training: so weights are standardised.
Results batchNorm(const Operands& in)
{
    const Ints dims = in.tensor(0).dims;
    const bool own = in.call.getInt("training_mode", 0) != 0 || (in.call.opset < 14 && in.call.outputCount > 1);
    if (dims.size() < 2 || !in.has(4) || in.call.opset < 7) return std::nullopt;
    for (std::size_t arg = 1; arg <= 4; ++arg)
        if (in.elements(arg) != dims[1]) return std::nullopt;
    const double eps = in.call.getReal("epsilon", 1e-5), momentum = in.call.getReal("momentum", 0.9);
    const Tensor x = in.tensor(0), weight = in.tensor(1), bias = in.tensor(2), mean = in.tensor(3), variance = in.tensor(4);
    const auto statistics = [=](const Elements& from) { return Statistics(from, x.elements(), dims[1], [dims](std::int64_t i) { return channelOf(dims, i); }); };
    Result out = result(x.dtype, in.dims(0), {x, weight, bias, mean, variance}, [=](Target& to) {
        const Elements from(x), w(weight), b(bias), m(mean), v(variance);
        const auto now = own ? std::optional(statistics(from)) : std::nullopt;
        for (std::int64_t i = 0; i < to.count(); ++i) {
            const std::int64_t c = channelOf(dims, i);
            const double middle = now ? now->mean[static_cast<std::size_t>(c)] : m.real(c), spread = now ? now->variance[static_cast<std::size_t>(c)] : v.real(c);
            to.put(i, (from.real(i) - middle) / std::sqrt(spread + eps) * w.real(c) + b.real(c));
        }
    });
    if (!out) return std::nullopt;
    std::vector<StaticValue> all{std::move(*out)};
    // The running statistics, mean and variance; older forms give the batch's own behind them.
    for (int k = 1; k < in.call.outputCount && own; ++k) {
        const bool isMean = k % 2 == 1, saved = k > 2;
        Result running = result(x.dtype, {Dim(dims[1])}, {x, mean, variance}, [=](Target& to) {
            const Elements from(x), old(isMean ? mean : variance);
            const Statistics now = statistics(from);
            for (std::int64_t c = 0; c < to.count(); ++c) {
                const double value = (isMean ? now.mean : now.variance)[static_cast<std::size_t>(c)];
                to.put(c, saved ? value : momentum * old.real(c) + (1 - momentum) * value);
            }
        });
        if (!running) return std::nullopt;
        all.push_back(std::move(*running));
    }
    return all;
}

Results instanceNorm(const Operands& in)
{
    const Ints dims = in.tensor(0).dims;
    if (dims.size() < 3 || in.elements(1) != dims[1] || in.elements(2) != dims[1]) return std::nullopt;
    const double eps = in.call.getReal("epsilon", 1e-5);
    const Tensor x = in.tensor(0), weight = in.tensor(1), bias = in.tensor(2);
    const std::int64_t area = elementsOf(Ints(dims.begin() + 2, dims.end()));
    return only(result(x.dtype, in.dims(0), {x, weight, bias}, [=](Target& to) {
        const Elements from(x), w(weight), b(bias);
        const Statistics now(from, to.count(), dims[0] * dims[1], [area](std::int64_t i) { return i / area; });
        for (std::int64_t i = 0; i < to.count(); ++i) {
            const auto group = static_cast<std::size_t>(i / area);
            const std::int64_t c = i / area % dims[1];
            to.put(i, (from.real(i) - now.mean[group]) / std::sqrt(now.variance[group] + eps) * w.real(c) + b.real(c));
        }
    }));
}

Results layerNorm(const Operands& in)
{
    const Ints dims = in.tensor(0).dims;
    const int axis = axisOf(in.call.getInt("axis", -1), dims.size());
    if (axis < 0) return std::nullopt;
    const Ints last(dims.begin() + axis, dims.end());
    const std::int64_t inner = elementsOf(last);
    if (in.elements(1) != inner || (in.has(2) && in.elements(2) != inner)) return std::nullopt;
    const double eps = in.call.getReal("epsilon", 1e-5);
    const Tensor x = in.tensor(0), weight = in.tensor(1), bias = in.has(2) ? in.tensor(2) : Tensor{};
    const bool shifts = in.has(2);
    const std::int64_t groups = inner > 0 ? x.elements() / inner : 0;
    const auto statistics = [=](const Elements& from) { return Statistics(from, x.elements(), groups, [inner](std::int64_t i) { return i / inner; }); };
    Result out = result(x.dtype, in.dims(0), {x, weight, bias}, [=](Target& to) {
        const Elements from(x), w(weight), b(bias);
        const Statistics now = statistics(from);
        for (std::int64_t i = 0; i < to.count(); ++i) {
            const auto group = static_cast<std::size_t>(i / inner);
            to.put(i, (from.real(i) - now.mean[group]) / std::sqrt(now.variance[group] + eps) * w.real(i % inner) + (shifts ? b.real(i % inner) : 0));
        }
    });
    if (!out) return std::nullopt;
    std::vector<StaticValue> all{std::move(*out)};
    Dims kept = in.dims(0);
    for (std::size_t d = static_cast<std::size_t>(axis); d < kept.size(); ++d) kept[d] = Dim(1);
    for (int k = 1; k < in.call.outputCount; ++k) {
        Result part = result(DType::Float32, kept, {x}, [=](Target& to) {
            const Statistics now = statistics(Elements(x));
            for (std::int64_t i = 0; i < to.count(); ++i) {
                const auto group = static_cast<std::size_t>(i);
                to.put(i, k == 1 ? now.mean[group] : 1 / std::sqrt(now.variance[group] + eps));
            }
        });
        if (!part) return std::nullopt;
        all.push_back(std::move(*part));
    }
    return all;
}

// Which group an element belongs to when some dimensions go.
std::function<std::int64_t(std::int64_t)> groupsWithout(const Ints& dims, const Ints& axes, std::int64_t& groups)
{
    Ints kept = dims;
    for (const std::int64_t axis : axes)
        if (const int at = axisOf(axis, dims.size()); at >= 0) kept[static_cast<std::size_t>(at)] = 1;
    groups = elementsOf(kept);
    Ints strides = stridesOf(kept);
    for (std::size_t i = 0; i < dims.size(); ++i)
        if (kept[i] == 1) strides[i] = 0;
    return [dims, strides](std::int64_t index) {
        std::int64_t out = 0;
        for (std::size_t d = dims.size(); d-- > 0; index /= dims[d]) out += index % dims[d] * strides[d];
        return out;
    };
}

Results meanVarianceNorm(const Operands& in)
{
    const Tensor x = in.tensor(0);
    std::int64_t groups = 1;
    const auto groupOf = groupsWithout(x.dims, in.call.getInts("axes").value_or(Ints{0, 2, 3}), groups);
    return only(result(x.dtype, in.dims(0), {x}, [=](Target& to) {
        const Elements from(x);
        const Statistics now(from, to.count(), groups, groupOf);
        for (std::int64_t i = 0; i < to.count(); ++i) {
            const auto group = static_cast<std::size_t>(groupOf(i));
            to.put(i, (from.real(i) - now.mean[group]) / (std::sqrt(now.variance[group]) + 1e-9));
        }
    }));
}

Results lpNorm(const Operands& in)
{
    const Ints dims = in.tensor(0).dims;
    const int axis = axisOf(in.call.getInt("axis", -1), dims.size());
    const std::int64_t p = in.call.getInt("p", 2);
    if (axis < 0 || (p != 1 && p != 2)) return std::nullopt;
    const Along along(dims, axis);
    const Tensor x = in.tensor(0);
    return only(result(x.dtype, in.dims(0), {x}, [=](Target& to) {
        const Elements from(x);
        for (std::int64_t line = 0; line < along.outer * along.inner; ++line) {
            const std::int64_t o = line / along.inner, i = line % along.inner;
            double sum = 0;
            for (std::int64_t k = 0; k < along.size; ++k) {
                const double value = from.real(along.at(o, k, i));
                sum += p == 1 ? std::abs(value) : value * value;
            }
            const double norm = p == 1 ? sum : std::sqrt(sum);
            for (std::int64_t k = 0; k < along.size; ++k) to.put(along.at(o, k, i), norm == 0 ? 0.0 : from.real(along.at(o, k, i)) / norm);
        }
    }));
}

// Scale and zero point of an element: one for all, or one per position of an axis.
struct Quantisation {
    Tensor scale, zero;
    bool hasZero = false;
    std::int64_t inner = 1, size = 1;

    std::int64_t line(std::int64_t index) const { return size == 1 ? 0 : index / inner % size; }
};

std::optional<Quantisation> quantisationOf(const Operands& in)
{
    Quantisation out{.scale = in.tensor(1), .zero = in.has(2) ? in.tensor(2) : Tensor{}, .hasZero = in.has(2)};
    if (out.hasZero && in.elements(2) != in.elements(1)) return std::nullopt;
    if (in.elements(1) == 1) return out;
    const Ints dims = in.tensor(0).dims;
    const int axis = axisOf(in.call.getInt("axis", 1), dims.size());
    if (axis < 0 || in.elements(1) != dims[static_cast<std::size_t>(axis)] || in.call.attrs.contains("block_size")) return std::nullopt;
    const Along along(dims, axis);
    out.inner = along.inner;
    out.size = along.size;
    return out;
}

Results dequantise(const Operands& in)
{
    const auto q = quantisationOf(in);
    if (!q || isFloating(in.type(0))) return std::nullopt;
    const Tensor x = in.tensor(0);
    return only(result(in.type(1), in.dims(0), {x, q->scale, q->zero}, [x, q = *q](Target& to) {
        const Elements from(x), scale(q.scale), zero(q.zero);
        for (std::int64_t i = 0; i < to.count(); ++i) {
            const std::int64_t line = q.line(i);
            to.put(i, (from.real(i) - (q.hasZero ? zero.real(line) : 0)) * scale.real(line));
        }
    }));
}

std::pair<double, double> rangeOf(DType type)
{
    switch (type) {
    case DType::Int8: return {-128, 127};
    case DType::Int16: return {-32768, 32767};
    case DType::UInt16: return {0, 65535};
    default: return {0, 255};
    }
}

// Single precision decides on which side of a half a number lies.
double steps(double value, double scale) { return static_cast<float>(value) / static_cast<float>(scale); }

Results quantise(const Operands& in)
{
    const auto q = quantisationOf(in);
    if (!q) return std::nullopt;
    const DType type = q->hasZero ? q->zero.dtype : DType::UInt8;
    if (isFloating(type)) return std::nullopt;
    const auto [low, high] = rangeOf(type);
    const Tensor x = in.tensor(0);
    return only(result(type, in.dims(0), {x, q->scale, q->zero}, [x, q = *q, low = low, high = high](Target& to) {
        const Elements from(x), scale(q.scale), zero(q.zero);
        for (std::int64_t i = 0; i < to.count(); ++i) {
            const std::int64_t line = q.line(i);
            to.put(i, std::clamp(std::nearbyint(steps(from.real(i), scale.real(line))) + (q.hasZero ? zero.real(line) : 0), low, high));
        }
    }));
}

Results quantiseToRange(const Operands& in)
{
    const Tensor x = in.tensor(0);
    struct Scale {
        double scale = 1, zero = 0;
    };
    const auto scaleOf = [x](const Elements& from) {
        double low = 0, high = 0;
        for (std::int64_t i = 0; i < x.elements(); ++i) {
            low = std::min(low, from.real(i));
            high = std::max(high, from.real(i));
        }
        Scale out;
        out.scale = static_cast<float>((high - low) / 255);
        out.zero = out.scale > 0 ? std::clamp(std::nearbyint(steps(-low, out.scale)), 0.0, 255.0) : 0;
        return out;
    };
    Result made = result(DType::UInt8, in.dims(0), {x}, [=](Target& to) {
        const Elements from(x);
        const Scale q = scaleOf(from);
        for (std::int64_t i = 0; i < to.count(); ++i) to.put(i, std::clamp(std::nearbyint(q.scale > 0 ? steps(from.real(i), q.scale) : 0) + q.zero, 0.0, 255.0));
    });
    Result scale = result(DType::Float32, {}, {x}, [=](Target& to) { to.put(0, scaleOf(Elements(x)).scale); });
    Result zero = result(DType::UInt8, {}, {x}, [=](Target& to) { to.put(0, scaleOf(Elements(x)).zero); });
    if (!made || !scale || !zero) return std::nullopt;
    return std::vector<StaticValue>{std::move(*made), std::move(*scale), std::move(*zero)};
}

}  // namespace

std::span<const StaticOp> normOps()
{
    static constexpr StaticOp ops[] = {{"BatchNormalization", batchNorm, 5, true}, {"InstanceNormalization", instanceNorm, 3, true}, {"LayerNormalization", layerNorm, 2, true},
                                       {"MeanVarianceNormalization", meanVarianceNorm, 1, true}, {"LpNormalization", lpNorm, 1, true}, {"DequantizeLinear", dequantise, 2, true},
                                       {"QuantizeLinear", quantise, 2, true}, {"DynamicQuantizeLinear", quantiseToRange, 1, true}};
    return ops;
}

}  // namespace fovea
