// The moves of refinement. Each lists what it can do to a network; none knows any architecture by name, and
// none judges: the planner analyses every candidate and keeps what helps.
#pragma once

#include "core/analysis/report.h"
#include "core/ops/registry.h"
#include "core/refine/plan.h"

#include <optional>
#include <set>
#include <vector>

namespace fovea::refine {

// A network with everything that moves look at, indexed by entry of `prepared`.
class Scene {
public:
    Scene(const Graph& graph, const Report& report, const std::set<NodeId>& keep);

    const Graph& graph() const { return m_graph; }
    const Report& report() const { return m_report; }
    std::size_t size() const { return m_prepared.entries.size(); }
    const Node& node(std::size_t entry) const { return *m_prepared.entries[entry].node; }
    const OpDef& op(std::size_t entry) const { return *m_prepared.entries[entry].op; }
    // Null for inputs of the network.
    const LayerReport* layer(std::size_t entry) const { return m_layers[entry]; }
    bool kept(std::size_t entry) const { return keeps(node(entry).id); }
    const std::set<NodeId>& keep() const { return m_keep; }
    bool keeps(NodeId id) const { return m_keep.contains(id); }
    // Entries that this one reads, -1 where an input is not connected: all, and those that carry an image
    // rather than only a size.
    std::span<const std::int32_t> inputs(std::size_t entry) const;
    std::span<const std::int32_t> paths(std::size_t entry) const;
    // How often its outputs are read, by layers and as outputs of the network.
    int readers(std::size_t entry) const { return m_readers[entry]; }
    // A convolution or pooling of the feature extractor that skips positions on some axis.
    bool isStrided(std::size_t entry) const;
    // A pooling whose windows do not overlap, so that without its stride nothing is left of it.
    bool isDisjointPooling(std::size_t entry) const;
    // A slice that keeps every n-th row and column of the whole map, as shortcuts without parameters do.
    bool isThinning(std::size_t entry) const;
    bool isSmallField() const;  // see score.h
    // One output, a map of channels by rows and columns in the two dimensions that convolutions and poolings slide over.
    bool isMap(std::size_t entry) const;

    // Settings of a layer are in the order of its file's dimensions, which may hold the image's columns first: a pair
    // ("stride"), and a padding [top, left, bottom, right], from what is asked for along the image's own axes.
    Ints pair(std::size_t entry, const PerAxis<std::int64_t>& value) const;
    Ints padding(std::size_t entry, const PerAxis<std::int64_t>& begin, const PerAxis<std::int64_t>& end) const;

private:
    const Graph& m_graph;
    const Report& m_report;
    const std::set<NodeId>& m_keep;
    Prepared m_prepared;
    std::vector<const LayerReport*> m_layers;
    std::vector<int> m_readers;
};

// One edit with what it takes to make it.
struct Change {
    Edit edit;
    NodeId layer = kNoNode;
    AttrValue value;                              // Set
    NodeId behind = kNoNode;                      // Move
    std::shared_ptr<const Node> added = nullptr;  // Add: under its id, which is free, and wired
    NodeId takesOver = kNoNode;                   // Add: whose readers read the new layer instead, if any
    std::optional<PerAxis<std::int64_t>> side = {};  // Set of an image input's shape

    static Change set(const Node& node, const char* attribute, AttrValue value);
    // Another side of the image: of its input, and of those that follow it.
    static std::vector<Change> resize(const Graph& graph, const Node& input, const PerAxis<std::int64_t>& side);
    static Change remove(const Node& node);
    static Change move(const Graph& graph, const Node& node, const Node& behind);
    // `names`: how the inputs are called.
    static Change add(Node node, const std::vector<std::string>& names, NodeId takesOver);
};

// Layers whose own settings stay and whose tensors change shape all the same.
struct Reshaped {
    std::set<NodeId> fewer;  // fewer channels reach them
    std::set<NodeId> any;    // fewer or more
    void add(const Reshaped& other);
};

// Adds a padding, where the layer does not follow its map's side by itself.
void setPadding(const Node& node, Ints padding, std::vector<Change>& changes);

// What a move can do: cheap to list, for most are never tried.
struct Candidate {
    std::vector<Change> changes;
    Reshaped reshaped = {};

    std::vector<Edit> edits() const;
    Graph appliedTo(Graph graph) const;
};

// A stride to 1, or a large one to its half, with every other stride that must follow so that branches still meet.
std::vector<Candidate> relaxStrides(const Scene& scene);
// A strided pooling to a later place that every path passes.
std::vector<Candidate> movePoolings(const Scene& scene);
// The same to an earlier place, where the field is smaller than the side.
std::vector<Candidate> movePoolingsEarlier(const Scene& scene);
// The stride of a convolution to a later one; where the field is smaller than the side, to an earlier one, too.
std::vector<Candidate> moveStrides(const Scene& scene);
// A stride of 2 where there is none, where the field is smaller than the side.
std::vector<Candidate> addStrides(const Scene& scene);
// A smaller kernel in the first convolution.
std::vector<Candidate> shrinkStem(const Scene& scene);
// A wide strided first convolution to 3x3 at stride 1, without the pooling behind it.
std::vector<Candidate> smallImageStem(const Scene& scene);
// Smaller kernels in wide layers of one stage, in all that downsample, or in all; larger ones in a stage where the
// field is smaller than the side.
std::vector<Candidate> changeKernels(const Scene& scene);
// No dilation where there is some; dilated stages where the field is smaller than the side.
std::vector<Candidate> changeDilations(const Scene& scene);
// The unproductive layers at the end out, with or without the critical ones before them.
std::vector<Candidate> cutTail(const Scene& scene);
// The tail out, its blocks put again behind blocks of earlier stages, and all that is left as wide as the old number
// of parameters allows.
std::vector<Candidate> spreadTail(const Scene& scene);
// A 1x1 convolution around stretches without a skip connection, in networks that have such connections.
std::vector<Candidate> addSkips(const Scene& scene);
// A pooling, or a further stage at the end, where the field is smaller than the side.
std::vector<Candidate> addPoolings(const Scene& scene);
std::vector<Candidate> addStage(const Scene& scene);
// The smallest side at which every layer is productive; where the network has errors, the nearest without them.
std::vector<Candidate> changeSide(const Scene& scene);

}  // namespace fovea::refine
