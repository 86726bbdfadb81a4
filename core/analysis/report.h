// Receptive field analysis: one Report value from one Graph. Definitions: Richter et al., "Should You Go
// Deeper?" (arXiv 2106.12307); Richter and Pal, "Receptive Field Refinement" (arXiv 2211.14487); Araujo et
// al., "Computing Receptive Fields of Convolutional Neural Networks" (Distill 2019).
#pragma once

#include "core/base/rational.h"
#include "core/graph/graph.h"
#include "core/ops/registry.h"

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace fovea {

// What the fields predict for a layer at the input side in use; arXiv 2106.12307.
enum class Verdict : std::uint8_t { Productive, Critical, Partial, Unproductive, NotApplicable, Unknown };
inline constexpr int kVerdictCount = 6;
const char* toString(Verdict verdict);  // "productive", ..., "not_applicable", "unknown"

// One number per image axis.
template <typename T>
struct PerAxis {
    T h{};
    T w{};
    bool operator==(const PerAxis&) const = default;
};

// All in pixels of the input; `start` is the first pixel that unit 0 sees (negative: padding).
struct FieldReport {
    Rational jump;
    std::int64_t rfMin = 1, rfMax = 1, start = 0;
    std::int64_t inMin = 1;  // smallest rfMin among the layer's inputs
    bool operator==(const FieldReport&) const = default;
};

// Tensors among all of a report; an input that is not connected reads as an unknown value.
class ValueRefs {
public:
    ValueRefs() = default;
    ValueRefs(const Value* all, std::span<const std::int32_t> at) : m_all(all), m_at(at) {}

    std::size_t size() const { return m_at.size(); }
    bool empty() const { return m_at.empty(); }
    const Value& operator[](std::size_t index) const;
    std::int32_t position(std::size_t index) const { return m_at[index]; }  // in ReportTensors::values, or -1

private:
    const Value* m_all = nullptr;
    std::span<const std::int32_t> m_at;
};

// One row of a report. Points into the report, whose copies share what it points to.
struct LayerReport {
    NodeId id = kNoNode;
    const Node* node = nullptr;
    const OpDef* op = nullptr;
    Verdict verdict = Verdict::NotApplicable;
    bool finite = false;       // at least one finite path from the input: part of the feature extractor
    bool unbounded = false;    // at least one path through a global layer
    bool unknown = false;      // a layer of unknown reach lies on a path to it
    bool approximate = false;
    bool coversMap = false;    // the kernel is at least as large as its input map
    bool window = false;       // judged: a kernel > 1 that slides
    PerAxis<FieldReport> field;  // meaningful where `finite`
    const Reach* reach = nullptr;
    ValueRefs in;
    std::span<const Value> out;
    std::optional<std::int64_t> parameters, macs;  // nullopt: cannot be counted

    const std::string& name() const { return node->name; }
    const std::string& kind() const { return node->kind; }
    const std::string& group() const { return node->group; }
};

// What the rows of a report point to.
struct ReportTensors {
    std::vector<Value> values;          // every tensor of the network
    std::vector<std::int32_t> sources;  // inputs of all layers, as positions in `values`
    std::deque<Reach> reaches;

    std::vector<bool> constant;         // per tensor: a constant of the network that has no row of its own

    // Of a tensor that is one of `values`.
    std::size_t positionOf(const Value& value) const { return static_cast<std::size_t>(&value - values.data()); }
};

struct Summary {
    std::optional<PerAxis<std::int64_t>> iMin, iMinProductive, iMinRfa, iMax;
    std::int64_t parameters = 0, macs = 0;
    std::int64_t products = 0;  // multiply-accumulates between activations, listed apart
    bool complete = true;       // false: something could not be counted, or `bounded` is false
    bool counted = true;        // false: parameters or multiply-accumulates of a layer could not be counted
    // False: a layer of unknown reach lies on the way to one that slides. The bounds are then those of the known
    // layers: at least these.
    bool bounded = true;
    bool judged = true;         // false: one of those layers would be judged
    std::array<int, kVerdictCount> verdicts{};
    std::optional<NodeId> borderLayer;

    int count(Verdict verdict) const { return verdicts[static_cast<std::size_t>(verdict)]; }
};

struct AnalysisOptions {
    bool pointwise = false;      // judge 1x1 convolutions and per-position linear layers too
    bool globalNorms = false;    // group and instance normalisation see the whole map
    std::string input;           // name of the analysed input; empty: the first of rank 4
};

struct Report {
    Graph graph;  // the one analysed; its nodes are shared, so this costs little
    std::string inputName;
    NodeId input = kNoNode;
    Shape inputShape;               // [n, c, h, w]; a dynamic batch reads 1
    std::string inputLayout = "NCHW";  // the order of its dimensions in the file
    PerAxis<std::int64_t> side;     // of the analysed input
    Summary summary;
    std::vector<LayerReport> layers;  // every layer but inputs, in execution order
    std::vector<std::pair<std::string, Shape>> inputs, outputs;
    std::vector<Issue> issues;
    std::shared_ptr<const ReportTensors> tensors;

    const LayerReport* find(NodeId id) const;
    std::vector<std::pair<NodeId, std::size_t>> index;  // by id
};

Report analyze(const Graph& graph, const AnalysisOptions& options = {});

// The analysed input's [h, w], and the graph with another one. Error(Usage) where the graph has no input of
// rank 4 or a side is below 1 or above 1,000,000.
const Node* imageInput(const Graph& graph, const std::string& name = {});
// What becomes of a height and width that the file leaves open: numbers from now on (whoever writes the graph states
// them), or open still, with a size in use.
enum class SideUse { Written, Analysed };
// In every image input that the file declares with the same sides, or the same symbols, as the analysed one. Error(Usage)
// too where one symbol stands for both and they differ.
Graph withSide(const Graph& graph, std::int64_t height, std::int64_t width, const std::string& input = {},
               SideUse use = SideUse::Written);
// Symbols of `before` that are numbers in `after`, each once; kUnnamed (first_image.h) for sizes without a name.
std::vector<std::string> statedSymbols(const Graph& before, const Graph& after);

// The graph in which the opaque layer `name`, or every opaque one of ONNX type TYPE where the name is "op:TYPE", is
// stated to read a window "k3s2p1d1" ("up2", "global", "same": see parseStatedReach); Error(Usage) where there is no
// such layer, it is not opaque or the text is something else.
Graph withReach(const Graph& graph, const std::string& name, const std::string& text);

// The graph whose image is the inner tensor `name` (of the file that it came from, or a layer's output), at the size
// that it has; layers that only make it are left out. Error(Usage) where there is none, or it is no map of known size.
Graph withInnerImage(const Graph& graph, const std::string& name);
bool hasInnerTensor(const Graph& graph, const std::string& name);

}  // namespace fovea
