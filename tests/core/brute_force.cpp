#include "tests/core/brute_force.h"

#include "core/base/checked.h"

#include <algorithm>

namespace fovea::test {

namespace {

// Units of the input that an interval of output units reads.
Interval reads(const AxisReach& r, Interval units)
{
    const auto resized = [&](std::int64_t u, bool last) {
        const std::int64_t num = r.scale.num(), den = r.scale.den();
        if (r.taps == 1) return floorDiv(u * den, num);
        const std::int64_t at = floorDiv((2 * u + 1) * den - num, 2 * num);
        const std::int64_t before = r.taps == 4 ? 1 : 0, behind = r.taps == 4 ? 2 : 1;
        return last ? at + behind : at - before;
    };
    switch (r.kind) {
    case ReachKind::Window: return {units.low * r.stride - r.padBegin, units.high * r.stride - r.padBegin + r.effectiveKernel() - 1};
    case ReachKind::Crop: return {units.low * r.step + r.offset, units.high * r.step + r.offset};
    case ReachKind::Transposed: return {ceilDiv(units.low + r.padBegin - r.effectiveKernel() + 1, r.stride), floorDiv(units.high + r.padBegin, r.stride)};
    case ReachKind::Resize: return {resized(units.low, false), resized(units.high, true)};
    default: return units;
    }
}

}  // namespace

struct BruteForce::Walker {
    const Graph& graph;
    Prepared prepared;
    Axis axis;
    std::vector<Value> values;

    Walker(const Graph& g, Axis along) : graph(g), prepared(prepare(g)), axis(along)
    {
        std::vector<Issue> issues;
        values = inferShapes(prepared, issues);
    }

    AxisReach reachOf(const Prepared::Entry& entry) const
    {
        if (!entry.op->reach) return {};
        std::vector<Value> in;
        for (std::uint32_t i = 0; i < entry.inputCount; ++i) {
            const std::int32_t source = prepared.sources[entry.firstInput + i];
            in.push_back(source < 0 ? Value{} : values[static_cast<std::size_t>(source)]);
        }
        const Reach both = entry.op->reach({*entry.node, in, {values.data() + entry.firstOutput, entry.outputCount}});
        return axis == Axis::Height ? both.h : both.w;
    }

    const Prepared::Entry& entryOf(NodeId id) const { return prepared.entries[static_cast<std::size_t>(prepared.entryOf(id))]; }

    template <typename Join>
    std::optional<Interval> walk(NodeId id, Interval units, Join join) const
    {
        const Prepared::Entry& entry = entryOf(id);
        if (entry.op->opClass == OpClass::Input) return units;
        const AxisReach r = reachOf(entry);
        if (r.kind == ReachKind::Global) return std::nullopt;
        const Interval inner = reads(r, units);
        std::optional<Interval> all;
        for (const Port& port : entry.node->inputs) {
            const auto part = walk(port.node, inner, join);
            if (part) all = all ? join(*all, *part) : *part;
        }
        return all;
    }
};

BruteForce::BruteForce(const Graph& graph, Axis axis) : m_walker(std::make_unique<Walker>(graph, axis)) {}

BruteForce::~BruteForce() = default;

std::optional<Interval> BruteForce::backward(NodeId layer, std::int64_t unit) const
{
    return m_walker->walk(layer, {unit, unit}, [](Interval a, Interval b) { return Interval{std::min(a.low, b.low), std::max(a.high, b.high)}; });
}

std::optional<std::int64_t> BruteForce::smallestPath(NodeId layer, std::int64_t unit) const
{
    const auto path = m_walker->walk(layer, {unit, unit}, [](Interval a, Interval b) { return a.high - a.low <= b.high - b.low ? a : b; });
    return path ? std::optional(path->high - path->low + 1) : std::nullopt;
}

}  // namespace fovea::test
