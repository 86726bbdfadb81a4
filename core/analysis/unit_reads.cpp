#include "core/analysis/unit_reads.h"

#include <algorithm>

namespace fovea {

namespace {

// Unit `unit` of a transposed convolution reads v where stride * v + dilation * i = unit + padding for a tap i.
bool taps(const AxisReach& r, std::int64_t unit, std::int64_t v)
{
    const std::int64_t offset = unit + r.padBegin - saturatingMul(r.stride, v);
    return offset >= 0 && offset < r.effectiveKernel() && offset % r.dilation == 0;
}

std::optional<UnitRange> transposedRange(const AxisReach& r, std::int64_t unit)
{
    std::int64_t first = ceilDiv(unit + r.padBegin - r.effectiveKernel() + 1, r.stride),
                 last = floorDiv(unit + r.padBegin, r.stride);
    while (first <= last && !taps(r, unit, first)) ++first;
    while (first <= last && !taps(r, unit, last)) --last;
    return first <= last ? std::optional(UnitRange{first, last}) : std::nullopt;
}

// Within one period from each end stands the unit that reads farthest.
std::optional<UnitRange> transposedHull(const AxisReach& r, const UnitRange& range)
{
    const std::int64_t period = std::min(range.last - range.first + 1, saturatingMul(r.stride, r.dilation));
    std::optional<UnitRange> hull;
    const auto join = [&](std::int64_t unit) {
        const auto part = transposedRange(r, unit);
        if (part) hull = hull ? UnitRange{std::min(hull->first, part->first), std::max(hull->last, part->last)} : *part;
    };
    for (std::int64_t i = 0; i < period; ++i) {
        join(range.first + i);
        join(range.last - i);
    }
    return hull;
}

}  // namespace

std::optional<UnitRange> rangeRead(const AxisReach& r, const UnitRange& range, std::int64_t size)
{
    switch (r.kind) {
    case ReachKind::Same: return range;
    case ReachKind::Window:
        return UnitRange{saturatingAdd(saturatingMul(range.first, r.stride), -r.padBegin),
                         saturatingAdd(saturatingMul(range.last, r.stride), r.effectiveKernel() - 1 - r.padBegin)};
    case ReachKind::Crop: {
        const std::int64_t first = saturatingAdd(saturatingMul(range.first, r.step), r.offset),
                           last = saturatingAdd(saturatingMul(range.last, r.step), r.offset);
        return UnitRange{std::min(first, last), std::max(first, last)};
    }
    case ReachKind::Block:
        return UnitRange{saturatingMul(range.first, r.stride), saturatingAdd(saturatingMul(range.last, r.stride), r.block - 1)};
    case ReachKind::Transposed: return transposedHull(r, range);
    case ReachKind::Resize: {
        const std::int64_t first = resizeRange(r, range.first).first, last = resizeRange(r, range.last).last;
        // A unit of the map whose nearest one lies beyond the edge is that at the edge.
        const bool inside = r.taps == 1 && size > 0 && range.first >= 0 && range.last < r.outSize;
        return inside ? UnitRange{std::min(first, size - 1), std::max<std::int64_t>(last, 0)} : UnitRange{first, last};
    }
    case ReachKind::Global:
    case ReachKind::Unknown: return UnitRange{0, std::max<std::int64_t>(size, 1) - 1};
    }
    return range;
}

std::vector<std::int64_t> unitsRead(const AxisReach& r, std::int64_t unit, std::int64_t size)
{
    std::vector<std::int64_t> out;
    const auto range = rangeRead(r, {unit, unit}, size);
    if (!range) return out;
    if (r.kind == ReachKind::Resize) {
        for (std::int64_t v = range->first; v <= range->last; ++v) {
            const std::int64_t inside = std::clamp<std::int64_t>(v, 0, size - 1);
            if (out.empty() || out.back() != inside) out.push_back(inside);
        }
        return out;
    }
    const std::int64_t step = r.kind == ReachKind::Window ? std::max<std::int64_t>(r.dilation, 1) : 1;
    const std::int64_t first = range->first >= 0
                                   ? range->first
                                   : saturatingAdd(range->first, saturatingMul(ceilDiv(-range->first, step), step));
    for (std::int64_t v = first; v <= std::min(range->last, size - 1); v += step)
        if (r.kind != ReachKind::Transposed || taps(r, unit, v)) out.push_back(v);
    return out;
}

}  // namespace fovea
