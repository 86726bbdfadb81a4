// Refinements: changes of one or a few hyperparameters that make layers productive, with what they do to
// the network predicted. arXiv 2211.14487.
#pragma once

#include "core/analysis/memory.h"
#include "core/analysis/report.h"
#include "core/weights/weights.h"

#include <atomic>
#include <functional>
#include <string>
#include <vector>

namespace fovea {

// One change in words that scripts can read.
struct Edit {
    enum class Op { Set, Add, Remove, Move } op = Op::Set;
    std::string layer;
    std::string attribute;  // Set
    std::string from, to;   // Set: values; Move: the layers it stood after and stands after
    std::string after;      // Add, Move: the layer it now follows
    bool operator==(const Edit&) const = default;
};
const char* toString(Edit::Op op);

struct Plan {
    std::string id;      // hash of the edits, stable across runs
    std::string title;   // "Stride of conv1 from 2 to 1"
    std::string reason;  // one sentence: what it does and why it helps here
    std::vector<Edit> edits;
    Graph graph;  // the refined network, at its own side
    Summary before, after;
    std::int64_t memoryBefore = 0, memoryAfter = 0;  // bytes that a training step keeps, as the request asks
    TransferPlan weights;
};

enum class Want { Accuracy, Efficiency, Balance };

struct PlanRequest {
    Want want = Want::Accuracy;
    std::optional<std::int64_t> maxMacs, maxParameters, maxMemoryBytes;
    std::vector<std::string> keep;  // layers that must stay as they are
    MemoryOptions memory;           // at which maxMemoryBytes holds; that is what training keeps
    AnalysisOptions analysis;
    const std::atomic<bool>* cancel = nullptr;
};

// A limit that keeps every plan out, and the least value that lets one in.
struct Loosening {
    enum class Limit { Macs, Parameters, Memory } limit = Limit::Macs;
    std::int64_t from = 0, to = 0;
};

// Plans for the graph at its own side, best first; empty where nothing needs to be done or nothing helps. Where
// only the limits stand in the way, `loosen` receives those to loosen, as few and as little as lets a plan in.
std::vector<Plan> propose(const Graph& graph, const PlanRequest& request = {},
                          std::vector<Loosening>* loosen = nullptr);

// Whether any layer is unproductive, partial or critical, or the field is smaller than the side.
bool needsRefinement(const Report& report);

}  // namespace fovea
