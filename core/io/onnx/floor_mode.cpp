#include "core/io/onnx/floor_mode.h"

#include "core/base/checked.h"

#include <algorithm>

namespace fovea {

std::optional<Node> inFloorMode(const NodeView& view)
{
    if (!view.node.attrs.getBool("ceil_mode", false) || view.in.empty() || view.out.empty()) return std::nullopt;
    const Reach reach = windowReach(view);
    const AxisReach axes[2] = {reach.h, reach.w};
    const std::int64_t sizes[2] = {view.in[0].height(), view.in[0].width()};
    const std::int64_t made[2] = {view.out[0].height(), view.out[0].width()};
    Ints padding{reach.h.padBegin, reach.w.padBegin, reach.h.padEnd, reach.w.padEnd};
    bool drops = false, pads = false;
    for (std::size_t axis = 0; axis < 2; ++axis) {
        const AxisReach& r = axes[axis];
        if (sizes[axis] < 1 || made[axis] < 1) return std::nullopt;
        const std::int64_t room = sizes[axis] + r.padBegin - r.effectiveKernel();
        drops = drops || made[axis] != ceilDiv(room + r.padEnd, r.stride) + 1;
        // What a last window lacks that is not left out.
        padding[axis + 2] = std::max(r.padEnd, (made[axis] - 1) * r.stride - room);
        pads = pads || padding[axis + 2] != r.padEnd;
        if (padding[axis + 2] >= r.kernel) return std::nullopt;
    }
    // What a last window lacks never counts in a mean; where padding does, they cannot be told apart.
    const bool counts = pads && view.node.attrs.getBool("count_include_pad", false);
    const bool padded = reach.h.padBegin != 0 || reach.w.padBegin != 0 || reach.h.padEnd != 0 || reach.w.padEnd != 0;
    if (!drops || (counts && padded)) return std::nullopt;
    Node node = view.node;
    if (counts) node.attrs.set("count_include_pad", false);
    node.attrs.set("ceil_mode", false);
    node.attrs.set("padding", padding);
    return node;
}

}  // namespace fovea
