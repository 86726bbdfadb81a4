// Receptive fields the slow way, for tests: backward interval propagation through every edge and enumeration
// of every path.
#pragma once

#include "core/ops/registry.h"

#include <cstdint>
#include <memory>
#include <optional>

namespace fovea::test {

struct Interval {
    std::int64_t low, high;
    bool operator==(const Interval&) const = default;
};

enum class Axis { Height, Width };

// One network along one axis.
class BruteForce {
public:
    BruteForce(const Graph& graph, Axis axis);
    ~BruteForce();

    // Pixels that output unit `unit` of `layer` sees, union of all paths; nullopt without one.
    std::optional<Interval> backward(NodeId layer, std::int64_t unit) const;
    // Smallest extent over all paths from the input to that unit.
    std::optional<std::int64_t> smallestPath(NodeId layer, std::int64_t unit) const;

private:
    struct Walker;
    std::unique_ptr<Walker> m_walker;
};

}  // namespace fovea::test
