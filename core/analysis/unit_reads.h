// Which units of its input one output unit of a layer reads, along one axis: one rule per kind of reach.
#pragma once

#include "core/ops/reach.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace fovea {

// First and last unit; they may lie outside the map (padding).
struct UnitRange {
    std::int64_t first = 0, last = 0;
    bool operator==(const UnitRange&) const = default;
};

// Hull of what the units of `range` read; nullopt where they read nothing (a transposed convolution whose stride
// exceeds its kernel). `size` is the input's, for layers that read all of it.
std::optional<UnitRange> rangeRead(const AxisReach& reach, const UnitRange& range, std::int64_t size);

// Exactly the units in [0, size) that output unit `unit` reads, ascending. Interpolation beyond an edge reads the
// unit at the edge.
std::vector<std::int64_t> unitsRead(const AxisReach& reach, std::int64_t unit, std::int64_t size);

}  // namespace fovea
