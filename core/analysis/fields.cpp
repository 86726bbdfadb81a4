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
        if (const auto [units, inputs] = resizePeriod(r); units >= 1 && units <= kMaxPeriod && inputs <= kMaxPeriod)
            return compose(in, units, inputs, [&](std::int64_t u) {
                const ResizeRange read = resizeRange(r, u);
                return Range{read.first, read.last};
            });
        return std::nullopt;
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
    case ReachKind::Resize: {
        // The corners' own pitch, where it has a period; else it is the scale's on average.
        const bool pitched = r.mode == CoordinateMode::AlignCorners && r.inSize > 1 && r.outSize > 1 && !r.approximate;
        return pitched ? jump * Rational(r.inSize - 1, r.outSize - 1) : jump / r.scale;
    }
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
    case ReachKind::Resize: {
        const ResizeRange read = resizeRange(r, 0);
        out.high = saturatingAdd(in.high, pixels(read.last - read.first));
        out.smallest = saturatingAdd(in.smallest, pixels(read.last - read.first));
        break;
    }
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
    field.detail = strands.size() > 1 ? std::make_shared<const FieldDetail>(FieldDetail{std::move(strands), {}, 0, 0, 0}) : nullptr;
}

PeriodicField uniform(const Strand& strand, std::int64_t extent)
{
    return {{strand.low}, {strand.low + extent - 1}, strand.jump.num()};
}

// As functions of the unit; nullopt where a jump is no whole number of pixels.
std::optional<std::vector<Branch>> branchesOf(const AxisField& field)
{
    if (field.branches()) return *field.branches();
    std::vector<Branch> out;
    for (const Strand& strand : strandsOf(field)) {
        if (!strand.jump.isWhole()) return std::nullopt;
        out.push_back({uniform(strand, strand.high - strand.low + 1), {uniform(strand, strand.smallest)}});
    }
    return out;
}

// Whether `a` is nowhere larger than `b`, here and behind every further window: then it is so from every unit to every
// later one, and all pairs of positions in their periods occur.
bool dominates(const PeriodicField& a, const PeriodicField& b)
{
    const std::int64_t period = std::lcm(a.period(), b.period());
    if (period > kMaxPeriod) return false;
    std::int64_t behind = a.highAt(0) - b.highAt(0), before = a.lowAt(0) - b.lowAt(0);
    for (std::int64_t u = 1; u < period; ++u) {
        behind = std::max(behind, a.highAt(u) - b.highAt(u));
        before = std::min(before, a.lowAt(u) - b.lowAt(u));
    }
    return behind <= before;
}

// Adds a path unless one that is there makes it needless; false where there are too many to follow.
bool addPath(std::vector<PeriodicField>& paths, const PeriodicField& path)
{
    if (std::any_of(paths.begin(), paths.end(), [&](const PeriodicField& other) { return dominates(other, path); })) return true;
    std::erase_if(paths, [&](const PeriodicField& other) { return dominates(path, other); });
    if (paths.size() >= kMaxStrands) return false;
    paths.push_back(path);
    return true;
}

// Units at which the numbers of some branches are taken: those of one period, or all that the map has.
std::vector<std::int64_t> unitsToMeasure(const std::vector<Branch>& branches, std::int64_t units)
{
    constexpr std::int64_t kMost = 1 << 16;
    std::int64_t count = 1;
    if (branches.size() > 1) {
        count = std::max<std::int64_t>(units, 1);
    } else {
        count = branches[0].hull.period();
        for (const PeriodicField& path : branches[0].paths) count = std::min(std::lcm(count, path.period()), kMost);
    }
    std::vector<std::int64_t> out(static_cast<std::size_t>(std::min(count, kMost)));
    std::iota(out.begin(), out.end(), 0);
    // Where branches drift apart, they do so most at the ends.
    for (std::size_t i = out.size() / 2; count > kMost && i < out.size(); ++i) out[i] += count - kMost;
    return out;
}

void measure(FieldDetail& detail)
{
    for (const std::int64_t u : unitsToMeasure(detail.branches, detail.units)) {
        std::int64_t low = detail.branches[0].hull.lowAt(u), high = detail.branches[0].hull.highAt(u), smallest = kSaturated;
        for (const Branch& branch : detail.branches) {
            low = std::min(low, branch.hull.lowAt(u));
            high = std::max(high, branch.hull.highAt(u));
            for (const PeriodicField& path : branch.paths) smallest = std::min(smallest, path.extentAt(u));
        }
        detail.rfMax = std::max(detail.rfMax, high - low + 1);
        detail.rfMin = std::max(detail.rfMin, smallest);
    }
}

// Four numbers where the period has become one unit.
void setBranches(AxisField& field, std::vector<Branch> branches, Rational jump, std::int64_t units)
{
    FieldDetail detail{{}, std::move(branches), units, 0, 0};
    measure(detail);
    field.main = {jump, detail.branches[0].hull.lowAt(0), detail.branches[0].hull.highAt(0), detail.rfMin};
    bool uniformNow = detail.branches.size() == 1 && detail.branches[0].hull.jump() == jump;
    for (const Branch& branch : detail.branches) {
        field.main.low = std::min(field.main.low, branch.hull.lowAt(0));
        field.main.high = std::max(field.main.high, branch.hull.highAt(0));
        uniformNow = uniformNow && branch.hull.period() == 1;
        for (const PeriodicField& path : branch.paths) uniformNow = uniformNow && path.period() == 1;
    }
    field.detail = uniformNow ? nullptr : std::make_shared<const FieldDetail>(std::move(detail));
}

void giveUpPeriods(AxisField& field)
{
    field.main.high = saturatingAdd(field.main.low, field.rfMax() - 1);
    field.main.smallest = field.rfMin();
    field.detail = nullptr;
    field.approximate = true;
}

// The ways along one axis: each unit of a block is one of its own.
std::vector<AxisReach> waysOf(const AxisReach& r)
{
    if (r.kind != ReachKind::Block) return {r};
    std::vector<AxisReach> out;
    for (std::int64_t i = 0; i < std::min(r.block, kMaxPeriod); ++i) {
        AxisReach& way = out.emplace_back();
        way.kind = ReachKind::Crop;
        way.offset = i;
        way.step = r.stride;
    }
    return out;
}

std::optional<Branch> stepBranch(const Branch& in, const AxisReach& r, bool& complete)
{
    Branch out;
    auto hull = composeReach(in.hull, r);
    if (!hull) return std::nullopt;
    out.hull = std::move(*hull);
    for (const AxisReach& way : waysOf(r))
        for (const PeriodicField& path : in.paths) {
            const auto next = composeReach(path, way);
            if (!next) return std::nullopt;
            complete = addPath(out.paths, *next) && complete;
        }
    return out;
}

AxisField stepPeriodic(const AxisField& in, const AxisReach& r)
{
    AxisField out = in;
    std::vector<Branch> branches;
    bool complete = true;
    for (const Branch& branch : branchesOf(in).value_or(std::vector<Branch>{}))
        if (auto next = stepBranch(branch, r, complete)) branches.push_back(std::move(*next));
        else {
            branches.clear();
            break;
        }
    if (branches.empty()) {
        giveUpPeriods(out);
        out.main = stepStrand(out.main, r);
        return out;
    }
    const std::int64_t units = r.kind == ReachKind::Resize       ? r.outSize
                               : r.kind == ReachKind::Transposed ? outputSize(r, r.inSize)
                               : in.detail                       ? outputSize(r, in.detail->units)
                                                                 : 0;
    out.approximate = out.approximate || !complete || branches.size() > 1;
    setBranches(out, std::move(branches), jumpBehind(in.main.jump, r), std::max<std::int64_t>(units, 0));
    return out;
}

bool hasWholeJumps(const AxisField& field)
{
    const auto isWhole = [](const Strand& strand) { return strand.jump.isWhole(); };
    return field.strands() ? std::all_of(field.strands()->begin(), field.strands()->end(), isWhole) : isWhole(field.main);
}

}  // namespace

std::int64_t AxisField::rfMin() const
{
    if (branches()) return detail->rfMin;
    if (!strands()) return main.smallest;
    std::int64_t smallest = main.smallest;
    for (const Strand& strand : *strands()) smallest = std::min(smallest, strand.smallest);
    return smallest;
}

std::int64_t AxisField::rfMax() const
{
    if (branches()) return detail->rfMax;
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
    // Whatever a path has been through, behind a global layer it is unbounded.
    if (r.kind == ReachKind::Global) {
        AxisField out;
        out.unbounded = true;
        out.approximate = in.approximate;
        return out;
    }
    if (in.unknown) return in;
    // No layer makes a path finite again.
    if (!in.finite) return in;
    if (r.kind == ReachKind::Unknown) {
        AxisField out = AxisField::ofUnknown();
        out.unbounded = in.unbounded;
        return out;
    }
    AxisField out = in;
    out.parts = nullptr;
    const bool resamples = r.kind == ReachKind::Resize || r.kind == ReachKind::Transposed;
    if (r.kind == ReachKind::Same) {
        // What it reads is unit u, on average.
    } else if (in.branches() || (resamples && hasWholeJumps(in))) {
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
    const bool flipped = r.kind == ReachKind::Crop && r.step < 0;
    out.approximate = out.approximate || r.approximate || flipped;
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

// Into the branch of its own jump, or beside the others.
bool join(std::vector<Branch>& branches, const Branch& branch, bool& complete)
{
    for (Branch& other : branches) {
        if (other.hull.jump() != branch.hull.jump()) continue;
        auto hull = unite(other.hull, branch.hull);
        if (!hull) continue;
        other.hull = std::move(*hull);
        for (const PeriodicField& path : branch.paths) complete = addPath(other.paths, path) && complete;
        return true;
    }
    branches.push_back(branch);
    return branches.size() <= kMaxStrands;
}

bool mergePeriodic(AxisField& out, const AxisField& a, const AxisField& b)
{
    auto branches = branchesOf(a);
    const auto others = branchesOf(b);
    if (!branches || !others) return false;
    bool complete = true;
    for (const Branch& branch : *others)
        if (!join(*branches, branch, complete)) return false;
    const std::int64_t units = std::max(a.branches() ? a.detail->units : 0, b.branches() ? b.detail->units : 0);
    out.approximate = out.approximate || !complete || branches->size() > 1;
    setBranches(out, std::move(*branches), std::min(a.main.jump, b.main.jump), units);
    return true;
}

}  // namespace

AxisField merge(const AxisField& a, const AxisField& b)
{
    if (!a.carriesPath()) return b;
    if (!b.carriesPath()) return a;
    if (a.unknown || b.unknown) {
        AxisField unknown = AxisField::ofUnknown();
        unknown.unbounded = a.unbounded || b.unbounded;
        return unknown;
    }
    AxisField out = a.finite ? a : b;
    if (a.parts != b.parts) out.parts = nullptr;
    out.seam = std::max(a.seam, b.seam);
    out.unbounded = a.unbounded || b.unbounded;
    if (!a.finite || !b.finite) return out;
    out.approximate = a.approximate || b.approximate;
    if (a.branches() || b.branches()) {
        if (mergePeriodic(out, a, b)) return out;
        AxisField left = a, right = b;
        if (left.branches()) giveUpPeriods(left);
        if (right.branches()) giveUpPeriods(right);
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
