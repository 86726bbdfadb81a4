#include "core/ops/reach.h"

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

}  // namespace fovea
