// The network as a value. Nodes are shared and immutable, so a copy is cheap and an old copy stays true
// for ever; changing a node replaces it in this graph only.
#pragma once

#include "core/base/error.h"
#include "core/graph/attributes.h"
#include "core/graph/preprocessing.h"
#include "core/graph/shape.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fovea {

using NodeId = std::int64_t;
inline constexpr NodeId kNoNode = 0;

// One output of one node.
struct Port {
    NodeId node = kNoNode;
    int output = 0;
    bool operator==(const Port&) const = default;
};

// Names the tensor (in the weights beside the graph) that plays `role` ("weight", "bias", ...) in a layer.
struct TensorBinding {
    std::string role;
    std::string tensor;
    bool operator==(const TensorBinding&) const = default;
};

// How the file that a layer came from wrote it; kept so that an untouched layer goes out unchanged.
// The bytes are the format's own (for ONNX: serialized NodeProtos).
struct Origin {
    std::vector<std::string> nodes;        // serialized, in the file's order
    std::vector<std::string> inputNames;   // per input of the layer: the value name the nodes read
    std::vector<std::string> outputNames;  // per output of the layer: the value name the nodes write
    std::vector<Value> inputs, outputs;    // shapes at import
    bool sizesBaked = false;               // the nodes hold constants that are right for these shapes only
};

struct Node {
    NodeId id = kNoNode;
    std::string name;  // unique in its graph
    std::string kind;  // an OpDef of core/ops, such as "Conv2d"
    Attributes attrs;
    std::vector<Port> inputs;  // an empty Port is an input that is not connected yet
    std::string group;         // dotted path, such as "layer1.0"; empty: none
    std::vector<TensorBinding> tensors;
    std::shared_ptr<const Origin> origin;  // null: made in Fovea, or edited since

    const TensorBinding* tensor(std::string_view role) const;
    std::string tensorName(std::string_view role) const;  // the bound one, else "LAYER.role"
    // Same settings and wiring; origin is not compared.
    bool sameAs(const Node& other) const;
};

struct GraphOutput {
    std::string name;
    Port port;
    bool operator==(const GraphOutput&) const = default;
};

class Graph {
public:
    using NodePtr = std::shared_ptr<const Node>;

    // In ascending id, which is insertion order.
    const std::vector<NodePtr>& nodes() const;
    const Node* find(NodeId id) const;
    const Node* findByName(std::string_view name) const;  // linear
    const Node& at(NodeId id) const;                      // Error(Internal) where there is none

    // Adds a node under a new id; a name that is empty or taken becomes unique ("Conv2d", "Conv2d_1").
    NodeId add(Node node);
    // Adds a node under the id it carries, for readers; Error(Format) where the id or the name is taken.
    void insert(Node node);
    // Replaces a node by an edited copy of itself and forgets its origin when anything but the group changed.
    void update(NodeId id, const std::function<void(Node&)>& edit);
    void rename(NodeId id, std::string name);  // Error(Usage) where the name is empty or taken
    // Removes the node; whoever read it is left with an empty input.
    void remove(NodeId id);
    // Whoever reads `from` reads `to` afterwards, outputs included. Origins stay: writers rename values.
    void rewire(Port from, Port to);
    void setInput(NodeId id, std::size_t index, Port source);

    const std::vector<GraphOutput>& outputs() const { return m_outputs; }
    void setOutputs(std::vector<GraphOutput> outputs) { m_outputs = std::move(outputs); }

    const std::string& name() const { return m_name; }
    void setName(std::string name) { m_name = std::move(name); }

    // Findings of the importer, which travel with the network.
    const std::vector<Issue>& notes() const { return m_notes; }
    void setNotes(std::vector<Issue> notes) { m_notes = std::move(notes); }

    // How an image becomes the network's input; nullopt: nobody said.
    const std::optional<Preprocessing>& preprocessing() const { return m_preprocessing; }
    void setPreprocessing(std::optional<Preprocessing> preprocessing) { m_preprocessing = std::move(preprocessing); }

    std::string uniqueName(std::string_view wanted) const;
    NodeId nextId() const { return m_nextId; }

private:
    std::size_t slot(NodeId id) const;
    void edit(NodeId id, bool keepOrigin, const std::function<void(Node&)>& change);

    std::vector<NodePtr>& ownNodes();  // no longer shared with other graphs

    std::shared_ptr<std::vector<NodePtr>> m_nodes;  // shared until one of the copies is edited; null: none
    std::vector<GraphOutput> m_outputs;
    std::vector<Issue> m_notes;
    std::string m_name;
    std::optional<Preprocessing> m_preprocessing;
    NodeId m_nextId = 1;
};

// Readers of each port: the nodes that use any output of a node, by the node's slot in nodes().
std::vector<std::vector<NodeId>> consumers(const Graph& graph);

// Execution order: ascending id where that is a valid order, else topological with ties by id. Nodes on a
// cycle come last, in ascending id, and are listed in `cyclic` where asked for.
std::vector<NodeId> executionOrder(const Graph& graph, std::vector<NodeId>* cyclic = nullptr);

// What changed between two graphs, by node id.
struct GraphDiff {
    std::vector<NodeId> added, removed, changed, rewired;
    bool outputsChanged = false, preprocessingChanged = false;
    bool empty() const
    {
        return added.empty() && removed.empty() && changed.empty() && rewired.empty() && !outputsChanged &&
               !preprocessingChanged;
    }
};
GraphDiff diff(const Graph& before, const Graph& after);

}  // namespace fovea
