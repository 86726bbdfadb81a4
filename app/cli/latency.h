// `fovea refine --max-latency`: plans held against what the engine measures on this machine.
#pragma once

#include "app/cli/command.h"
#include "core/refine/plan.h"

#include <iosfwd>
#include <optional>
#include <vector>

namespace fovea::cli {

// Of --max-latency: seconds, or a multiple of what the network takes now.
struct LatencyLimit {
    double amount = 0;
    bool isMultiple = false;
};
// "12ms", "0.05s", "800us" or "1.5x"; nullopt without the option. Error(Usage).
std::optional<LatencyLimit> latencyLimit(const Arguments& arguments);

// propose() with each plan's network measured: those that take longer for a batch of request.memory.batch images are
// left out, and where that leaves none, cheaper ones are searched for. Each plan says what was measured; `loosen`
// receives the limit to loosen. Errors of the engine are passed on.
std::vector<Plan> proposeWithin(const LatencyLimit& limit, const Graph& graph, PlanRequest request,
                                const std::string& device, std::vector<Loosening>& loosen, std::ostream& notes);

}  // namespace fovea::cli
