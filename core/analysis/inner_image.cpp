#include "core/analysis/report.h"

#include <algorithm>
#include <set>

namespace fovea {

namespace {

// The output of a layer called `name`, or the value that the file called so.
Port innerPort(const Graph& graph, const std::string& name)
{
    for (const auto& node : graph.nodes()) {
        if (node->kind == "Input") continue;
        if (node->name == name) return {node->id, 0};
        if (!node->origin) continue;
        const auto& names = node->origin->outputNames;
        if (const auto it = std::find(names.begin(), names.end(), name); it != names.end())
            return {node->id, static_cast<int>(it - names.begin())};
    }
    return {};
}

Value valueAt(const Graph& graph, const Port& port)
{
    const Prepared prepared = prepare(graph);
    std::vector<Issue> issues;
    const std::vector<Value> values = inferShapes(prepared, issues);
    const auto& entry = prepared.entries[static_cast<std::size_t>(prepared.entryOf(port.node))];
    return port.output < static_cast<int>(entry.outputCount)
               ? values[entry.firstOutput + static_cast<std::size_t>(port.output)]
               : Value{};
}

// Layers that lead to nothing any more, from `last` backwards. Inputs stay: they are the file's.
void dropUnread(Graph& graph, NodeId last)
{
    std::vector<NodeId> open{last};
    while (!open.empty()) {
        const Node* node = graph.find(open.back());
        open.pop_back();
        if (!node || node->kind == "Input") continue;
        const auto reads = [&](const Port& port) { return port.node == node->id; };
        const auto& nodes = graph.nodes();
        const bool read = std::any_of(nodes.begin(), nodes.end(), [&](const auto& other) {
            return std::any_of(other->inputs.begin(), other->inputs.end(), reads);
        });
        const auto& outputs = graph.outputs();
        if (read ||
            std::any_of(outputs.begin(), outputs.end(), [&](const GraphOutput& output) { return reads(output.port); }))
            continue;
        for (const Port& port : node->inputs)
            if (port.node != kNoNode) open.push_back(port.node);
        graph.remove(node->id);
    }
}

}  // namespace

bool hasInnerTensor(const Graph& graph, const std::string& name) { return innerPort(graph, name).node != kNoNode; }

Graph withInnerImage(const Graph& graph, const std::string& name)
{
    const Port port = innerPort(graph, name);
    if (port.node == kNoNode) throw Error(ErrorCode::Usage, "The network has no inner tensor called '" + name + "'.");
    const Value value = valueAt(graph, port);
    if (!value.shape.isComplete() || (value.shape.rank() != 4 && value.shape.rank() != 3))
        throw Error(ErrorCode::Usage, "'" + name + "' is no map of known size that could be the image: its shape is " +
                                          value.shape.text() + ".");
    Graph out = graph;
    Node image;
    image.kind = "Input";
    image.attrs.set("shape", Ints(value.shape.dims().begin(), value.shape.dims().end()));
    image.name = out.uniqueName("image");
    const NodeId id = out.add(std::move(image));
    out.rewire(port, {id, 0});
    dropUnread(out, port.node);
    // A layer of this name may be left, with other outputs.
    if (const Node* other = out.findByName(name); other && other->id != id)
        out.rename(other->id, out.uniqueName(name + "_rest"));
    out.rename(id, name);
    return out;
}

}  // namespace fovea
