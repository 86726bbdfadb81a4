#include "core/analysis/fields.h"

#include <algorithm>
#include <numeric>
#include <optional>

namespace fovea {

namespace {

// Longer periods than this, and more jumps than that, are given up as approximate.
constexpr std::int64_t kMaxPeriod = 4096;
constexpr std::size_t kMaxStrands = 16;

std::int64_t modulo(std::int64_t a, std::int64_t b) { return a - floorDiv(a, b) * b; }

}  // namespace

std::int64_t PeriodicField::lowAt(std::int64_t unit) const
{
    const std::int64_t p = period();
    return saturatingAdd(low[static_cast<std::size_t>(modulo(unit, p))], saturatingMul(advance, floorDiv(unit, p)));
}

std::int64_t PeriodicField::highAt(std::int64_t unit) const
{
    const std::int64_t p = period();
    return saturatingAdd(high[static_cast<std::size_t>(modulo(unit, p))], saturatingMul(advance, floorDiv(unit, p)));
}

std::int64_t PeriodicField::extent() const
{
    std::int64_t largest = 0;
    for (std::size_t i = 0; i < low.size(); ++i) largest = std::max(largest, high[i] - low[i] + 1);
    return largest;
}

namespace {

// The units [first, last] that unit u reads.
struct Range {
    std::int64_t first, last;
};

// The same field with the shortest period.
void reduce(PeriodicField& field)
{
    for (std::int64_t prime = 2; prime <= field.period();) {
        const std::int64_t shorter = field.period() / prime;
        bool repeats = field.period() % prime == 0 && field.advance % prime == 0;
        for (std::int64_t i = 0; repeats && i + shorter < field.period(); ++i) {
            const auto here = static_cast<std::size_t>(i), there = static_cast<std::size_t>(i + shorter);
            repeats = field.low[there] - field.low[here] == field.advance / prime && field.high[there] - field.high[here] == field.advance / prime;
        }
        if (!repeats) {
            ++prime;
            continue;
        }
        field.low.resize(static_cast<std::size_t>(shorter));
        field.high.resize(static_cast<std::size_t>(shorter));
        field.advance /= prime;
    }
}

// Unit u of the new field reads units reads(u) of the old one; over `period` units it advances `inputs` of them.
template <typename Reads>
std::optional<PeriodicField> compose(const PeriodicField& in, std::int64_t period, std::int64_t inputs, Reads reads)
{
    // Enough repetitions that the old period fits too.
    const std::int64_t repeat = in.period() / std::gcd(in.period(), inputs);
    const std::int64_t length = saturatingMul(period, repeat);
    if (length > kMaxPeriod) return std::nullopt;
    PeriodicField out;
    out.advance = saturatingMul(in.advance, saturatingMul(inputs, repeat) / in.period());
    for (std::int64_t u = 0; u < length; ++u) {
        const Range range = reads(u);
        out.low.push_back(in.lowAt(range.first));
        out.high.push_back(in.highAt(std::max(range.first, range.last)));
    }
    reduce(out);
    return out;
}

// Position on the input's grid of output unit u, times 2 * scale.num().
std::int64_t centre(const AxisReach& r, std::int64_t u)
{
    const std::int64_t num = r.scale.num(), den = r.scale.den();
    return r.mode == CoordinateMode::HalfPixel ? (2 * u + 1) * den - num : 2 * u * den;
}

Range resizeRange(const AxisReach& r, std::int64_t u)
{
    if (r.taps == 1) {
        const std::int64_t at = floorDiv(u * r.scale.den(), r.scale.num());
        return {at, at};
    }
    const std::int64_t at = floorDiv(centre(r, u), 2 * r.scale.num());
    return r.taps == 2 ? Range{at, at + 1} : Range{at - 1, at + 2};
}

std::optional<PeriodicField> composeReach(const PeriodicField& in, const AxisReach& r)
{
    switch (r.kind) {
    case ReachKind::Window:
        return compose(in, 1, r.stride, [&](std::int64_t u) {
            const std::int64_t first = r.stride * u - r.padBegin;
            return Range{first, first + r.effectiveKernel() - 1};
        });
    case ReachKind::Crop:
        if (r.step < 1) return std::nullopt;
        return compose(in, 1, r.step, [&](std::int64_t u) { return Range{r.step * u + r.offset, r.step * u + r.offset}; });
    case ReachKind::Block:
        return compose(in, 1, r.stride, [&](std::int64_t u) { return Range{r.stride * u, r.stride * u + r.block - 1}; });
    case ReachKind::Transposed:
        return compose(in, r.stride, 1, [&](std::int64_t u) {
            return Range{ceilDiv(u + r.padBegin - r.effectiveKernel() + 1, r.stride), floorDiv(u + r.padBegin, r.stride)};
        });
    case ReachKind::Resize:
        if (r.scale.num() < 1 || r.scale.num() > kMaxPeriod || r.scale.den() > kMaxPeriod) return std::nullopt;
        return compose(in, r.scale.num(), r.scale.den(), [&](std::int64_t u) { return resizeRange(r, u); });
    case ReachKind::Same:
    case ReachKind::Global:
    case ReachKind::Unknown: break;
    }
    return std::nullopt;
}

Rational jumpBehind(Rational jump, const AxisReach& r)
{
    switch (r.kind) {
    case ReachKind::Window: return jump * Rational(r.stride);
    case ReachKind::Crop: return jump * Rational(std::abs(r.step));
    case ReachKind::Block: return jump * Rational(r.stride);
    case ReachKind::Transposed: return jump / Rational(std::max<std::int64_t>(r.stride, 1));
    case ReachKind::Resize: return jump / r.scale;
    case ReachKind::Same:
    case ReachKind::Global:
    case ReachKind::Unknown: break;
    }
    return jump;
}

// The formula for uniform layers; for a broken resize it holds on average.
Strand stepStrand(const Strand& in, const AxisReach& r)
{
    Strand out = in;
    out.jump = jumpBehind(in.jump, r);
    const auto pixels = [&](std::int64_t units) { return (Rational(units) * in.jump).ceil(); };
    switch (r.kind) {
    case ReachKind::Window: {
        const std::int64_t reach = r.effectiveKernel() - 1;
        out.low = saturatingAdd(in.low, -pixels(r.padBegin));
        out.high = saturatingAdd(in.high, pixels(reach - r.padBegin));
        out.smallest = saturatingAdd(in.smallest, pixels(reach));
        break;
    }
    case ReachKind::Crop:
        out.low = saturatingAdd(in.low, pixels(r.offset));
        out.high = saturatingAdd(in.high, pixels(r.offset));
        break;
    case ReachKind::Block: out.high = saturatingAdd(in.high, pixels(r.block - 1)); break;
    case ReachKind::Transposed: {
        const std::int64_t first = ceilDiv(r.padBegin - r.effectiveKernel() + 1, r.stride), last = floorDiv(r.padBegin, r.stride);
        out.low = saturatingAdd(in.low, pixels(first));
        out.high = saturatingAdd(in.high, pixels(std::max(first, last)));
        out.smallest = saturatingAdd(in.smallest, pixels(std::max<std::int64_t>(0, last - first)));
        break;
    }
    case ReachKind::Resize:
        out.high = saturatingAdd(in.high, pixels(r.taps - 1));
        out.smallest = saturatingAdd(in.smallest, pixels(r.taps - 1));
        break;
    case ReachKind::Same:
    case ReachKind::Global:
    case ReachKind::Unknown: break;
    }
    return out;
}

// Drops strands that are worse for the smallest field and inside another for the largest.
void prune(std::vector<Strand>& strands)
{
    const auto covered = [&](const Strand& a) {
        bool forSmallest = false, forLargest = false;
        for (const Strand& b : strands) {
            if (&a == &b || a == b) continue;
            forSmallest = forSmallest || (b.jump <= a.jump && b.smallest <= a.smallest);
            forLargest = forLargest || (b.jump >= a.jump && b.low <= a.low && b.high >= a.high);
        }
        return forSmallest && forLargest;
    };
    std::vector<Strand> kept;
    for (const Strand& strand : strands)
        if (!covered(strand)) kept.push_back(strand);
    strands = std::move(kept);
}

std::vector<Strand> strandsOf(const AxisField& field)
{
    return field.strands() ? *field.strands() : std::vector<Strand>{field.main};
}

void setStrands(AxisField& field, std::vector<Strand> strands)
{
    if (strands.size() > kMaxStrands) {
        strands.resize(kMaxStrands);
        field.approximate = true;
    }
    field.main = *std::min_element(strands.begin(), strands.end(), [](const Strand& a, const Strand& b) { return a.jump < b.jump; });
    field.detail = strands.size() > 1 ? std::make_shared<const FieldDetail>(FieldDetail{std::move(strands), {}, {}}) : nullptr;
}

PeriodicField uniform(const Strand& strand, std::int64_t extent)
{
    return {{strand.low}, {strand.low + extent - 1}, strand.jump.num()};
}

// Four numbers where the period has become one unit.
void setPeriodic(AxisField& field, PeriodicField hull, PeriodicField shortest)
{
    field.main = {hull.jump(), hull.low[0], hull.high[0], shortest.extent()};
    const bool uniformNow = hull.period() == 1 && shortest.period() == 1;
    field.detail = uniformNow ? nullptr : std::make_shared<const FieldDetail>(FieldDetail{{}, std::move(hull), std::move(shortest)});
}

void giveUpPeriods(AxisField& field)
{
    field.main.high = saturatingAdd(field.main.low, field.rfMax() - 1);
    field.main.smallest = field.rfMin();
    field.detail = nullptr;
    field.approximate = true;
}

AxisField stepPeriodic(const AxisField& in, const AxisReach& r)
{
    AxisField out = in;
    auto hull = composeReach(in.hull() ? *in.hull() : uniform(in.main, in.main.high - in.main.low + 1), r);
    AxisReach single = r;  // each unit of a block is a path of its own
    single.block = 1;
    auto shortest = composeReach(in.shortest() ? *in.shortest() : uniform(in.main, in.main.smallest), single);
    if (hull && shortest) {
        setPeriodic(out, std::move(*hull), std::move(*shortest));
        return out;
    }
    giveUpPeriods(out);
    out.main = stepStrand(out.main, r);
    return out;
}

}  // namespace

std::int64_t AxisField::rfMin() const
{
    if (shortest()) return shortest()->extent();
    if (!strands()) return main.smallest;
    std::int64_t smallest = main.smallest;
    for (const Strand& strand : *strands()) smallest = std::min(smallest, strand.smallest);
    return smallest;
}

std::int64_t AxisField::rfMax() const
{
    if (hull()) return hull()->extent();
    if (!strands()) return main.high - main.low + 1;
    std::int64_t low = main.low, high = main.high;
    for (const Strand& strand : *strands()) {
        low = std::min(low, strand.low);
        high = std::max(high, strand.high);
    }
    return high - low + 1;
}

std::int64_t AxisField::start() const
{
    if (hull()) return hull()->low[0];
    if (!strands()) return main.low;
    std::int64_t low = main.low;
    for (const Strand& strand : *strands()) low = std::min(low, strand.low);
    return low;
}

Rational AxisField::jump() const { return main.jump; }

AxisField AxisField::source()
{
    AxisField field;
    field.finite = true;
    return field;
}

AxisField AxisField::ofUnknown()
{
    AxisField field;
    field.unknown = true;
    return field;
}

AxisField joined(std::vector<FieldPart> parts, std::int32_t seam)
{
    const FieldPart* chosen = nullptr;
    std::int64_t smallest = kSaturated;
    const auto isFinite = [](const FieldPart& part) { return part.field.finite && !part.field.unknown; };
    AxisField all;
    for (const FieldPart& part : parts) {
        if (part.field.carriesPath() && !isFinite(part)) all = merge(all, part.field);
        if (isFinite(part) && (!chosen || std::pair(part.units, part.field.rfMax()) > std::pair(chosen->units, chosen->field.rfMax()))) chosen = &part;
    }
    if (!chosen || all.unknown) return all;
    for (const FieldPart& part : parts)
        if (isFinite(part) && part.units == chosen->units) smallest = std::min(smallest, part.field.rfMin());
    AxisReach shift;
    shift.kind = ReachKind::Crop;
    shift.offset = -chosen->begin;
    AxisField out = step(chosen->field, shift);
    if (!out.detail) out.main.smallest = smallest;
    out.unbounded = out.unbounded || all.unbounded;
    out.seam = seam;
    if (parts.size() > 1) out.parts = std::make_shared<const FieldParts>(FieldParts{std::move(parts)});
    return out;
}

namespace {

// What a crop leaves of joined maps.
AxisField cropped(const AxisField& in, const AxisReach& r)
{
    const std::int64_t end = r.length < 0 ? kSaturated : saturatingAdd(r.offset, r.length);
    std::vector<FieldPart> left;
    for (const FieldPart& part : in.parts->all) {
        const std::int64_t from = std::max(part.begin, r.offset), to = std::min(saturatingAdd(part.begin, part.units), end);
        if (from >= to) continue;
        AxisReach inside = r;
        inside.offset = from - part.begin;
        inside.length = to - from;
        left.push_back({from - r.offset, to - from, step(part.field, inside)});
    }
    if (left.size() == 1 && left[0].begin == 0) return left[0].field;
    return joined(std::move(left), in.seam);
}

}  // namespace

AxisField step(const AxisField& in, const AxisReach& r)
{
    if (r.kind == ReachKind::Same && !r.approximate) return in;
    if (in.parts && r.kind == ReachKind::Crop && r.step == 1 && r.offset >= 0) return cropped(in, r);
    if (!in.carriesPath()) return in;
    if (r.kind == ReachKind::Unknown || in.unknown) return AxisField::ofUnknown();
    if (r.kind == ReachKind::Global) {
        AxisField out;
        out.unbounded = true;
        out.approximate = in.approximate;
        return out;
    }
    if (!in.finite) return in;
    AxisField out = in;
    out.parts = nullptr;
    const bool resamples = r.kind == ReachKind::Resize || r.kind == ReachKind::Transposed;
    if (!in.strands() && (in.hull() || (resamples && in.main.jump.isWhole()))) {
        out = stepPeriodic(in, r);
    } else if (in.strands()) {
        std::vector<Strand> strands;
        for (const Strand& strand : *in.strands()) strands.push_back(stepStrand(strand, r));
        setStrands(out, std::move(strands));
        out.approximate = out.approximate || resamples;
    } else {
        out.main = stepStrand(in.main, r);
        out.approximate = out.approximate || resamples;
    }
    // With corners aligned the grid is stretched a little, so no period holds exactly.
    const bool stretched = r.kind == ReachKind::Resize && r.taps > 1 && r.mode == CoordinateMode::AlignCorners;
    const bool flipped = r.kind == ReachKind::Crop && r.step < 0;
    out.approximate = out.approximate || r.approximate || stretched || flipped;
    return out;
}

namespace {

std::optional<PeriodicField> unite(const PeriodicField& a, const PeriodicField& b)
{
    const std::int64_t period = std::lcm(a.period(), b.period());
    if (period > kMaxPeriod) return std::nullopt;
    PeriodicField out;
    out.advance = a.advance * (period / a.period());
    for (std::int64_t u = 0; u < period; ++u) {
        out.low.push_back(std::min(a.lowAt(u), b.lowAt(u)));
        out.high.push_back(std::max(a.highAt(u), b.highAt(u)));
    }
    reduce(out);
    return out;
}

bool mergePeriodic(AxisField& out, const AxisField& a, const AxisField& b)
{
    if (a.strands() || b.strands() || a.main.jump != b.main.jump) return false;
    const auto hullOf = [](const AxisField& f) { return f.hull() ? *f.hull() : uniform(f.main, f.main.high - f.main.low + 1); };
    const auto shortestOf = [](const AxisField& f) { return f.shortest() ? *f.shortest() : uniform(f.main, f.main.smallest); };
    auto hull = unite(hullOf(a), hullOf(b));
    if (!hull) return false;
    setPeriodic(out, std::move(*hull), a.rfMin() <= b.rfMin() ? shortestOf(a) : shortestOf(b));
    return true;
}

}  // namespace

AxisField merge(const AxisField& a, const AxisField& b)
{
    if (!a.carriesPath()) return b;
    if (!b.carriesPath()) return a;
    if (a.unknown || b.unknown) return AxisField::ofUnknown();
    AxisField out = a.finite ? a : b;
    if (a.parts != b.parts) out.parts = nullptr;
    out.seam = std::max(a.seam, b.seam);
    out.unbounded = a.unbounded || b.unbounded;
    if (!a.finite || !b.finite) return out;
    out.approximate = a.approximate || b.approximate;
    if (a.hull() || b.hull()) {
        if (mergePeriodic(out, a, b)) return out;
        AxisField left = a, right = b;
        if (left.hull()) giveUpPeriods(left);
        if (right.hull()) giveUpPeriods(right);
        out = merge(left, right);
        out.approximate = true;
        return out;
    }
    if (!a.strands() && !b.strands() && a.main.jump == b.main.jump) {
        out.main.low = std::min(a.main.low, b.main.low);
        out.main.high = std::max(a.main.high, b.main.high);
        out.main.smallest = std::min(a.main.smallest, b.main.smallest);
        return out;
    }
    std::vector<Strand> strands = strandsOf(a);
    for (const Strand& strand : strandsOf(b)) {
        const auto same = std::find_if(strands.begin(), strands.end(), [&](const Strand& other) { return other.jump == strand.jump; });
        if (same == strands.end()) {
            strands.push_back(strand);
            continue;
        }
        same->low = std::min(same->low, strand.low);
        same->high = std::max(same->high, strand.high);
        same->smallest = std::min(same->smallest, strand.smallest);
    }
    prune(strands);
    setStrands(out, std::move(strands));
    return out;
}

}  // namespace fovea
