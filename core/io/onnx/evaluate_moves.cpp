// Operators that put elements elsewhere: one map of positions serves numbers and expressions alike.
#include "core/io/onnx/static_ops.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace fovea {

namespace {

Results identity(const Operands& in) { return only(view(in, 0, in.dims(0))); }

// Two outputs; a network that runs drops nothing.
Results dropout(const Operands& in)
{
    Result same = view(in, 0, in.dims(0));
    if (!same) return std::nullopt;
    std::vector<StaticValue> out{std::move(*same)};
    if (in.call.outputCount < 2) return out;
    Result mask = result(DType::Bool, in.dims(0), {}, [](Target& to) {
        for (std::int64_t i = 0; i < to.count(); ++i) to.put(i, std::int64_t{1});
    });
    if (!mask) return std::nullopt;
    out.push_back(std::move(*mask));
    return out;
}

// The product of `all` without the factors that `known` has too: what a -1 stands for.
Dim rest(Dims all, Dims known)
{
    for (auto factor = known.begin(); factor != known.end();) {
        const auto same = std::find_if(all.begin(), all.end(), [&](const Dim& dim) { return dim.sameAs(*factor); });
        if (same == all.end()) {
            ++factor;
            continue;
        }
        all.erase(same);
        factor = known.erase(factor);
    }
    Dim top(1), bottom(1);
    for (const Dim& dim : all) top = combined(SizeOp::Mul, top, dim);
    for (const Dim& dim : known) bottom = combined(SizeOp::Mul, bottom, dim);
    return bottom.size() == 0 ? Dim(0) : combined(SizeOp::Div, top, bottom);
}

Results reshape(const Operands& in)
{
    Dims target;
    if (const auto shape = in.call.getInts("shape"))
        for (const std::int64_t size : *shape) target.emplace_back(size);
    else if (in.has(1)) target = in.lengths(1);
    else return std::nullopt;
    const Dims from = in.dims(0);
    const bool copies = in.call.getInt("allowzero", 0) == 0;
    Dims known;
    int open = -1;
    for (std::size_t i = 0; i < target.size(); ++i) {
        if (target[i].size() == 0 && !target[i].follows() && copies) {
            if (i >= from.size()) return std::nullopt;
            target[i] = from[i];
        }
        if (target[i].size() == -1) open = static_cast<int>(i);
        else known.push_back(target[i]);
    }
    if (open >= 0) target[static_cast<std::size_t>(open)] = rest(from, known);
    return only(view(in, 0, target));
}

Results flatten(const Operands& in)
{
    const Dims from = in.dims(0);
    std::int64_t axis = in.call.getInt("axis", 1);
    if (axis < 0) axis += static_cast<std::int64_t>(from.size());
    if (axis < 0 || axis > static_cast<std::int64_t>(from.size())) return std::nullopt;
    Dim outer(1), inner(1);
    for (std::size_t i = 0; i < from.size(); ++i) {
        Dim& side = static_cast<std::int64_t>(i) < axis ? outer : inner;
        side = combined(SizeOp::Mul, side, from[i]);
    }
    return only(view(in, 0, {outer, inner}));
}

Results squeeze(const Operands& in)
{
    const Dims from = in.dims(0);
    const auto axes = in.list("axes", 1);
    Dims to;
    for (std::size_t i = 0; i < from.size(); ++i) {
        const bool named = axes && std::any_of(axes->begin(), axes->end(), [&](std::int64_t axis) { return axisOf(axis, from.size()) == static_cast<int>(i); });
        if (named && from[i].size() != 1) return std::nullopt;
        if (!named && (axes || from[i].size() != 1)) to.push_back(from[i]);
    }
    return only(view(in, 0, to));
}

Results unsqueeze(const Operands& in)
{
    auto axes = in.list("axes", 1);
    if (!axes) return std::nullopt;
    Dims to = in.dims(0);
    const std::size_t rank = to.size() + axes->size();
    for (std::int64_t& axis : *axes) {
        axis = axisOf(axis, rank);
        if (axis < 0) return std::nullopt;
    }
    std::sort(axes->begin(), axes->end());
    for (const std::int64_t axis : *axes) {
        if (axis > static_cast<std::int64_t>(to.size())) return std::nullopt;
        to.insert(to.begin() + axis, Dim(1));
    }
    return only(view(in, 0, to));
}

Results transpose(const Operands& in)
{
    const Dims from = in.dims(0);
    Ints order = in.call.getInts("perm").value_or(Ints{});
    if (order.empty())
        for (std::size_t i = from.size(); i-- > 0;) order.push_back(static_cast<std::int64_t>(i));
    if (order.size() != from.size()) return std::nullopt;
    const Ints steps = stridesOf(sizesOf(from));
    Dims to;
    Ints strides;
    std::vector<bool> taken(from.size());
    for (const std::int64_t axis : order) {
        const int at = axisOf(axis, from.size());
        if (at < 0 || taken[static_cast<std::size_t>(at)]) return std::nullopt;
        taken[static_cast<std::size_t>(at)] = true;
        to.push_back(from[static_cast<std::size_t>(at)]);
        strides.push_back(steps[static_cast<std::size_t>(at)]);
    }
    return only(strided(in, 0, to, strides, 0));
}

// One axis of a Slice.
struct Cut {
    std::int64_t from = 0;
    Dim length;
};

SizeExpr clamped(SizeExpr at, const SizeExpr& low, const SizeExpr& high)
{
    return SizeExpr::apply(SizeOp::Max, {SizeExpr::apply(SizeOp::Min, {std::move(at), high}), low});
}

// NumPy's rules. An end far outside stands for "all of it".
Cut cutOf(const Dim& size, const Dim& start, const Dim& end, std::int64_t step)
{
    const auto place = [&](std::int64_t at) {
        const std::int64_t inside = at < 0 ? saturatingAdd(at, size.size()) : at;
        return step > 0 ? std::clamp<std::int64_t>(inside, 0, size.size()) : std::clamp<std::int64_t>(inside, -1, size.size() - 1);
    };
    Cut out;
    out.from = step > 0 ? place(start.size()) : std::max<std::int64_t>(place(start.size()), 0);
    const std::int64_t to = place(end.size());
    const std::int64_t span = step > 0 ? to - out.from : out.from - to, by = std::abs(step);
    const std::int64_t length = span > 0 && size.size() > 0 ? (span - 1) / by + 1 : 0;
    if (!size.follows() && !start.follows() && !end.follows()) {
        out.length = Dim(length);
        return out;
    }
    const SizeExpr whole = size.expr(), last = SizeExpr::apply(SizeOp::Sub, {whole, 1});
    const auto symbolic = [&](const Dim& at) {
        const SizeExpr expr = at.expr();
        const SizeExpr inside = SizeExpr::apply(SizeOp::Where, {SizeExpr::apply(SizeOp::Less, {expr, 0}), SizeExpr::apply(SizeOp::Add, {whole, expr}), expr});
        return step > 0 ? clamped(inside, 0, whole) : clamped(inside, -1, last);
    };
    const bool far = !end.follows() && end.size() >= std::numeric_limits<std::int32_t>::max();
    const bool before = !end.follows() && end.size() <= std::numeric_limits<std::int32_t>::min();
    const SizeExpr first = !start.follows() && start.size() == 0 && step > 0 ? SizeExpr(0) : symbolic(start);
    const SizeExpr behind = step > 0 && far ? whole : step < 0 && before ? SizeExpr(-1) : symbolic(end);
    const SizeExpr units = step > 0 ? SizeExpr::apply(SizeOp::Sub, {behind, first}) : SizeExpr::apply(SizeOp::Sub, {first, behind});
    const SizeExpr steps = SizeExpr::apply(SizeOp::Div, {SizeExpr::apply(SizeOp::Add, {units, by - 1}), by});
    out.length = Dim(length, units.sameAs(whole) && by == 1 ? whole : SizeExpr::apply(SizeOp::Max, {steps, 0}));
    return out;
}

std::optional<Dims> bounds(const Operands& in, const char* attr, std::size_t arg)
{
    if (const auto list = in.call.getInts(attr)) return Dims(list->begin(), list->end());
    return in.has(arg) ? std::optional(in.lengths(arg)) : std::nullopt;
}

Results slice(const Operands& in)
{
    Dims dims = in.dims(0);
    const auto starts = bounds(in, "starts", 1), ends = bounds(in, "ends", 2);
    auto axes = in.list("axes", 3), steps = in.has(4) ? in.list("steps", 4) : std::nullopt;
    if (!starts || !ends || starts->size() != ends->size()) return std::nullopt;
    if (!axes) {
        axes = Ints(starts->size());
        std::iota(axes->begin(), axes->end(), 0);
    }
    if (!steps) steps = Ints(starts->size(), 1);
    if (axes->size() != starts->size() || steps->size() != starts->size()) return std::nullopt;
    Ints strides = stridesOf(sizesOf(dims));
    std::int64_t offset = 0;
    for (std::size_t i = 0; i < starts->size(); ++i) {
        const int axis = axisOf((*axes)[i], dims.size());
        const std::int64_t step = (*steps)[i];
        if (axis < 0 || step == 0 || step == std::numeric_limits<std::int64_t>::min()) return std::nullopt;
        const auto at = static_cast<std::size_t>(axis);
        const Cut cut = cutOf(dims[at], (*starts)[i], (*ends)[i], step);
        offset += cut.from * strides[at];
        // A step beyond the axis is never taken.
        strides[at] = cut.length.size() > 1 ? strides[at] * step : 0;
        dims[at] = cut.length;
    }
    return only(strided(in, 0, dims, strides, offset));
}

// Lengths of the parts of a Split.
std::optional<Dims> partsOf(const Operands& in, const Dim& size)
{
    if (const auto stated = bounds(in, "split", 1)) return stated;
    const std::int64_t count = in.call.getInt("num_outputs", in.call.outputCount);
    if (count < 1 || count > in.call.outputCount) return std::nullopt;
    const Dim each = combined(SizeOp::Div, combined(SizeOp::Add, size, count - 1), count);
    Dims out(static_cast<std::size_t>(count), each);
    // The last one may be smaller.
    out.back() = combined(SizeOp::Sub, size, combined(SizeOp::Mul, each, count - 1));
    if (!size.follows()) return out;
    return size.size() % count == 0 ? Dims(static_cast<std::size_t>(count), each) : out;
}

Results split(const Operands& in)
{
    const Dims dims = in.dims(0);
    const int axis = axisOf(in.call.getInt("axis", 0), dims.size());
    if (axis < 0) return std::nullopt;
    const auto at = static_cast<std::size_t>(axis);
    const auto parts = partsOf(in, dims[at]);
    if (!parts) return std::nullopt;
    const Ints strides = stridesOf(sizesOf(dims));
    std::vector<StaticValue> out;
    std::int64_t begin = 0;
    for (const Dim& part : *parts) {
        if (part.size() < 0 || part.size() > dims[at].size() - begin) return std::nullopt;
        Dims to = dims;
        to[at] = part;
        Result made = strided(in, 0, to, strides, begin * strides[at]);
        if (!made) return std::nullopt;
        out.push_back(std::move(*made));
        begin += part.size();
    }
    return out;
}

Results concat(const Operands& in)
{
    Dims to = in.dims(0);
    const int axis = axisOf(in.call.getInt("axis", in.call.opset < 4 ? 1 : 0), to.size());
    if (axis < 0) return std::nullopt;
    const auto at = static_cast<std::size_t>(axis);
    Ints begins;
    to[at] = Dim(0);
    for (std::size_t arg = 0; arg < in.count(); ++arg) {
        const Dims part = in.dims(arg);
        if (part.size() != to.size() || in.type(arg) != in.type(0)) return std::nullopt;
        for (std::size_t i = 0; i < to.size(); ++i) {
            if (i != at && part[i].size() != to[i].size()) return std::nullopt;
            if (i != at && part[i].follows()) to[i] = part[i];
        }
        begins.push_back(to[at].size());
        to[at] = combined(SizeOp::Add, to[at], part[at]);
    }
    const Ints dims = sizesOf(to);
    if (elementsOf(dims) < 0) return std::nullopt;
    const Along whole(dims, axis);
    return only(moved(in, 0, to, [whole, begins](std::int64_t i) {
        const std::int64_t inner = i % whole.inner, k = i / whole.inner % whole.size, outer = i / whole.inner / whole.size;
        std::size_t arg = begins.size() - 1;
        while (begins[arg] > k) --arg;
        while (arg + 1 < begins.size() && begins[arg + 1] <= k) ++arg;  // empty parts
        const std::int64_t part = (arg + 1 < begins.size() ? begins[arg + 1] : whole.size) - begins[arg];
        return Element{arg, (outer * part + k - begins[arg]) * whole.inner + inner};
    }));
}

Ints broadcastStrides(const Ints& to, const Ints& from)
{
    Ints out(to.size(), 0);
    const Ints strides = stridesOf(from);
    const std::size_t shift = to.size() - from.size();
    for (std::size_t i = 0; i < from.size(); ++i) out[i + shift] = from[i] == 1 ? 0 : strides[i];
    return out;
}

Results expand(const Operands& in)
{
    const auto to = broadcastDims(in.dims(0), in.lengths(1));
    if (!to) return std::nullopt;
    return only(strided(in, 0, *to, broadcastStrides(sizesOf(*to), in.tensor(0).dims), 0));
}

Results tile(const Operands& in)
{
    Dims to = in.dims(0);
    const Dims times = in.lengths(1);
    if (times.size() != to.size()) return std::nullopt;
    for (std::size_t i = 0; i < to.size(); ++i) {
        if (times[i].size() < 0) return std::nullopt;
        to[i] = combined(SizeOp::Mul, to[i], times[i]);
    }
    const Ints from = in.tensor(0).dims, dims = sizesOf(to), strides = stridesOf(from);
    return only(moved(in, 0, to, [from, dims, strides](std::int64_t i) {
        std::int64_t at = 0;
        for (std::size_t d = dims.size(); d-- > 0; i /= dims[d]) at += i % dims[d] % from[d] * strides[d];
        return Element{0, at};
    }));
}

// [n, c, h, w] cut and ordered anew: both ways of blocks are a reshape, a transpose and a reshape.
Results depthToSpace(const Operands& in)
{
    const Dims d = in.dims(0);
    const std::int64_t b = in.call.getInt("blocksize", 1);
    if (d.size() != 4 || b < 1 || b > 1'000'000 || d[1].size() % (b * b) != 0) return std::nullopt;
    const bool depthFirst = in.call.getText("mode", "DCR") == "DCR";
    const std::int64_t c = d[1].size() / (b * b), h = d[2].size(), w = d[3].size();
    const Dims to{d[0], Dim(c), combined(SizeOp::Mul, d[2], b), combined(SizeOp::Mul, d[3], b)};
    return only(moved(in, 0, to, [=](std::int64_t i) {
        const std::int64_t x = i % (w * b), y = i / (w * b) % (h * b), k = i / (w * b) / (h * b) % c, n = i / (w * b) / (h * b) / c;
        const std::int64_t block = y % b * b + x % b;
        const std::int64_t channel = depthFirst ? block * c + k : k * b * b + block;
        return Element{0, ((n * c * b * b + channel) * h + y / b) * w + x / b};
    }));
}

Results spaceToDepth(const Operands& in)
{
    const Dims d = in.dims(0);
    const std::int64_t b = in.call.getInt("blocksize", 1);
    if (d.size() != 4 || b < 1 || b > 1'000'000 || d[2].size() % b != 0 || d[3].size() % b != 0) return std::nullopt;
    const std::int64_t c = d[1].size(), h = d[2].size() / b, w = d[3].size() / b;
    const Dims to{d[0], combined(SizeOp::Mul, d[1], b * b), combined(SizeOp::Div, d[2], b), combined(SizeOp::Div, d[3], b)};
    return only(moved(in, 0, to, [=](std::int64_t i) {
        const std::int64_t x = i % w, y = i / w % h, k = i / w / h % (c * b * b), n = i / w / h / (c * b * b);
        const std::int64_t block = k / c;
        return Element{0, ((n * c + k % c) * h * b + y * b + block / b) * w * b + x * b + block % b};
    }));
}

// Position that a padded one shows; -1: none.
std::int64_t shown(std::int64_t at, std::int64_t size, const std::string& mode)
{
    if (at >= 0 && at < size) return at;
    if (mode == "constant" || size < 1) return -1;
    if (mode == "edge") return at < 0 ? 0 : size - 1;
    if (mode == "wrap") return (at % size + size) % size;
    const std::int64_t period = std::max<std::int64_t>(1, 2 * (size - 1));
    const std::int64_t folded = (at % period + period) % period;
    return folded < size ? folded : period - folded;
}

Results pad(const Operands& in)
{
    const Dims from = in.dims(0);
    const auto pads = bounds(in, in.call.opset < 2 ? "paddings" : "pads", 1);
    if (!pads || (in.has(2) && in.elements(2) != 1)) return std::nullopt;
    Ints axes(from.size());
    std::iota(axes.begin(), axes.end(), 0);
    if (in.has(3)) axes = in.tensor(3).integers();
    if (pads->size() != axes.size() * 2) return std::nullopt;
    Dims to = from;
    Ints before(from.size(), 0);
    for (std::size_t i = 0; i < axes.size(); ++i) {
        const int axis = axisOf(axes[i], from.size());
        if (axis < 0) return std::nullopt;
        const auto at = static_cast<std::size_t>(axis);
        before[at] = (*pads)[i].size();
        to[at] = combined(SizeOp::Add, to[at], combined(SizeOp::Add, (*pads)[i], (*pads)[i + axes.size()]));
        if (std::abs(before[at]) > std::int64_t{1} << 40) return std::nullopt;
    }
    const std::string mode = in.call.getText("mode", "constant");
    const Ints sizes = sizesOf(from), dims = sizesOf(to), strides = stridesOf(sizes);
    const auto from0 = [=](std::int64_t i) {
        std::int64_t at = 0;
        for (std::size_t d = dims.size(); d-- > 0; i /= dims[d]) {
            const std::int64_t place = shown(i % dims[d] - before[d], sizes[d], mode);
            if (place < 0) return std::int64_t{-1};
            at += place * strides[d];
        }
        return at;
    };
    if (!in.has(2) && in.call.getReal("value", 0) != 0) {
        const Tensor tensor = in.tensor(0);
        const double value = in.call.getReal("value", 0);
        return only(result(tensor.dtype, to, {tensor}, [tensor, from0, value](Target& target) {
            const Elements elements(tensor);
            for (std::int64_t i = 0; i < target.count(); ++i) {
                const std::int64_t at = from0(i);
                target.put(i, at < 0 ? value : elements.real(at));
            }
        }));
    }
    const bool filled = in.has(2) && in.type(2) == in.type(0);
    return only(moved(in, 0, to, [from0, filled](std::int64_t i) {
        const std::int64_t at = from0(i);
        return at < 0 && filled ? Element{2, 0} : Element{0, at};
    }));
}

Results where(const Operands& in)
{
    const auto first = broadcastDims(in.dims(0), in.dims(1));
    const auto to = first ? broadcastDims(*first, in.dims(2)) : std::nullopt;
    if (!to || in.type(1) != in.type(2)) return std::nullopt;
    const Ints dims = sizesOf(*to);
    const Broadcast condition(dims, in.tensor(0).dims), yes(dims, in.tensor(1).dims), no(dims, in.tensor(2).dims);
    const Tensor chosen = in.tensor(0);
    Result out = moved(in, 1, *to, [=](std::int64_t i) {
        return chosen.integer(condition.at(i)) != 0 ? Element{1, yes.at(i)} : Element{2, no.at(i)};
    });
    if (!out) return std::nullopt;
    // Which one it is may depend on the size itself.
    out->sizes.clear();
    setSizes(in, *out, [&](std::int64_t i) {
        return SizeExpr::apply(SizeOp::Where, {in.element(0, condition.at(i)), in.element(1, yes.at(i)), in.element(2, no.at(i))});
    });
    return only(std::move(out));
}

Results triangle(const Operands& in)
{
    const Dims dims = in.dims(0);
    if (dims.size() < 2 || (in.has(1) && in.elements(1) != 1)) return std::nullopt;
    const bool upper = in.call.getInt("upper", 1) != 0;
    const std::int64_t k = in.has(1) ? in.tensor(1).integer(0) : 0;
    const std::int64_t rows = dims[dims.size() - 2].size(), columns = dims.back().size();
    return only(moved(in, 0, dims, [=](std::int64_t i) {
        const std::int64_t distance = i % columns - i / columns % rows;
        return Element{0, (upper ? distance >= k : distance <= k) ? i : -1};
    }));
}

Results reverseSequence(const Operands& in)
{
    const Dims dims = in.dims(0);
    const std::int64_t time = in.call.getInt("time_axis", 0), batch = in.call.getInt("batch_axis", 1);
    if (dims.size() < 2 || time + batch != 1 || time * batch != 0 || in.elements(1) != dims[static_cast<std::size_t>(batch)].size()) return std::nullopt;
    const Ints sizes = sizesOf(dims), lengths = in.tensor(1).integers();
    const std::int64_t inner = elementsOf(Ints(sizes.begin() + 2, sizes.end()));
    return only(moved(in, 0, dims, [=](std::int64_t i) {
        const std::int64_t rest = i % inner, second = i / inner % sizes[1], first = i / inner / sizes[1];
        const std::int64_t t = time == 0 ? first : second, b = time == 0 ? second : first;
        const std::int64_t length = lengths[static_cast<std::size_t>(b)];
        const std::int64_t from = t < length ? length - 1 - t : t;
        if (from >= sizes[static_cast<std::size_t>(time)]) return Element{0, -1};
        return Element{0, ((time == 0 ? from : b) * sizes[1] + (time == 0 ? b : from)) * inner + rest};
    }));
}

}  // namespace

std::span<const StaticOp> movingOps()
{
    static constexpr StaticOp ops[] = {
        {"Identity", identity}, {"Dropout", dropout},     {"Reshape", reshape},     {"Flatten", flatten},
        {"Squeeze", squeeze},   {"Unsqueeze", unsqueeze}, {"Transpose", transpose}, {"Slice", slice},
        {"Split", split},       {"Concat", concat, -1},       {"Expand", expand, 2},       {"Tile", tile, 2},
        {"DepthToSpace", depthToSpace}, {"SpaceToDepth", spaceToDepth}, {"Pad", pad}, {"Where", where, 3},
        {"Trilu", triangle},    {"ReverseSequence", reverseSequence, 2}};
    return ops;
}

}  // namespace fovea
