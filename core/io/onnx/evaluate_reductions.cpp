// Operators that make one number of many.
#include "core/io/onnx/static_ops.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace fovea {

namespace {

enum class Kind { Sum, Mean, Prod, Max, Min, L1, L2, LogSum, LogSumExp, SumSquare };

struct Row {
    std::string_view type;
    Kind kind;
};
constexpr Row kRows[] = {{"ReduceSum", Kind::Sum},       {"ReduceMean", Kind::Mean},   {"ReduceProd", Kind::Prod},     {"ReduceMax", Kind::Max},
                         {"ReduceMin", Kind::Min},       {"ReduceL1", Kind::L1},       {"ReduceL2", Kind::L2},         {"ReduceLogSum", Kind::LogSum},
                         {"ReduceLogSumExp", Kind::LogSumExp}, {"ReduceSumSquare", Kind::SumSquare}};

double startOf(Kind kind)
{
    const double infinite = std::numeric_limits<double>::infinity();
    return kind == Kind::Prod ? 1 : kind == Kind::Max || kind == Kind::LogSumExp ? -infinite : kind == Kind::Min ? infinite : 0;
}

double joined(Kind kind, double all, double x)
{
    switch (kind) {
    case Kind::Prod: return all * x;
    case Kind::Max: return std::max(all, x);
    case Kind::Min: return std::min(all, x);
    case Kind::L1: return all + std::abs(x);
    case Kind::L2:
    case Kind::SumSquare: return all + x * x;
    case Kind::LogSumExp: {
        const double high = std::max(all, x);
        return std::isinf(high) ? high : high + std::log(std::exp(all - high) + std::exp(x - high));
    }
    default: return all + x;
    }
}

double finished(Kind kind, double all, double count)
{
    switch (kind) {
    case Kind::Mean: return all / count;
    case Kind::L2: return std::sqrt(all);
    case Kind::LogSum: return std::log(all);
    default: return all;
    }
}

// Which result each input element goes into, per dimension of the input: stride in the result, 0 where it goes.
struct Reduction {
    Dims to;
    Ints from, strides;

    std::int64_t target(std::int64_t index) const
    {
        std::int64_t out = 0;
        for (std::size_t d = from.size(); d-- > 0; index /= from[d]) out += index % from[d] * strides[d];
        return out;
    }
};

std::optional<Reduction> reductionOf(const Operands& in)
{
    const Dims dims = in.dims(0);
    const auto axes = in.list("axes", 1);
    std::vector<bool> gone(dims.size(), !axes || axes->empty());
    if ((!axes || axes->empty()) && in.call.getInt("noop_with_empty_axes", 0) != 0) gone.assign(dims.size(), false);
    for (const std::int64_t axis : axes.value_or(Ints{})) {
        const int at = axisOf(axis, dims.size());
        if (at < 0) return std::nullopt;
        gone[static_cast<std::size_t>(at)] = true;
    }
    const bool keeps = in.call.getInt("keepdims", 1) != 0;
    Reduction out;
    out.from = sizesOf(dims);
    Ints kept;
    for (std::size_t i = 0; i < dims.size(); ++i) {
        kept.push_back(gone[i] ? 1 : dims[i].size());
        if (!gone[i]) out.to.push_back(dims[i]);
        else if (keeps) out.to.emplace_back(1);
    }
    out.strides = stridesOf(kept);
    for (std::size_t i = 0; i < dims.size(); ++i)
        if (gone[i]) out.strides[i] = 0;
    return out;
}

SizeOp expressionOf(Kind kind)
{
    return kind == Kind::Sum ? SizeOp::Add : kind == Kind::Prod ? SizeOp::Mul : kind == Kind::Max ? SizeOp::Max : kind == Kind::Min ? SizeOp::Min : SizeOp::Where;
}

std::vector<SizeExpr> joinedExpressions(const Operands& in, const Reduction& reduction, SizeOp op)
{
    const std::int64_t count = in.elements(0);
    if (op == SizeOp::Where || count > kMaxExpressions) return {};
    std::vector<std::optional<SizeExpr>> all(static_cast<std::size_t>(elementsOf(reduction.to)));
    for (std::int64_t i = 0; i < count; ++i) {
        auto& one = all[static_cast<std::size_t>(reduction.target(i))];
        one = one ? SizeExpr::apply(op, {*one, in.element(0, i)}) : in.element(0, i);
    }
    std::vector<SizeExpr> out;
    for (const auto& one : all) out.push_back(one.value_or(SizeExpr()));
    return out;
}

// Whole numbers stay whole: their sum must be exact beyond 2^53.
std::int64_t joined(Kind kind, std::int64_t all, std::int64_t x)
{
    const auto a = static_cast<std::uint64_t>(all), b = static_cast<std::uint64_t>(x);
    switch (kind) {
    case Kind::Prod: return static_cast<std::int64_t>(a * b);
    case Kind::Max: return std::max(all, x);
    case Kind::Min: return std::min(all, x);
    case Kind::L1: return static_cast<std::int64_t>(a + (x < 0 ? 0 - b : b));
    case Kind::SumSquare: return static_cast<std::int64_t>(a + b * b);
    default: return static_cast<std::int64_t>(a + b);
    }
}

std::int64_t wholeStart(Kind kind)
{
    return kind == Kind::Prod ? 1 : kind == Kind::Max ? std::numeric_limits<std::int64_t>::min() : kind == Kind::Min ? std::numeric_limits<std::int64_t>::max() : 0;
}

template <typename Number>
void reduceInto(Target& to, Kind kind, const Reduction& reduction, std::int64_t count, Number start, const auto& element)
{
    std::vector<Number> all(static_cast<std::size_t>(to.count()), start);
    for (std::int64_t i = 0; i < count; ++i) {
        Number& one = all[static_cast<std::size_t>(reduction.target(i))];
        one = joined(kind, one, element(i));
    }
    const double each = all.empty() ? 1 : static_cast<double>(count) / static_cast<double>(all.size());
    for (std::int64_t i = 0; i < to.count(); ++i) {
        const Number one = all[static_cast<std::size_t>(i)];
        const bool plain = kind != Kind::Mean && kind != Kind::L2 && kind != Kind::LogSum;
        if (plain) to.put(i, one);
        else to.put(i, finished(kind, static_cast<double>(one), each));
    }
}

Result reduced(const Operands& in, Kind kind, const Reduction& reduction)
{
    const Tensor from = in.tensor(0);
    const bool real = isFloating(from.dtype) || kind == Kind::LogSumExp || kind == Kind::L2 || kind == Kind::LogSum;
    Result out = result(from.dtype, reduction.to, {from}, [=](Target& to) {
        const Elements elements(from);
        if (real) reduceInto(to, kind, reduction, from.elements(), startOf(kind), [&](std::int64_t i) { return elements.real(i); });
        else reduceInto(to, kind, reduction, from.elements(), wholeStart(kind), [&](std::int64_t i) { return elements.whole(i); });
    });
    if (!out) return out;
    const auto sizes = in.follows(0) ? joinedExpressions(in, reduction, expressionOf(kind)) : std::vector<SizeExpr>();
    setSizes(in, *out, [&](std::int64_t i) { return sizes.empty() ? SizeExpr() : sizes[static_cast<std::size_t>(i)]; });
    return out;
}

Results reduce(const Operands& in)
{
    const auto row = std::find_if(std::begin(kRows), std::end(kRows), [&](const Row& r) { return r.type == in.call.type; });
    const auto reduction = reductionOf(in);
    return reduction ? only(reduced(in, row->kind, *reduction)) : std::nullopt;
}

// Over every dimension behind the channels.
Results pooled(const Operands& in)
{
    const Dims dims = in.dims(0);
    if (dims.size() < 3) return std::nullopt;
    Reduction reduction;
    reduction.from = sizesOf(dims);
    reduction.to = Dims(dims.size(), Dim(1));
    reduction.to[0] = dims[0];
    reduction.to[1] = dims[1];
    reduction.strides = Ints(dims.size(), 0);
    reduction.strides[0] = dims[1].size();
    reduction.strides[1] = 1;
    return only(reduced(in, in.call.type == "GlobalMaxPool" ? Kind::Max : Kind::Mean, reduction));
}

Results extreme(const Operands& in)
{
    const Dims dims = in.dims(0);
    const int axis = axisOf(in.call.getInt("axis", 0), dims.size());
    if (axis < 0) return std::nullopt;
    const bool largest = in.call.type == "ArgMax", last = in.call.getInt("select_last_index", 0) != 0;
    Dims to = dims;
    if (in.call.getInt("keepdims", 1) != 0) to[static_cast<std::size_t>(axis)] = Dim(1);
    else to.erase(to.begin() + axis);
    const Along along(sizesOf(dims), axis);
    const Tensor from = in.tensor(0);
    return only(result(DType::Int64, to, {from}, [=](Target& target) {
        const Elements elements(from);
        for (std::int64_t i = 0; i < target.count(); ++i) {
            std::int64_t best = 0;
            for (std::int64_t k = 1; k < along.size; ++k) {
                const double x = elements.real(along.at(i / along.inner, k, i % along.inner)), held = elements.real(along.at(i / along.inner, best, i % along.inner));
                if ((largest ? x > held : x < held) || (last && x == held)) best = k;
            }
            target.put(i, best);
        }
    }));
}

constexpr auto allOps()
{
    std::array<StaticOp, std::size(kRows) + 4> ops{};
    std::size_t at = 0;
    for (const Row& row : kRows) ops[at++] = {row.type, reduce};
    for (const char* type : {"GlobalAveragePool", "GlobalMaxPool"}) ops[at++] = {type, pooled};
    for (const char* type : {"ArgMax", "ArgMin"}) ops[at++] = {type, extreme, 1, true};
    return ops;
}

}  // namespace

std::span<const StaticOp> reducingOps()
{
    static constexpr auto table = allOps();
    return table;
}

}  // namespace fovea
