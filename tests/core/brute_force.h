// Receptive fields the slow way, for tests: backward interval propagation through every edge and enumeration
// of every path.
#pragma once

#include "core/ops/registry.h"

#include <cstdint>
#include <optional>

namespace fovea::test {

struct Interval {
    std::int64_t low, high;
    bool operator==(const Interval&) const = default;
};

// Pixels along the height that output unit `unit` of `layer` sees, union of all paths; nullopt without one.
std::optional<Interval> backward(const Graph& graph, NodeId layer, std::int64_t unit);

// Smallest extent over all paths from the input to that unit.
std::optional<std::int64_t> smallestPath(const Graph& graph, NodeId layer, std::int64_t unit);

}  // namespace fovea::test
