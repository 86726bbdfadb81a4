// The table of layer kinds, and shape inference over a graph.
#pragma once

#include "core/ops/op_def.h"

#include <span>
#include <string_view>
#include <vector>

namespace fovea {

std::span<const OpDef* const> allOps();
// The kind's definition; the "opaque" one for a kind nobody knows.
const OpDef& opFor(std::string_view kind);
const OpDef* findOp(std::string_view kind);
// Kinds that read an ONNX node type, in the order in which they are tried. A type of another domain than the default
// is written "com.microsoft::QLinearAdd".
std::span<const OpDef* const> opsForOnnx(std::string_view type);

// A new node of a kind with every default set.
Node makeNode(std::string_view kind, std::string name = {}, std::vector<Port> inputs = {});

// A graph laid out for passes over it: execution order, definitions, and where each input comes from.
struct Prepared {
    struct Entry {
        const Node* node;
        const OpDef* op;
        std::uint32_t firstInput, inputCount;    // range in `sources`; at least the kind's minInputs
        std::uint32_t firstOutput, outputCount;  // range in `values`
    };
    std::vector<Entry> entries;         // in execution order
    std::vector<std::int32_t> sources;  // index in `values`, -1 where not connected
    std::vector<std::int32_t> sourceEntries;  // the same inputs as index in `entries`, -1 where not connected
    std::vector<NodeId> cyclic;

    std::int32_t entryOf(NodeId id) const;  // -1 where there is none
    std::vector<std::pair<NodeId, std::int32_t>> index;  // by id
};
Prepared prepare(const Graph& graph);

// Shapes of every value of a prepared graph; findings about what does not fit are appended to `issues`,
// one per cause: layers behind a broken one have unknown sizes and say nothing.
std::vector<Value> inferShapes(const Prepared& graph, std::vector<Issue>& issues);

// The same one layer at a time, in order, for passes that do more with each layer while it is at hand.
class ShapeInference {
public:
    ShapeInference(const Prepared& graph, std::vector<Issue>& issues);

    // The layer's inputs (unknown where not connected) and outputs, valid until the next call.
    NodeView infer(std::size_t entry);
    void finish();  // what concerns the whole network
    std::vector<Value>& values() { return m_values; }

private:
    const Prepared& m_graph;
    std::vector<Issue>& m_issues;
    std::vector<Value> m_values, m_in;
};
// The same for one layer.
std::vector<Value> inferNode(const Node& node, std::span<const Value> inputs, std::vector<Issue>& issues);

// The tensors that a layer owns, which start as its "init" says.
std::vector<ParamSpec> specsOf(const NodeView& view);

// The same with the name each has (bound or "LAYER.role").
struct NamedParam {
    ParamSpec spec;
    std::string tensor;
};
std::vector<NamedParam> paramsOf(const Node& node, std::span<const Value> in, std::span<const Value> out);

// Every violation of the attribute table ("stride must be at least 1, got 0").
void validate(const Node& node, std::vector<Issue>& issues);

}  // namespace fovea
