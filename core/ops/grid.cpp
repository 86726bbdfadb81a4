#include "core/ops/grid.h"

#include "core/graph/dimensions.h"
#include "core/ops/common.h"

#include <algorithm>

namespace fovea {

namespace {

bool isSliding(const OpDef& op)
{
    return op.opClass == OpClass::Convolution || op.opClass == OpClass::Transposed || op.opClass == OpClass::Pooling;
}

// A product with learned weights reads every part on a path of its own; means and products of activations do so only
// near enough.
bool isExact(const OpDef& op) { return op.opClass == OpClass::Convolution || op.opClass == OpClass::Transposed || op.opClass == OpClass::Linear; }

// Each of the positions that it reads is still there behind it.
bool keepsPositions(const OpDef& op) { return op.opClass == OpClass::Activation || op.torch.op == TorchOp::MatMul; }

// A window over every `step`-th unit of the grid; phases between are maps of their own.
void spread(GridReach& out, std::int64_t step)
{
    AxisReach& r = out.own;
    if (step < 2) return;
    if (r.kind == ReachKind::Window && r.stride == 1) {
        r.dilation = saturatingMul(r.dilation, step);
        r.padBegin = saturatingMul(r.padBegin, step);
        r.padEnd = saturatingMul(r.padEnd, step);
    } else if (r.kind == ReachKind::Crop && r.step == 1) {
        r.offset = saturatingMul(r.offset, step);
    } else if (r.kind != ReachKind::Same && r.kind != ReachKind::Global && r.kind != ReachKind::Unknown) {
        out.parts.kind = ReachKind::Block;
        out.parts.stride = saturatingMul(std::max<std::int64_t>(out.parts.stride, 1), step);
        out.parts.approximate = true;  // of the first phase
    }
}

// Units in front of one part of a joined or cut dimension.
std::int64_t unitsBefore(std::span<const Value> parts, std::size_t part, int dimension)
{
    std::int64_t before = 0;
    for (std::size_t i = 0; i < part && i < parts.size(); ++i)
        if (dimension < parts[i].shape.rank()) before = saturatingAdd(before, std::max<std::int64_t>(parts[i].shape[dimension], 0));
    return before;
}

GridReach along(Axis axis, const OpDef& op, const NodeView& view, const AxisReach& reach, std::size_t input, std::size_t output)
{
    GridReach out{{}, reach};
    if (input >= view.in.size()) return out;
    const Value& in = view.in[input];
    if (const int parted = partedDimension(op, view); parted >= 0 && parted == in.layout.of(axis) && in.layout.h != in.layout.w) {
        const bool joins = op.opClass == OpClass::Merge;
        out.own = {};
        out.own.kind = ReachKind::Crop;
        out.own.offset = joins ? -unitsBefore(view.in, input, parted) : unitsBefore(view.out, output, parted);
        out.own.length = output < view.out.size() && parted < view.out[output].shape.rank() ? view.out[output].shape[parted] : kUnknown;
    }
    if (!in.folded && !isSliding(op)) return out;
    std::int64_t step = gridStep(in, axis);
    if (op.reads && (input == 0 || op.opClass == OpClass::Merge || op.torch.op == TorchOp::MatMul)) {
        const std::vector<int> dimensions = op.reads(view);
        const AxisRead read = axisRead(in, axis, dimensions);
        if (read.whole && gridSize(in, axis) != 1) {
            out.own = {};
            out.own.kind = ReachKind::Global;
        } else if (read.read && read.stride > 1 && !keepsPositions(op)) {
            out.parts.kind = ReachKind::Block;
            out.parts.stride = read.stride;
            out.parts.block = read.extent + 1;
            out.parts.approximate = !isExact(op);
            step = std::max<std::int64_t>(1, step / read.stride);
        } else if (read.read && read.extent > 0) {  // positions of a window, each of which reads all of them
            out.parts.kind = ReachKind::Block;
            out.parts.block = read.extent + 1;
            out.parts.approximate = !isExact(op);
        }
    }
    spread(out, step);
    return out;
}

}  // namespace

int partedDimension(const OpDef& op, const NodeView& view)
{
    const bool parts = op.torch.op == TorchOp::Concat || op.torch.op == TorchOp::Split;
    if (!parts || view.in.empty()) return -1;
    const int dim = normalAxis(attrInt(view.node, "dim", 1), view.in[0].shape.rank());
    const auto carries = [dim](const Value& value) { return value.layout.h == dim || value.layout.w == dim; };
    const auto map = std::find_if(view.in.begin(), view.in.end(), carries);
    // Tokens beside the positions of one map.
    const bool alone = op.opClass == OpClass::Merge && map != view.in.end() && map->layout.h == map->layout.w && std::none_of(map + 1, view.in.end(), carries);
    return alone ? -1 : dim;
}

GridReaches gridReaches(const OpDef& op, const NodeView& view, const Reach& reach, std::size_t input, std::size_t output)
{
    const auto isPlain = [&](const Value& in) { return !in.folded && (in.layout == kNchw || !isSliding(op)); };
    if (input >= view.in.size() || (isPlain(view.in[input]) && partedDimension(op, view) < 0)) return {{{}, reach.h}, {{}, reach.w}};
    return {along(Axis::Height, op, view, reach.h, input, output), along(Axis::Width, op, view, reach.w, input, output)};
}

void refold(const OpDef& op, const NodeView& view, Value& out)
{
    if (op.opClass == OpClass::GlobalPooling && !view.in.empty() && view.in[0].folded && out.shape.hasRank() && out.shape.rank() > 0) {
        Dimensions dimensions = dimensionsOf(out);  // images and frames stay
        dimensions[0] = dimensionsOf(view.in[0])[0];
        if (dimensions[0].size() == out.shape[0]) out = valueOf(std::move(dimensions));
        return;
    }
    if (!isSliding(op)) {
        const auto stale = [&] {
            for (std::size_t i = 0; i < out.folded->size(); ++i)
                if (static_cast<int>(i) >= out.shape.rank() || (*out.folded)[i].size() != out.shape[static_cast<int>(i)]) return true;
            return static_cast<int>(out.folded->size()) != out.shape.rank();
        };
        if (out.folded && stale()) out = valueOf(dimensionsOf(out));
        return;
    }
    if (view.in.empty() || !view.in[0].folded || out.shape.rank() != view.in[0].shape.rank()) return;
    const std::vector<int> read = op.reads ? op.reads(view) : std::vector<int>{};
    const Value in = readWhole(view.in[0], read);
    const Reach reach = op.reach ? op.reach(view) : Reach{};
    Dimensions dimensions = dimensionsOf(in);
    const bool keepsPhases = reach.h.stride == 1 && reach.w.stride == 1 && op.opClass != OpClass::Transposed;
    for (int i = 0; i < out.shape.rank(); ++i) {
        Dimension& dimension = dimensions[static_cast<std::size_t>(i)];
        for (const Axis axis : {Axis::Height, Axis::Width})
            if (i == in.layout.of(axis)) dimension = {{{axis, out.shape[i], keepsPhases ? gridStep(in, axis) : 1}}};
        if (i == in.layout.c) dimension = {{{Axis::Channel, out.shape[i], 1}}};
        if (keepsPhases) continue;
        if (i != in.layout.h && i != in.layout.w)
            for (Factor& factor : dimension.factors)
                if (factor.axis == Axis::Height || factor.axis == Axis::Width) factor.axis = Axis::Other;
    }
    out = valueOf(std::move(dimensions));
}

}  // namespace fovea
