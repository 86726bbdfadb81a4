// Stretches of a network between points that every path passes, for moves that treat several layers as one, and new
// layers for them.
#pragma once

#include "core/refine/moves.h"

#include <map>

namespace fovea::refine {

bool isPointwise(OpClass opClass);  // a normalisation, activation or dropout

bool isPadding(const Node& node);  // belongs to the layer behind it, whose border it makes

// Maps that every path passes, in order. A normalisation or activation belongs to the layer before it.
std::vector<std::size_t> waists(const Scene& scene);

// What stands behind one waist up to and with the next.
struct Stretch {
    std::size_t from, to;  // entries; `from` itself is outside
    bool windows = false;  // holds a convolution with a kernel > 1
    bool skipped = false;  // holds a window, and a path around all of them
};
std::vector<Stretch> stretches(const Scene& scene);
// A 1x1 convolution over all channels, as at the end of an inverted residual.
bool holdsProjection(const Scene& scene, const Stretch& stretch);

// Collects layers to add, under ids and names that are free.
class Additions {
public:
    explicit Additions(const Scene& scene) : m_graph(scene.graph()), m_nextId(m_graph.nextId()) {}

    // A layer that reads `inputs`, in `group`, and takes over the readers of `takesOver`; returns its id.
    NodeId add(Node node, const std::string& wantedName, const std::string& group, const std::vector<NodeId>& inputs,
               NodeId takesOver = kNoNode);
    const std::vector<Change>& changes() const { return m_changes; }

private:
    std::string nameOf(NodeId id) const;
    std::string freeName(const std::string& wanted) const;

    const Graph& m_graph;
    NodeId m_nextId;
    std::vector<Change> m_changes;
    std::map<NodeId, NodeId> m_takers;  // who reads a layer reads what took it over
};

// The convolution, its norm and its activation as the network has them behind `entry`, a convolution.
struct Style {
    bool norm = false;
    std::optional<Node> activation;
};
Style styleOf(const Scene& scene, std::size_t entry);

}  // namespace fovea::refine
