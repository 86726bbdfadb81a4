// Refinements: changes of one or a few hyperparameters that make layers productive, with what they do to
// the network predicted. arXiv 2211.14487.
#pragma once

#include "core/analysis/memory.h"
#include "core/analysis/report.h"
#include "core/weights/weights.h"

#include <array>
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
    // Set: values. Move: the layers it stood after and stands after. Add: what it reads beside `after`, and its kind
    // with its settings, "Conv2d(kernel_size=1x1, out_channels=24)".
    std::string from, to;
    std::string after;  // Add, Move: the layer it now follows
    bool operator==(const Edit&) const = default;
};
const char* toString(Edit::Op op);
// A layer's kind with those of its settings that are not the kind's defaults.
std::string settingsText(const Node& node);

// Bytes, as the request asks: what a training step keeps, and the most that is alive at once for inference.
struct MemoryNeed {
    std::int64_t training = 0, inference = 0;
    bool operator==(const MemoryNeed&) const = default;
};

// Seconds that inference took for a batch, measured with the network before and after.
struct Latency {
    double before = 0, after = 0;
    std::int64_t batch = 1;
    std::string device;
};

struct Plan {
    std::string id;      // hash of the edits, stable across runs
    std::string title;   // "Stride of conv1 from 2 to 1"
    std::string reason;  // one sentence: what it does and why it helps here
    std::vector<Edit> edits;
    Graph graph;  // the refined network, at its own side
    Summary before, after;
    MemoryNeed memoryBefore, memoryAfter;
    std::vector<NodeId> relieved;  // layers that were not productive and become so
    TransferPlan weights;
    std::vector<Issue> issues;       // what else to know of it: output-shrinks
    std::optional<Latency> latency;  // where it was measured, which no search does
    // Where it stands, from 0, among the plans that were proposed with it, by each Want; -1: it was not proposed.
    std::array<int, 3> places{-1, -1, -1};
};

// The plans of a list that first come to mind; null: there is none. Another side of the image is none of them.
struct Picks {
    const Plan* cheapest = nullptr;    // fewest multiply-accumulates
    const Plan* balanced = nullptr;    // Want::Balance
    const Plan* productive = nullptr;  // Want::Accuracy
};
Picks picksOf(const std::vector<Plan>& plans);

// Whether it changes nothing but the side of the image, which is not always the user's to choose.
bool isSideChange(const std::vector<Edit>& edits);

enum class Want { Accuracy, Efficiency, Balance };  // the first is called productive

struct PlanRequest {
    Want want = Want::Accuracy;
    std::optional<std::int64_t> maxMacs;
    std::optional<std::int64_t> minParameters;              // without it leastParameters()
    std::optional<std::int64_t> maxParameters;              // without it as many as the network has
    std::optional<std::int64_t> maxTraining, maxInference;  // bytes, at `memory`
    std::optional<std::int64_t> outputStride;               // that the network must have: see outputStrideOf()
    std::vector<std::string> keep;  // layers (by name or moduleName()) or groups that must stay as they are
    MemoryOptions memory;
    AnalysisOptions analysis;
    // The network's own tensors, where it has been edited since they were made: a plan's transfer starts from them.
    std::shared_ptr<const Weights> weights;
    const std::atomic<bool>* cancel = nullptr;
    // Whether the refined network can be what the caller makes of it, such as a file of an opset that has an operator
    // for each layer; asked only of plans that would be offered. Empty: any can.
    std::function<bool(const Graph&)> accepts = {};
    bool isCancelled() const { return cancel && cancel->load(std::memory_order_relaxed); }
};

// The fewest parameters that plans for a network of `now` may leave. Accuracy means the same parameters, as in the
// paper's own refinements, which lose up to a hundredth of them: 0.99 `now`. The other wishes may cut layers.
std::int64_t leastParameters(const PlanRequest& request, std::int64_t now);

// A limit that keeps every plan out, and the nearest value that lets one in.
struct Loosening {
    enum class Limit { Macs, MinParameters, MaxParameters, Training, Inference, OutputStride, Keep, Latency };
    Limit limit = Limit::Macs;
    std::int64_t from = 0, to = 0;  // Keep: how many of the names stay; Latency: microseconds
    std::string layer = {};         // Keep: the name to let go; empty: all of them
    bool operator==(const Loosening&) const = default;
};

// The limits that the request states and the plan exceeds, each with the value that lets it in; `keep` and latency
// apart.
std::vector<Loosening> exceededBy(const Plan& plan, const PlanRequest& request);

// For plans of which the fastest was measured to take so many microseconds: a tenth more, for no two measurements
// agree.
Loosening loosenedLatency(std::int64_t from, std::int64_t fastest);

// Plans for the graph at its own side, best first; empty where nothing needs to be done or nothing helps. Each is a
// network without errors, also where the graph is none. None changes a layer behind one of unknown reach, or what such
// a layer reads: see firstUnknown(). Where only the limits stand in the way, `loosen` receives those to loosen, as few
// and as little as lets a plan in.
std::vector<Plan> propose(const Graph& graph, const PlanRequest& request = {},
                          std::vector<Loosening>* loosen = nullptr);

// Every single move that can be made here with what it does, whether it helps or not: those of the first layers
// first. None brings an error into the network. Only `keep` of the limits holds. Empty when cancelled.
std::vector<Plan> listMoves(const Graph& graph, const PlanRequest& request = {});

// The moves of these ids (from listMoves() on the same graph and `keep`) one after the other, as one plan.
// Error(Usage) where there is no such move, or one before it has made it impossible.
Plan combine(const Graph& graph, const std::vector<std::string>& ids, const PlanRequest& request = {});

// Pixels of the image between neighbouring units of the coarsest map of the feature extractor, larger axis: the
// output stride of dense prediction.
std::int64_t outputStrideOf(const Report& report);

// Whether it is no network at its side, any layer is unproductive, partial or critical, or the field is smaller than
// the side.
bool needsRefinement(const Report& report);
// Whether layers that would be judged, or that bound the fields, stand behind one of unknown reach: then nothing can be
// said of the network as a whole, its bounds and its field are those of the known layers.
bool dependsOnUnknown(const Summary& summary);
// The first layer whose reach nobody knows; null where there is none.
const LayerReport* firstUnknown(const Report& report);
// The first finding that makes it no network at its side, such as a head that reads a map of another size; null where
// it is one.
const Issue* firstError(const Report& report);

}  // namespace fovea
