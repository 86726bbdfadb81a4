// The network at several input sides: how many layers use what they see, and what it costs.
#pragma once

#include "core/analysis/memory.h"

#include <QString>

#include <atomic>
#include <vector>

namespace fovea::studio {

struct AtSize {
    PerAxis<std::int64_t> side;
    Summary summary;
    std::int64_t training = 0, inference = 0;  // bytes
};

// One row a side, in order; stops early, with what it has, once `cancelled` is set.
std::vector<AtSize> analyzeAtSizes(const Graph& graph, const std::vector<PerAxis<std::int64_t>>& sides, const MemoryOptions& memory,
                                   const std::atomic<bool>& cancelled);

// "32, 64 96x128" as sides, ascending by height and each once; empty where a part is no side or there are
// more than 64.
std::vector<PerAxis<std::int64_t>> readSizes(const QString& text);

// Where `side` stands among the heights of `rows`, 1 being the first of them, between two of them in proportion;
// beyond the ends by half a step.
double placeOf(std::int64_t side, const std::vector<AtSize>& rows);

}  // namespace fovea::studio
