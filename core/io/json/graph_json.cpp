#include "core/io/json/graph_json.h"

#include "core/io/json/preprocessing_json.h"
#include "core/ops/registry.h"

#include <algorithm>
#include <unordered_set>

namespace fovea {

namespace {

void checkPorts(const JsonAt& top, const Graph& graph)
{
    const auto check = [&](const JsonAt& place, const Port& port) {
        if (port.node != kNoNode && !graph.find(port.node))
            place.wrong("names layer " + std::to_string(port.node) + ", which does not exist");
    };
    const JsonAt nodes = top.at("nodes");
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        const Node* node = graph.find(nodes[i].at("id").integer(1, kMaxNodeId));
        const JsonAt inputs = nodes[i].at("inputs");
        for (std::size_t k = 0; k < inputs.size(); ++k) check(inputs[k], node->inputs[k]);
    }
    for (std::size_t i = 0; i < graph.outputs().size(); ++i) check(top.at("outputs")[i], graph.outputs()[i].port);
}

void readNodes(const JsonAt& nodes, const Origins& origins, Graph& graph)
{
    std::unordered_set<std::string> names;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        Node node = nodeFrom(nodes[i]);
        if (graph.find(node.id))
            nodes[i].at("id").wrong("is " + std::to_string(node.id) + ", which an earlier layer has");
        if (!names.insert(node.name).second)
            nodes[i].at("name").wrong("is '" + node.name + "', which an earlier layer has");
        if (const auto it = origins.find(node.id); it != origins.end()) node.origin = it->second;
        // A layer that lists fewer inputs than its kind needs has the others unconnected.
        node.inputs.resize(std::max(node.inputs.size(), static_cast<std::size_t>(opFor(node.kind).minInputs)));
        graph.insert(std::move(node));
    }
}

// The counter must not fall back to ids of removed layers: undo steps and links elsewhere may name them.
void restoreNextId(const JsonAt& at, Graph& graph)
{
    const NodeId next = at.integer(1, kMaxNodeId + 1);
    if (next < graph.nextId())
        at.wrong("must be above every layer's id (" + std::to_string(graph.nextId() - 1) + "), but is " +
                 std::to_string(next));
    if (next == graph.nextId()) return;
    Node last;
    last.id = next - 1;
    graph.insert(std::move(last));
    graph.remove(next - 1);
}

template <typename Items, typename Make>
Json listJson(const Items& items, Make make)
{
    Json out = Json::array();
    for (const auto& item : items) out.push_back(make(item));
    return out;
}

}  // namespace

Json toJson(const Graph& graph)
{
    Json out{{"name", textJson(graph.name())},
             {"next_id", graph.nextId()},
             {"outputs", listJson(graph.outputs(), [](const GraphOutput& output) { return toJson(output); })},
             {"notes", listJson(graph.notes(), [](const Issue& note) { return toJson(note); })},
             {"nodes", listJson(graph.nodes(), [](const Graph::NodePtr& node) { return toJson(*node); })}};
    if (graph.preprocessing()) out["preprocessing"] = toJson(*graph.preprocessing());
    return out;
}

Graph graphFrom(const JsonAt& at, const Origins& origins)
{
    Graph graph;
    readNodes(at.at("nodes"), origins, graph);
    std::vector<GraphOutput> outputs;
    const JsonAt list = at.at("outputs");
    for (std::size_t i = 0; i < list.size(); ++i) outputs.push_back(outputFrom(list[i]));
    graph.setOutputs(std::move(outputs));
    checkPorts(at, graph);
    if (const auto notes = at.find("notes")) {
        std::vector<Issue> issues;
        for (std::size_t i = 0; i < notes->size(); ++i) issues.push_back(issueFrom((*notes)[i]));
        graph.setNotes(std::move(issues));
    }
    if (const auto name = at.find("name")) graph.setName(name->text());
    if (const auto preprocessing = at.find("preprocessing")) graph.setPreprocessing(preprocessingFrom(*preprocessing));
    if (const auto next = at.find("next_id")) restoreNextId(*next, graph);
    return graph;
}

}  // namespace fovea
