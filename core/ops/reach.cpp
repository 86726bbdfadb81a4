#include "core/ops/reach.h"

#include <algorithm>

namespace fovea {

namespace {

std::int64_t windowSize(const AxisReach& r, std::int64_t size)
{
    if (r.stride < 1 || r.kernel < 1 || r.dilation < 1) return -1;
    const std::int64_t room = saturatingAdd(saturatingAdd(size, saturatingAdd(r.padBegin, r.padEnd)), -r.effectiveKernel());
    if (room < 0) return -1;
    std::int64_t out = room / r.stride + 1;
    if (r.ceilMode && room % r.stride != 0 && out * r.stride < size + r.padBegin) ++out;
    return out;
}

// The centre of unit u lies at (slope * u + shift) / den on the input's grid.
struct Grid {
    std::int64_t slope, shift, den;
};

Grid gridOf(const AxisReach& r)
{
    const std::int64_t num = r.scale.num(), den = r.scale.den();
    switch (r.mode) {
    case CoordinateMode::HalfPixel: return {2 * den, den - num, 2 * num};
    case CoordinateMode::TfHalfPixel: return {2 * den, den, 2 * num};
    case CoordinateMode::HalfPixelSymmetric:
        // Where the scale does not give a whole number of units, what is left over lies half on each side.
        return {2 * den, saturatingAdd(saturatingMul(r.inSize, num), -saturatingMul(r.outSize, den)) + den - num, 2 * num};
    case CoordinateMode::AlignCorners:
        if (r.inSize > 1 && r.outSize > 1) return {r.inSize - 1, 0, r.outSize - 1};
        break;
    case CoordinateMode::Asymmetric: break;
    }
    return {den, 0, num};
}

std::int64_t nearestUnit(const AxisReach& r, std::int64_t unit)
{
    if (r.nearest == NearestMode::FloorOfScale) return floorDiv(saturatingMul(unit, r.scale.den()), r.scale.num());
    const Grid grid = gridOf(r);
    const std::int64_t at = saturatingAdd(saturatingMul(grid.slope, unit), grid.shift);
    switch (r.nearest) {
    case NearestMode::Ceil: return ceilDiv(at, grid.den);
    case NearestMode::PreferFloor: return ceilDiv(2 * at - grid.den, 2 * grid.den);
    case NearestMode::PreferCeil: return floorDiv(2 * at + grid.den, 2 * grid.den);
    case NearestMode::Floor:
    case NearestMode::FloorOfScale: break;
    }
    return floorDiv(at, grid.den);
}

}  // namespace

std::int64_t outputSize(const AxisReach& r, std::int64_t size)
{
    switch (r.kind) {
    case ReachKind::Same: return size;
    case ReachKind::Window: return size < 0 ? -1 : windowSize(r, size);
    case ReachKind::Transposed: {
        if (size < 1 || r.stride < 1 || r.kernel < 1 || r.dilation < 1) return -1;
        const std::int64_t out = saturatingAdd(saturatingMul(size - 1, r.stride),
                                               r.effectiveKernel() - r.padBegin - r.padEnd + r.outputPadding);
        return out < 1 ? -1 : out;
    }
    case ReachKind::Resize: return size < 0 ? -1 : (Rational(size) * r.scale).floor();
    case ReachKind::Crop: return size < 0 ? -1 : r.length;
    case ReachKind::Block: return size < 0 || r.stride < 1 ? -1 : size / r.stride;
    case ReachKind::Global:
    case ReachKind::Unknown: return -1;
    }
    return -1;
}

ResizeRange resizeRange(const AxisReach& r, std::int64_t unit)
{
    if (r.taps == 1) {
        const std::int64_t at = nearestUnit(r, unit);
        return {at, at};
    }
    const Grid grid = gridOf(r);
    const std::int64_t at = saturatingAdd(saturatingMul(grid.slope, unit), grid.shift);
    // Half the kernel's width, times num; an antialiased one is stretched to the output's pitch.
    const std::int64_t num = r.scale.num(), reach = saturatingMul(r.taps / 2, r.antialias ? std::max(num, r.scale.den()) : num);
    const std::int64_t den = saturatingMul(grid.den, num), here = saturatingMul(at, num), width = saturatingMul(reach, grid.den);
    return {floorDiv(here - width, den) + 1, floorDiv(here + width, den)};
}

ResizePeriod resizePeriod(const AxisReach& r)
{
    if (r.taps == 1 && r.nearest == NearestMode::FloorOfScale) return {r.scale.num(), r.scale.den()};
    const Grid grid = gridOf(r);
    const Rational pitch(grid.slope, grid.den);
    return {pitch.den(), pitch.num()};
}

}  // namespace fovea
