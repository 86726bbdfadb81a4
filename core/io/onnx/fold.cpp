#include "core/io/onnx/fold.h"

#include "core/base/checked.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace fovea {

namespace {

constexpr std::int64_t kMaxElements = 65'536;

// A small constant as numbers. Integers up to 2^53 are exact, larger ones (INT64_MAX as "to the end") are
// kept beside.
struct Numbers {
    std::vector<std::int64_t> dims;
    std::vector<double> reals;
    std::vector<std::int64_t> integers;
    std::vector<SizeExpr> sizes;  // empty, or one per element
    DType type = DType::Int64;

    std::int64_t count() const { return static_cast<std::int64_t>(reals.size()); }
    bool isReal() const { return type == DType::Float32 || type == DType::Float64 || type == DType::Float16; }
    void push(const Numbers& from, std::int64_t index)
    {
        const auto at = static_cast<std::size_t>(index);
        reals.push_back(from.reals[at]);
        integers.push_back(from.integers[at]);
        sizes.push_back(from.expr(at));
    }
    void push(double real, std::int64_t integer)
    {
        reals.push_back(real);
        integers.push_back(integer);
        sizes.push_back(expr(reals.size() - 1));
    }
    SizeExpr expr(std::size_t at) const
    {
        if (at < sizes.size()) return sizes[at];
        return isReal() ? SizeExpr(SizeNumber::of(reals[at], numberType(type))) : SizeExpr(integers[at]);
    }
    bool follows() const
    {
        return std::any_of(sizes.begin(), sizes.end(), [](const SizeExpr& e) { return !e.number(); });
    }
};

std::optional<Numbers> numbersOf(const OnnxArg& arg)
{
    if (!arg.constant || arg.constant->elements() > kMaxElements) return std::nullopt;
    const Tensor& tensor = *arg.constant;
    Numbers out;
    out.dims = tensor.dims;
    out.type = tensor.dtype;
    for (std::int64_t i = 0; i < tensor.elements(); ++i) out.push(tensor.real(i), tensor.integer(i));
    if (arg.sizes.size() == out.reals.size()) out.sizes = arg.sizes;
    return out;
}

Tensor tensorOf(const Numbers& numbers)
{
    if (numbers.type == DType::Float32) {
        std::vector<float> values(numbers.reals.begin(), numbers.reals.end());
        return Tensor::fromFloats(numbers.dims, std::move(values));
    }
    Tensor out = Tensor::fromIntegers(numbers.dims, numbers.integers);
    return out;
}

std::int64_t elements(const std::vector<std::int64_t>& dims)
{
    std::int64_t count = 1;
    for (const std::int64_t dim : dims) count = saturatingMul(count, dim);
    return count;
}

std::vector<std::int64_t> strides(const std::vector<std::int64_t>& dims)
{
    std::vector<std::int64_t> out(dims.size(), 1);
    for (std::size_t i = dims.size(); i-- > 1;) out[i - 1] = out[i] * dims[i];
    return out;
}

// Element of `from` that a position of a broadcast result reads.
std::int64_t broadcastIndex(const std::vector<std::int64_t>& dims, std::int64_t flat, const std::vector<std::int64_t>& from)
{
    const auto toStrides = strides(dims), fromStrides = strides(from);
    const std::size_t shift = dims.size() - from.size();
    std::int64_t index = 0;
    for (std::size_t i = 0; i < from.size(); ++i) {
        const std::int64_t at = flat / toStrides[i + shift] % dims[i + shift];
        if (from[i] != 1) index += at * fromStrides[i];
    }
    return index;
}

std::optional<std::vector<std::int64_t>> broadcastDims(const std::vector<std::int64_t>& a, const std::vector<std::int64_t>& b)
{
    std::vector<std::int64_t> out = a.size() >= b.size() ? a : b;
    const auto& other = a.size() >= b.size() ? b : a;
    const std::size_t shift = out.size() - other.size();
    for (std::size_t i = 0; i < other.size(); ++i) {
        if (out[i + shift] == 1) out[i + shift] = other[i];
        else if (other[i] != 1 && other[i] != out[i + shift]) return std::nullopt;
    }
    return out;
}

using Args = std::vector<Numbers>;
using Result = std::optional<Numbers>;

Result binary(SizeOp op, const Args& args, const std::function<double(double, double)>& real, const std::function<std::optional<std::int64_t>(std::int64_t, std::int64_t)>& integer, bool keepType = true)
{
    if (args.size() != 2) return std::nullopt;
    const auto dims = broadcastDims(args[0].dims, args[1].dims);
    if (!dims || elements(*dims) > kMaxElements) return std::nullopt;
    Numbers out;
    out.dims = *dims;
    out.type = keepType ? args[0].type : DType::Bool;
    const bool follows = args[0].follows() || args[1].follows();
    const auto put = [&](double real, std::int64_t whole, std::size_t a, std::size_t b) {
        out.push(real, whole);
        if (follows) out.sizes.back() = SizeExpr::apply(op, {args[0].expr(a), args[1].expr(b)});
    };
    for (std::int64_t i = 0; i < elements(*dims); ++i) {
        const auto a = static_cast<std::size_t>(broadcastIndex(*dims, i, args[0].dims)), b = static_cast<std::size_t>(broadcastIndex(*dims, i, args[1].dims));
        if (args[0].isReal()) {
            const double value = real(args[0].reals[a], args[1].reals[b]);
            put(value, std::isfinite(value) && std::abs(value) < 9e18 ? static_cast<std::int64_t>(value) : 0, a, b);
            continue;
        }
        const auto value = integer(args[0].integers[a], args[1].integers[b]);
        if (!value) return std::nullopt;
        put(static_cast<double>(*value), *value, a, b);
    }
    return out;
}

Result unary(SizeOp op, const Args& args, const std::function<double(double)>& real)
{
    Numbers out = args[0];
    for (std::size_t i = 0; i < out.reals.size(); ++i)
        if (!out.sizes.empty()) out.sizes[i] = SizeExpr::apply(op, {args[0].expr(i)});
    for (std::size_t i = 0; i < out.reals.size(); ++i) {
        out.reals[i] = real(out.reals[i]);
        out.integers[i] = std::isfinite(out.reals[i]) && std::abs(out.reals[i]) < 9e18 ? static_cast<std::int64_t>(out.reals[i]) : 0;
    }
    return out;
}

int axisOf(std::int64_t axis, std::size_t rank)
{
    if (axis < 0) axis += static_cast<std::int64_t>(rank);
    return axis >= 0 && axis < static_cast<std::int64_t>(rank) ? static_cast<int>(axis) : -1;
}

Result gather(const OnnxCall& call, const Args& args)
{
    if (args.size() != 2) return std::nullopt;
    const int axis = axisOf(call.getInt("axis", 0), args[0].dims.size());
    if (axis < 0) return std::nullopt;
    const auto& dims = args[0].dims;
    const auto at = static_cast<std::size_t>(axis);
    Numbers out;
    out.type = args[0].type;
    out.dims.assign(dims.begin(), dims.begin() + axis);
    out.dims.insert(out.dims.end(), args[1].dims.begin(), args[1].dims.end());
    out.dims.insert(out.dims.end(), dims.begin() + axis + 1, dims.end());
    if (elements(out.dims) > kMaxElements) return std::nullopt;
    const std::int64_t inner = elements({dims.begin() + axis + 1, dims.end()}), outer = elements({dims.begin(), dims.begin() + axis});
    for (std::int64_t o = 0; o < outer; ++o)
        for (std::int64_t index : args[1].integers) {
            if (index < 0) index += dims[at];
            if (index < 0 || index >= dims[at]) return std::nullopt;
            for (std::int64_t i = 0; i < inner; ++i) out.push(args[0], (o * dims[at] + index) * inner + i);
        }
    return out;
}

Result concat(const OnnxCall& call, const Args& args)
{
    if (args.empty()) return std::nullopt;
    const int axis = axisOf(call.getInt("axis", 0), args[0].dims.size());
    if (axis < 0) return std::nullopt;
    const auto at = static_cast<std::size_t>(axis);
    Numbers out;
    out.type = args[0].type;
    out.dims = args[0].dims;
    out.dims[at] = 0;
    for (const Numbers& arg : args) {
        if (arg.dims.size() != out.dims.size()) return std::nullopt;
        for (std::size_t i = 0; i < out.dims.size(); ++i)
            if (i != at && arg.dims[i] != out.dims[i]) return std::nullopt;
        out.dims[at] += arg.dims[at];
    }
    if (elements(out.dims) > kMaxElements) return std::nullopt;
    const std::int64_t outer = elements({out.dims.begin(), out.dims.begin() + axis});
    for (std::int64_t o = 0; o < outer; ++o)
        for (const Numbers& arg : args) {
            const std::int64_t block = outer ? arg.count() / outer : 0;
            for (std::int64_t i = 0; i < block; ++i) out.push(arg, o * block + i);
        }
    return out;
}

Result permuted(const OnnxCall& call, const Args& args)
{
    const auto rank = args[0].dims.size();
    Ints order = call.getInts("perm").value_or(Ints{});
    if (order.empty())
        for (std::size_t i = rank; i-- > 0;) order.push_back(static_cast<std::int64_t>(i));
    if (order.size() != rank) return std::nullopt;
    Numbers out;
    out.type = args[0].type;
    for (const std::int64_t axis : order) {
        if (axisOf(axis, rank) < 0) return std::nullopt;
        out.dims.push_back(args[0].dims[static_cast<std::size_t>(axis)]);
    }
    const auto from = strides(args[0].dims), to = strides(out.dims);
    for (std::int64_t flat = 0; flat < args[0].count(); ++flat) {
        std::int64_t index = 0;
        for (std::size_t i = 0; i < rank; ++i) index += flat / to[i] % out.dims[i] * from[static_cast<std::size_t>(order[i])];
        out.push(args[0], index);
    }
    return out;
}

Result sliced(const OnnxCall& call, const Args& args)
{
    const auto list = [&](const char* attr, std::size_t arg) -> std::optional<Ints> { return call.listFrom(attr, arg); };
    const auto starts = list("starts", 1), ends = list("ends", 2);
    auto axes = list("axes", 3), steps = list("steps", 4);
    if (!starts || !ends || starts->size() != ends->size()) return std::nullopt;
    if (args[0].dims.size() != 1) {
        // Only along the first dimension of a matrix, as exporters do with lists of pads.
        if (args[0].dims.size() != 2 || starts->size() != 1 || (axes && (*axes)[0] != 0)) return std::nullopt;
    }
    if (starts->size() != 1 || (axes && axes->size() == 1 && axisOf((*axes)[0], args[0].dims.size()) != 0)) return std::nullopt;
    const std::int64_t size = args[0].dims[0], stepBy = steps && !steps->empty() ? (*steps)[0] : 1;
    const std::int64_t inner = args[0].dims.size() == 2 ? args[0].dims[1] : 1;
    if (stepBy == 0) return std::nullopt;
    const auto place = [size](std::int64_t at, std::int64_t low, std::int64_t high) { return std::clamp<std::int64_t>(at < 0 ? saturatingAdd(at, size) : at, low, high); };
    const std::int64_t from = stepBy > 0 ? place((*starts)[0], 0, size) : place((*starts)[0], 0, size - 1);
    const std::int64_t end = (*ends)[0];
    const std::int64_t to = stepBy > 0 ? place(end, 0, size) : (end < -size ? -1 : place(end, -1, size - 1));
    Numbers out;
    out.type = args[0].type;
    std::int64_t rows = 0;
    for (std::int64_t at = from; stepBy > 0 ? at < to : at > to; at += stepBy, ++rows)
        for (std::int64_t i = 0; i < inner; ++i) out.push(args[0], at * inner + i);
    out.dims = args[0].dims;
    out.dims[0] = rows;
    return out;
}

Result reshaped(const OnnxCall& call, const Args& args)
{
    Numbers out = args[0];
    const auto shape = call.listFrom("shape", 1);
    if (!shape) return std::nullopt;
    std::int64_t known = 1;
    int rest = -1;
    out.dims = *shape;
    for (std::size_t i = 0; i < out.dims.size(); ++i) {
        if (out.dims[i] == 0 && i < args[0].dims.size()) out.dims[i] = args[0].dims[i];
        if (out.dims[i] == -1) rest = static_cast<int>(i);
        else known = saturatingMul(known, out.dims[i]);
    }
    if (rest >= 0) {
        if (known <= 0) return std::nullopt;
        out.dims[static_cast<std::size_t>(rest)] = out.count() / known;
    }
    return elements(out.dims) == out.count() ? Result(out) : std::nullopt;
}

Result unsqueezed(const OnnxCall& call, const Args& args)
{
    auto axes = call.listFrom("axes", 1);
    if (!axes) return std::nullopt;
    Numbers out = args[0];
    for (std::int64_t& axis : *axes)
        if (axis < 0) axis += static_cast<std::int64_t>(out.dims.size() + axes->size());
    std::sort(axes->begin(), axes->end());
    for (const std::int64_t axis : *axes) {
        if (axis < 0 || axis > static_cast<std::int64_t>(out.dims.size())) return std::nullopt;
        out.dims.insert(out.dims.begin() + axis, 1);
    }
    return out;
}

Result squeezed(const OnnxCall& call, const Args& args)
{
    Numbers out = args[0];
    const auto axes = call.listFrom("axes", 1);
    std::vector<std::int64_t> dims;
    for (std::size_t i = 0; i < out.dims.size(); ++i) {
        const bool named = axes && std::any_of(axes->begin(), axes->end(), [&](std::int64_t axis) { return axisOf(axis, out.dims.size()) == static_cast<int>(i); });
        if (out.dims[i] == 1 && (!axes || named)) continue;
        dims.push_back(out.dims[i]);
    }
    out.dims = dims;
    return out;
}

Result expanded(const Args& args)
{
    if (args.size() != 2) return std::nullopt;
    const auto dims = broadcastDims(args[0].dims, args[1].integers);
    if (!dims || elements(*dims) > kMaxElements || elements(*dims) < 0) return std::nullopt;
    Numbers out;
    out.type = args[0].type;
    out.dims = *dims;
    for (std::int64_t i = 0; i < elements(*dims); ++i) out.push(args[0], broadcastIndex(*dims, i, args[0].dims));
    return out;
}

Result filled(const OnnxCall& call, const Args& args)
{
    Numbers out;
    out.dims = args[0].integers;
    for (const std::int64_t dim : out.dims)
        if (dim < 0) return std::nullopt;
    if (elements(out.dims) > kMaxElements) return std::nullopt;
    const Tensor* value = call.getTensor("value");
    out.type = value ? value->dtype : DType::Float32;
    for (std::int64_t i = 0; i < elements(out.dims); ++i) out.push(value ? value->real(0) : 0.0, value ? value->integer(0) : 0);
    return out;
}

Result range(const Args& args)
{
    if (args.size() != 3 || args[0].count() != 1 || args[1].count() != 1 || args[2].count() != 1 || args[0].isReal()) return std::nullopt;
    const std::int64_t start = args[0].integers[0], limit = args[1].integers[0], by = args[2].integers[0];
    if (by == 0 || std::abs(start) > kMaxElements || std::abs(limit) > kMaxElements) return std::nullopt;
    Numbers out;
    out.type = args[0].type;
    for (std::int64_t at = start; by > 0 ? at < limit : at > limit; at += by) out.push(static_cast<double>(at), at);
    out.dims = {out.count()};
    return out;
}

Result where(const Args& args)
{
    if (args.size() != 3) return std::nullopt;
    const auto first = broadcastDims(args[0].dims, args[1].dims);
    const auto dims = first ? broadcastDims(*first, args[2].dims) : std::nullopt;
    if (!dims || elements(*dims) > kMaxElements) return std::nullopt;
    Numbers out;
    out.type = args[1].type;
    out.dims = *dims;
    for (std::int64_t i = 0; i < elements(*dims); ++i) {
        const bool yes = args[0].integers[static_cast<std::size_t>(broadcastIndex(*dims, i, args[0].dims))] != 0;
        const Numbers& from = yes ? args[1] : args[2];
        out.push(from, broadcastIndex(*dims, i, from.dims));
    }
    return out;
}

Result cast(const OnnxCall& call, const Args& args)
{
    Numbers out = args[0];
    const std::int64_t to = call.getInt("to", 7);
    if (to != 1 && to != 6 && to != 7 && to != 9 && to != 11) return std::nullopt;
    out.type = to == 1 || to == 11 ? DType::Float32 : DType::Int64;
    for (std::size_t i = 0; i < out.reals.size(); ++i) {
        if (args[0].isReal()) out.integers[i] = static_cast<std::int64_t>(std::clamp(out.reals[i], -9e18, 9e18));
        if (to == 9) out.integers[i] = out.integers[i] != 0;
        if (to != 1 && to != 11) out.reals[i] = static_cast<double>(out.integers[i]);
        if (!out.sizes.empty()) out.sizes[i] = SizeExpr::apply(to == 1 ? SizeOp::ToSingle : to == 11 ? SizeOp::ToDouble : SizeOp::ToInt, {args[0].expr(i)});
    }
    return out;
}

Result reduceProduct(const Args& args)
{
    std::int64_t total = 1;
    for (const std::int64_t value : args[0].integers) total = saturatingMul(total, value);
    if (args[0].isReal() || args[0].dims.size() != 1) return std::nullopt;
    Numbers out;
    out.push(static_cast<double>(total), total);
    if (args[0].follows()) {
        SizeExpr product(1);
        for (std::size_t i = 0; i < args[0].integers.size(); ++i) product = SizeExpr::apply(SizeOp::Mul, {product, args[0].expr(i)});
        out.sizes.back() = product;
    }
    return out;
}

Result arithmetic(const std::string& type, const Args& args)
{
    using I = std::int64_t;
    if (type == "Add") return binary(SizeOp::Add, args, std::plus<>(), [](I a, I b) { return checkedAdd(a, b); });
    if (type == "Sub") return binary(SizeOp::Sub, args, std::minus<>(), [](I a, I b) { return b == std::numeric_limits<I>::min() ? std::nullopt : checkedAdd(a, -b); });
    if (type == "Mul") return binary(SizeOp::Mul, args, std::multiplies<>(), [](I a, I b) { return checkedMul(a, b); });
    if (type == "Div") return binary(SizeOp::Div, args, std::divides<>(), [](I a, I b) { return b == 0 || b == -1 ? std::nullopt : std::optional<I>(a / b); });
    if (type == "Mod") return binary(SizeOp::Mod, args, [](double a, double b) { return std::fmod(a, b); }, [](I a, I b) { return b <= 0 ? std::nullopt : std::optional<I>(a - floorDiv(a, b) * b); });
    if (type == "Equal") return binary(SizeOp::Equal, args, [](double a, double b) { return double(a == b); }, [](I a, I b) { return std::optional<I>(a == b); }, false);
    if (type == "Greater") return binary(SizeOp::Less, {args[1], args[0]}, [](double a, double b) { return double(a < b); }, [](I a, I b) { return std::optional<I>(a < b); }, false);
    if (type == "Less") return binary(SizeOp::Less, args, [](double a, double b) { return double(a < b); }, [](I a, I b) { return std::optional<I>(a < b); }, false);
    if (type == "Floor") return unary(SizeOp::Floor, args, [](double a) { return std::floor(a); });
    if (type == "Ceil") return unary(SizeOp::Ceil, args, [](double a) { return std::ceil(a); });
    if (type == "Neg") return unary(SizeOp::Neg, args, [](double a) { return -a; });
    if (type == "Sqrt") return unary(SizeOp::Sqrt, args, [](double a) { return std::sqrt(a); });
    return std::nullopt;
}

Result evaluate(const OnnxCall& call, const Args& args)
{
    const std::string& type = call.type;
    if (args.empty()) return std::nullopt;
    if (type == "Gather") return gather(call, args);
    if (type == "Concat") return concat(call, args);
    if (type == "Transpose") return permuted(call, args);
    if (type == "Slice") return sliced(call, args);
    if (type == "Reshape") return reshaped(call, args);
    if (type == "Unsqueeze") return unsqueezed(call, args);
    if (type == "Squeeze") return squeezed(call, args);
    if (type == "Expand") return expanded(args);
    if (type == "ConstantOfShape") return filled(call, args);
    if (type == "Range") return range(args);
    if (type == "Where") return where(args);
    if (type == "Cast") return cast(call, args);
    if (type == "ReduceProd") return reduceProduct(args);
    if (type == "Identity") return args[0];
    return arithmetic(type, args);
}

}  // namespace

std::optional<Tensor> foldConstant(const OnnxCall& call, std::vector<SizeExpr>& sizes)
{
    if (call.args.empty()) return std::nullopt;
    Args args;
    for (const OnnxArg& arg : call.args) {
        if (arg.name.empty()) continue;
        auto numbers = numbersOf(arg);
        if (!numbers) return std::nullopt;
        args.push_back(std::move(*numbers));
    }
    const Result result = evaluate(call, args);
    if (!result) return std::nullopt;
    if (result->follows()) sizes = result->sizes;
    return tensorOf(*result);
}

}  // namespace fovea
