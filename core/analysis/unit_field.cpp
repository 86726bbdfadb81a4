#include "core/analysis/unit_field.h"

#include "core/analysis/unit_reads.h"
#include "core/graph/dimensions.h"
#include "core/ops/grid.h"

#include <algorithm>

namespace fovea {

namespace {

// A value's grid: rows and columns, 1 where it has no such axis.
struct MapSize {
    std::int64_t h = 1, w = 1;
    bool operator==(const MapSize&) const = default;
};

MapSize mapOf(const Value& value) { return {gridSize(value, Axis::Height), gridSize(value, Axis::Width)}; }

// Positions of rows and columns in one dimension, one behind the other.
bool areTokens(const Value& value) { return value.layout.h >= 0 && value.layout.h == value.layout.w; }

// Those of no map in front of them.
std::int64_t tokensBefore(const Value& value) { return dimensionsOf(value)[static_cast<std::size_t>(value.layout.h)].before; }

// Where units of the dimension that carries the axis lie on the grid: the step between them, and how far those among the
// channels reach.
struct Spacing {
    std::int64_t step = 1, extent = 0;
};

Spacing spacingOf(const Value& value, Axis axis) { return {gridStep(value, axis), gridExtent(value, axis)}; }

// No unit of such a map yet. Error(Limit) for maps that no image makes, before memory is asked for.
std::vector<bool> noUnits(std::int64_t h, std::int64_t w)
{
    constexpr std::int64_t kMost = std::int64_t{1} << 32;
    if (w > 0 && h > kMost / w)
        throw Error(ErrorCode::Limit, "A map of " + std::to_string(h) + "x" + std::to_string(w) +
                                          " units is too large to follow single units; use a smaller side.");
    return std::vector<bool>(static_cast<std::size_t>(h * w), false);
}

struct Ranges {
    UnitRange h, w;
};

// What is known of one value: the hull without clipping, and the units inside its map.
struct Need {
    std::optional<Ranges> hull;
    std::vector<bool> units;  // row-major, empty: none
    bool unbounded = false;
};

AxisReach global()
{
    AxisReach r;
    r.kind = ReachKind::Global;
    return r;
}

class Walk {
public:
    Walk(const Graph& graph, const std::string& input) : m_prepared(prepare(graph))
    {
        std::vector<Issue> issues;
        m_values = inferShapes(m_prepared, issues);
        const Node* node = imageInput(graph, input);
        if (!node) throw Error(ErrorCode::Usage, "The network has no image input (NxCxHxW).");
        m_image = m_prepared.entries[static_cast<std::size_t>(m_prepared.entryOf(node->id))].firstOutput;
        m_needs.resize(m_values.size());
        findPaths();
    }

    const Prepared::Entry& entryNamed(const std::string& name) const
    {
        for (const auto& entry : m_prepared.entries)
            if (entry.node->name == name) return entry;
        throw Error(ErrorCode::Usage, "There is no layer called '" + name + "'.");
    }

    MapSize sizeOf(const Prepared::Entry& entry, int output) const
    {
        if (output < 0 || output >= static_cast<int>(entry.outputCount))
            throw Error(ErrorCode::Usage,
                        "Layer '" + entry.node->name + "' has no output " + std::to_string(output) + ".");
        const Value& value = m_values[entry.firstOutput + static_cast<std::size_t>(output)];
        const MapSize size = areTokens(value) ? MapSize{value.shape[value.layout.h], 1}
                                              : MapSize{value.layout.h < 0 ? 1 : value.height(), value.layout.w < 0 ? 1 : value.width()};
        if (size.h < 1 || size.w < 1)
            throw Error(ErrorCode::Usage,
                        "The size of the map of '" + entry.node->name + "' is unknown at this side of the input.");
        return size;
    }

    UnitField run(const Prepared::Entry& target, const Unit& unit)
    {
        const MapSize size = sizeOf(target, unit.output);
        if (unit.y < 0 || unit.x < 0 || unit.y >= size.h || unit.x >= size.w)
            throw Error(ErrorCode::Usage, "Layer '" + target.node->name + "' has " + std::to_string(size.h) + "x" +
                                              std::to_string(size.w) + " units, so there is none at " +
                                              std::to_string(unit.y) + "," + std::to_string(unit.x) + ".");
        const std::size_t value = target.firstOutput + static_cast<std::size_t>(unit.output);
        if (!m_carries[value]) return finish();
        Need& need = m_needs[value];
        const MapSize grid = mapOf(m_values[value]);
        const Spacing rows = spacingOf(m_values[value], Axis::Height), columns = spacingOf(m_values[value], Axis::Width);
        std::int64_t top = unit.y * rows.step, left = unit.x * columns.step;
        if (areTokens(m_values[value])) {
            const std::int64_t position = unit.y - tokensBefore(m_values[value]);
            if (position < 0 || position >= grid.h * grid.w) return finish();
            top = position / grid.w;
            left = position % grid.w;
        }
        need.hull = Ranges{{top, top + rows.extent}, {left, left + columns.extent}};
        need.units = noUnits(grid.h, grid.w);
        for (std::int64_t y = top; y <= std::min(top + rows.extent, grid.h - 1); ++y)
            for (std::int64_t x = left; x <= std::min(left + columns.extent, grid.w - 1); ++x)
                need.units[static_cast<std::size_t>(y * grid.w + x)] = true;
        for (std::size_t i = static_cast<std::size_t>(&target - m_prepared.entries.data()) + 1; i-- > 0;)
            stepBack(m_prepared.entries[i]);
        return finish();
    }

private:
    void findPaths()
    {
        m_carries.assign(m_values.size(), false);
        for (const auto& entry : m_prepared.entries) {
            bool carries = entry.firstOutput == m_image;
            for (std::uint32_t k = 0; k < pathInputs(entry); ++k)
                if (const std::int32_t source = m_prepared.sources[entry.firstInput + k]; source >= 0)
                    carries = carries || m_carries[static_cast<std::size_t>(source)];
            for (std::uint32_t k = 0; k < entry.outputCount; ++k) m_carries[entry.firstOutput + k] = carries;
        }
    }

    static std::uint32_t pathInputs(const Prepared::Entry& entry)
    {
        return entry.op->pathInputs < 0 ? entry.inputCount
                                        : std::min(entry.inputCount, static_cast<std::uint32_t>(entry.op->pathInputs));
    }

    void stepBack(const Prepared::Entry& entry)
    {
        if (entry.firstOutput == m_image) return;
        std::vector<Value> in;
        for (std::uint32_t k = 0; k < entry.inputCount; ++k) {
            const std::int32_t source = m_prepared.sources[entry.firstInput + k];
            in.push_back(source < 0 ? Value{} : m_values[static_cast<std::size_t>(source)]);
        }
        const NodeView view{*entry.node, in, {m_values.data() + entry.firstOutput, entry.outputCount}};
        for (std::uint32_t output = 0; output < entry.outputCount; ++output) {
            const Need& need = m_needs[entry.firstOutput + output];
            if (!need.hull) continue;
            for (std::uint32_t k = 0; k < pathInputs(entry); ++k) {
                const std::int32_t source = m_prepared.sources[entry.firstInput + k];
                if (source >= 0 && m_carries[static_cast<std::size_t>(source)])
                    pass(entry, view, static_cast<int>(output), k, need, m_needs[static_cast<std::size_t>(source)]);
            }
        }
    }

    // What one input must give for one output.
    void pass(const Prepared::Entry& entry, const NodeView& view, int output, std::uint32_t input, const Need& need,
              Need& target)
    {
        const Value &from = view.in[input], &made = view.out[static_cast<std::size_t>(output)];
        const MapSize inSize = mapOf(from), outSize = mapOf(made);
        if (inSize.h < 1 || inSize.w < 1 || outSize.h < 1 || outSize.w < 1)
            throw Error(ErrorCode::Usage,
                        "The size of the map of '" + entry.node->name + "' is unknown at this side of the input.");
        target.unbounded = target.unbounded || need.unbounded;
        const std::optional<Ranges> wanted = insidePart(entry, view, input, *need.hull);
        if (!wanted) return;
        const GridReaches reaches = reachesOf(entry, view, input, output);
        GridReach h = reaches.h, w = reaches.w;
        // An axis that the layer ends is read whole: a flatten, a mean that drops it.
        if (inSize.h > 1 && outSize.h == 1 && endsAxis(from, made, Axis::Height)) h.own = global();
        if (inSize.w > 1 && outSize.w == 1 && endsAxis(from, made, Axis::Width)) w.own = global();
        // An operand of one row or column is repeated.
        const bool repeats = entry.op->opClass == OpClass::Merge || entry.op->torch.op == TorchOp::Expand || entry.op->torch.op == TorchOp::Tile;
        const bool repeatsRows = repeats && inSize.h == 1 && outSize.h > 1, repeatsColumns = repeats && inSize.w == 1 && outSize.w > 1;
        if (repeatsRows) h.own = global();
        if (repeatsColumns) w.own = global();
        target.unbounded = target.unbounded || (h.own.kind == ReachKind::Global && !repeatsRows) ||
                           (w.own.kind == ReachKind::Global && !repeatsColumns);
        // Parts that are read together are a step of their own, on a map in between.
        const MapSize middle{sizeBehind(h.parts, inSize.h), sizeBehind(w.parts, inSize.w)};
        Need between;
        const bool two = h.parts.kind != ReachKind::Same || w.parts.kind != ReachKind::Same;
        Need& next = two ? between : target;
        joinHull(next, hullRead(entry, h.own, wanted->h, middle.h, outSize.h),
                 hullRead(entry, w.own, wanted->w, middle.w, outSize.w));
        joinUnits(need, {h.own, w.own}, entry, middle, outSize, next);
        if (!two || !between.hull) return;
        joinHull(target, hullRead(entry, h.parts, between.hull->h, inSize.h, middle.h),
                 hullRead(entry, w.parts, between.hull->w, inSize.w, middle.w));
        joinUnits(between, {h.parts, w.parts}, entry, inSize, middle, target);
    }

    // What of the ranges lies on one part of maps that are joined along an image axis; nullopt: nothing. Beyond the ends of
    // all of them is padding, which is no part of any.
    static std::optional<Ranges> insidePart(const Prepared::Entry& entry, const NodeView& view, std::uint32_t input, Ranges ranges)
    {
        const int parted = entry.op->opClass == OpClass::Merge ? partedDimension(*entry.op, view) : -1;
        if (parted < 0) return ranges;
        for (const auto& [axis, range] : {std::pair(Axis::Height, &ranges.h), std::pair(Axis::Width, &ranges.w)}) {
            if (view.in[input].layout.of(axis) != parted) continue;
            std::int64_t begin = 0;
            for (std::uint32_t k = 0; k < input; ++k) begin += view.in[k].shape[parted];
            const std::int64_t step = gridStep(view.in[input], axis);
            range->first = std::max(range->first, begin * step);
            range->last = std::min(range->last, (begin + view.in[input].shape[parted]) * step - 1);
            if (range->first > range->last) return std::nullopt;
        }
        return ranges;
    }

    static bool endsAxis(const Value& from, const Value& made, Axis axis) { return from.layout.of(axis) >= 0 && made.layout.of(axis) < 0; }

    static std::int64_t sizeBehind(const AxisReach& reach, std::int64_t size)
    {
        return reach.kind == ReachKind::Same ? size : std::max<std::int64_t>(1, outputSize(reach, size));
    }

    GridReaches reachesOf(const Prepared::Entry& entry, const NodeView& view, std::uint32_t input, int output) const
    {
        const Reach reach = entry.op->reach ? entry.op->reach(view) : Reach{};
        if (reach.h.kind == ReachKind::Unknown || reach.w.kind == ReachKind::Unknown)
            throw Error(ErrorCode::Usage,
                        "Layer '" + entry.node->name +
                            "' lies on the way and nobody knows what it reads; state it with --reach " +
                            entry.node->name + "=k3s1p1.");
        return gridReaches(*entry.op, view, reach, input, static_cast<std::size_t>(output));
    }

    static void joinHull(Need& target, const std::optional<UnitRange>& h, const std::optional<UnitRange>& w)
    {
        if (!h || !w) return;
        if (!target.hull) {
            target.hull = Ranges{*h, *w};
            return;
        }
        const auto join = [](UnitRange& a, const UnitRange& b) {
            a = {std::min(a.first, b.first), std::max(a.last, b.last)};
        };
        join(target.hull->h, *h);
        join(target.hull->w, *w);
    }

    // Adaptive pooling to several units reads a region for each; elsewhere the reach says it.
    static bool readsRegions(const Prepared::Entry& entry, const AxisReach& reach, std::int64_t out)
    {
        return entry.op->opClass == OpClass::GlobalPooling && reach.kind == ReachKind::Global && out > 1;
    }

    static std::optional<UnitRange> hullRead(const Prepared::Entry& entry, const AxisReach& reach,
                                             const UnitRange& range, std::int64_t in, std::int64_t out)
    {
        if (!readsRegions(entry, reach, out)) return rangeRead(reach, range, in);
        return UnitRange{floorDiv(range.first * in, out), ceilDiv((range.last + 1) * in, out) - 1};
    }

    static std::vector<std::vector<std::int64_t>> tableOf(const Prepared::Entry& entry, const AxisReach& reach,
                                                          std::int64_t in, std::int64_t out)
    {
        std::vector<std::vector<std::int64_t>> table(static_cast<std::size_t>(out));
        for (std::int64_t u = 0; u < out; ++u) {
            auto& row = table[static_cast<std::size_t>(u)];
            if (!readsRegions(entry, reach, out)) row = unitsRead(reach, u, in);
            else
                for (std::int64_t v = u * in / out; v < ceilDiv((u + 1) * in, out); ++v) row.push_back(v);
        }
        return table;
    }

    // Rows first, then columns: what a unit reads is a product of the two.
    static void joinUnits(const Need& need, const Reach& reach, const Prepared::Entry& entry, const MapSize& in,
                          const MapSize& out, Need& target)
    {
        const auto rows = tableOf(entry, reach.h, in.h, out.h), columns = tableOf(entry, reach.w, in.w, out.w);
        std::vector<bool> middle = noUnits(in.h, out.w);
        for (std::int64_t y = 0; y < out.h; ++y)
            for (std::int64_t x = 0; x < out.w; ++x)
                if (need.units[static_cast<std::size_t>(y * out.w + x)])
                    for (const std::int64_t v : rows[static_cast<std::size_t>(y)])
                        middle[static_cast<std::size_t>(v * out.w + x)] = true;
        if (target.units.empty()) target.units = noUnits(in.h, in.w);
        for (std::int64_t v = 0; v < in.h; ++v)
            for (std::int64_t x = 0; x < out.w; ++x)
                if (middle[static_cast<std::size_t>(v * out.w + x)])
                    for (const std::int64_t u : columns[static_cast<std::size_t>(x)])
                        target.units[static_cast<std::size_t>(v * in.w + u)] = true;
    }

    UnitField finish() const
    {
        const Need& need = m_needs[m_image];
        const MapSize size = mapOf(m_values[m_image]);
        UnitField out;
        out.side = {size.h, size.w};
        out.unbounded = need.unbounded;
        out.pixels = need.units;
        out.pixels.resize(static_cast<std::size_t>(size.h * size.w), false);
        if (!need.hull) return out;
        out.box = PixelBox{need.hull->h.first, need.hull->w.first, need.hull->h.last + 1, need.hull->w.last + 1};
        for (std::int64_t y = 0; y < size.h; ++y)
            for (std::int64_t x = 0; x < size.w; ++x) {
                if (!out.pixels[static_cast<std::size_t>(y * size.w + x)]) continue;
                if (!out.clipped) out.clipped = PixelBox{y, x, y + 1, x + 1};
                out.clipped->left = std::min(out.clipped->left, x);
                out.clipped->right = std::max(out.clipped->right, x + 1);
                out.clipped->bottom = y + 1;
            }
        const auto area = [](const PixelBox& box) {
            return static_cast<double>(box.height()) * static_cast<double>(box.width());
        };
        out.paddingFraction = out.clipped ? 1 - area(*out.clipped) / area(*out.box) : 1;
        return out;
    }

    Prepared m_prepared;
    std::vector<Value> m_values;
    std::vector<bool> m_carries;  // by value: a path leads from the image to it
    std::vector<Need> m_needs;
    std::size_t m_image = 0;
};

}  // namespace

Unit centreUnit(const Graph& graph, const std::string& layer)
{
    const Walk walk(graph, {});
    const MapSize size = walk.sizeOf(walk.entryNamed(layer), 0);
    return {size.h / 2, size.w / 2, 0};
}

UnitField unitField(const Graph& graph, const std::string& layer, const Unit& unit, const std::string& input)
{
    Walk walk(graph, input);
    return walk.run(walk.entryNamed(layer), unit);
}

}  // namespace fovea
