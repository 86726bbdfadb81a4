#include "core/io/onnx/static_ops.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace fovea {

namespace {

constexpr std::int64_t kMaxBytes = std::int64_t{1} << 30;  // of one result
constexpr std::size_t kMaxRank = 32;

}  // namespace

Dim combined(SizeOp op, const Dim& a, const Dim& b)
{
    const SizeNumber numbers[2] = {SizeNumber::of(a.size()), SizeNumber::of(b.size())};
    const auto now = compute(op, numbers);
    const std::int64_t size = now ? now->integer : kUnknown;
    return a.follows() || b.follows() ? Dim(size, SizeExpr::apply(op, {a.expr(), b.expr()})) : Dim(size);
}

Ints sizesOf(const Dims& dims)
{
    Ints out;
    for (const Dim& dim : dims) out.push_back(dim.size());
    return out;
}

bool anyFollows(const Dims& dims)
{
    return std::any_of(dims.begin(), dims.end(), [](const Dim& dim) { return dim.follows(); });
}

std::int64_t elementsOf(const Ints& dims)
{
    std::int64_t count = 1;
    for (const std::int64_t dim : dims) {
        if (dim < 0) return kUnknown;
        count = saturatingMul(count, dim);
    }
    return count;
}

std::int64_t elementsOf(const Dims& dims) { return elementsOf(sizesOf(dims)); }

Ints stridesOf(const Ints& dims)
{
    Ints out(dims.size(), 1);
    for (std::size_t i = dims.size(); i-- > 1;) out[i - 1] = saturatingMul(out[i], dims[i]);
    return out;
}

int axisOf(std::int64_t axis, std::size_t rank)
{
    if (axis < 0) axis += static_cast<std::int64_t>(rank);
    return axis >= 0 && axis < static_cast<std::int64_t>(rank) ? static_cast<int>(axis) : -1;
}

Dims Operands::dims(std::size_t arg) const
{
    const auto& sizes = tensor(arg).dims;
    const auto& lengths = call.args[arg].lengths;
    Dims out;
    for (std::size_t i = 0; i < sizes.size(); ++i)
        out.push_back(lengths.size() == sizes.size() ? Dim(sizes[i], lengths[i]) : Dim(sizes[i]));
    return out;
}

bool Operands::anyFollows() const
{
    return std::any_of(call.args.begin(), call.args.end(), [](const OnnxArg& arg) { return !arg.sizes.empty(); });
}

SizeExpr Operands::element(std::size_t arg, std::int64_t index) const
{
    const OnnxArg& from = call.args[arg];
    if (!from.sizes.empty()) return from.sizes[static_cast<std::size_t>(index)];
    const Tensor& numbers = *from.constant;
    if (!isFloating(numbers.dtype)) return SizeExpr(numbers.integer(index));
    return SizeExpr(SizeNumber::of(numbers.real(index), numberType(numbers.dtype)));
}

Dims Operands::lengths(std::size_t arg) const
{
    Dims out;
    for (std::int64_t i = 0; i < elements(arg); ++i) {
        const std::int64_t now = tensor(arg).integer(i);
        out.push_back(follows(arg) ? Dim(now, element(arg, i)) : Dim(now));
    }
    return out;
}

std::optional<Ints> Operands::list(std::string_view attr, std::size_t arg) const
{
    if (auto list = call.getInts(attr)) return list;
    return has(arg) ? std::optional(tensor(arg).integers()) : std::nullopt;
}

std::optional<std::int64_t> Operands::whole(std::size_t arg) const
{
    return has(arg) && elements(arg) == 1 ? std::optional(tensor(arg).integer(0)) : std::nullopt;
}

void Target::putCut(std::int64_t index, double value)
{
    // What does not fit is not defined by ONNX; the nearest that does is as good as any.
    const double bounded = std::isnan(value) ? 0 : std::clamp(value, -9.2e18, 9.2e18);
    if (m_type == DType::Bool) put(index, std::int64_t{value != 0});
    else if (m_type == DType::UInt64 && value >= 9.2e18) put(index, static_cast<std::int64_t>(static_cast<std::uint64_t>(std::min(value, 1.8e19))));
    else put(index, static_cast<std::int64_t>(bounded));
}

Result result(DType type, const Dims& dims, const std::vector<Tensor>& reads, Fill fill)
{
    const std::int64_t count = elementsOf(dims);
    if (count < 0 || dims.size() > kMaxRank || saturatingMul(count, static_cast<std::int64_t>(byteSize(type))) > kMaxBytes) return std::nullopt;
    int depth = 0;
    for (const Tensor& tensor : reads) depth = std::max(depth, tensor.bytes.pending());
    StaticValue out;
    out.tensor = Tensor::later(
        type, sizesOf(dims),
        [type, fill = std::move(fill)](std::span<std::byte> bytes) {
            Target to(type, bytes);
            fill(to);
        },
        depth);
    if (anyFollows(dims))
        for (const Dim& dim : dims) out.lengths.push_back(dim.expr());
    return out;
}

Result result(DType type, const Dims& dims, std::initializer_list<Tensor> reads, Fill fill)
{
    return result(type, dims, std::vector<Tensor>(reads), std::move(fill));
}

Result view(const Operands& in, std::size_t arg, const Dims& dims)
{
    if (elementsOf(dims) != in.elements(arg)) return std::nullopt;
    StaticValue out;
    out.tensor = in.tensor(arg);
    out.tensor.dims = sizesOf(dims);
    out.uniform = in.call.args[arg].uniform;
    if (anyFollows(dims))
        for (const Dim& dim : dims) out.lengths.push_back(dim.expr());
    else out.sizes = in.call.args[arg].sizes;
    return out;
}

Results only(Result value)
{
    if (!value) return std::nullopt;
    std::vector<StaticValue> out;
    out.push_back(std::move(*value));
    return out;
}

void setSizes(const Operands& in, StaticValue& value, const std::function<SizeExpr(std::int64_t)>& element)
{
    const std::int64_t count = value.tensor.elements();
    if (!in.anyFollows() || !value.lengths.empty() || count > kMaxExpressions) return;
    bool follows = false;
    for (std::int64_t i = 0; i < count; ++i) {
        value.sizes.push_back(element(i));
        follows = follows || !value.sizes.back().number();
    }
    if (!follows) value.sizes.clear();
}

Result moved(const Operands& in, std::size_t like, const Dims& dims, ElementMap from)
{
    std::vector<Tensor> tensors;
    for (const OnnxArg& arg : in.call.args) tensors.push_back(arg.constant ? *arg.constant : Tensor{});
    const std::size_t step = byteSize(in.type(like));
    Result out = result(in.type(like), dims, tensors, [tensors, step, from](Target& to) {
        std::vector<const std::byte*> bases;
        for (const Tensor& tensor : tensors) bases.push_back(tensor.bytes.data());
        for (std::int64_t i = 0; i < to.count(); ++i) {
            const Element e = from(i);
            if (e.at >= 0) std::memcpy(to.at(i), bases[e.arg] + static_cast<std::size_t>(e.at) * step, step);
        }
    });
    if (!out) return out;
    setSizes(in, *out, [&](std::int64_t i) {
        const Element e = from(i);
        if (e.at >= 0) return in.element(e.arg, e.at);
        return isFloating(in.type(like)) ? SizeExpr(SizeNumber::of(0.0, numberType(in.type(like)))) : SizeExpr(0);
    });
    return out;
}

namespace {

// Positions of a strided walk in row-major order.
template <typename Visit>
void walk(const Ints& dims, const Ints& strides, std::int64_t start, const Visit& visit)
{
    const std::int64_t count = elementsOf(dims);
    Ints index(dims.size(), 0);
    std::int64_t at = start;
    for (std::int64_t i = 0; i < count; ++i) {
        visit(i, at);
        for (std::size_t d = dims.size(); d-- > 0;) {
            at += strides[d];
            if (++index[d] < dims[d]) break;
            at -= strides[d] * dims[d];
            index[d] = 0;
        }
    }
}

}  // namespace

Result strided(const Operands& in, std::size_t arg, const Dims& dims, const Ints& strides, std::int64_t start)
{
    const Tensor tensor = in.tensor(arg);
    const Ints sizes = sizesOf(dims);
    const std::size_t step = byteSize(tensor.dtype);
    Result out = result(tensor.dtype, dims, {tensor}, [tensor, sizes, strides, start, step](Target& to) {
        const std::byte* base = tensor.bytes.data();
        walk(sizes, strides, start, [&](std::int64_t i, std::int64_t at) {
            std::memcpy(to.at(i), base + static_cast<std::size_t>(at) * step, step);
        });
    });
    if (!out) return out;
    out->uniform = in.call.args[arg].uniform;
    if (in.follows(arg) && out->lengths.empty() && out->tensor.elements() <= kMaxExpressions) {
        walk(sizes, strides, start, [&](std::int64_t, std::int64_t at) { out->sizes.push_back(in.element(arg, at)); });
        if (std::all_of(out->sizes.begin(), out->sizes.end(), [](const SizeExpr& e) { return e.number().has_value(); })) out->sizes.clear();
    }
    return out;
}

std::optional<Dims> broadcastDims(const Dims& a, const Dims& b)
{
    Dims out = a.size() >= b.size() ? a : b;
    const Dims& other = a.size() >= b.size() ? b : a;
    const std::size_t shift = out.size() - other.size();
    for (std::size_t i = 0; i < other.size(); ++i) {
        Dim& dim = out[i + shift];
        const bool one = dim.size() == 1 && (!dim.follows() || other[i].size() != 1);
        if (one) dim = other[i];
        else if (other[i].size() != 1 && other[i].size() != dim.size()) return std::nullopt;
        // Of two that agree here, the one that follows sizes says more than a number does.
        else if (other[i].size() != 1 && other[i].follows() && !dim.follows()) dim = other[i];
    }
    return out;
}

Broadcast::Broadcast(const Ints& to, const Ints& from) : m_same(to == from), m_dims(to), m_strides(to.size(), 0)
{
    if (from.size() > to.size()) return;
    const Ints strides = stridesOf(from);
    const std::size_t shift = to.size() - from.size();
    for (std::size_t i = 0; i < from.size(); ++i) m_strides[i + shift] = from[i] == 1 ? 0 : strides[i];
}

Along::Along(const Ints& dims, int axis)
{
    for (std::size_t i = 0; i < dims.size(); ++i) {
        std::int64_t& part = static_cast<int>(i) < axis ? outer : static_cast<int>(i) == axis ? size : inner;
        part *= dims[i];
    }
}

}  // namespace fovea
