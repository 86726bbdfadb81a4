#include "core/refine/moves.h"

#include <algorithm>
#include <unordered_map>

namespace fovea::refine {

namespace {

void moveBehind(Graph& graph, NodeId layer, NodeId behind)
{
    graph.rewire({layer, 0}, graph.at(layer).inputs.at(0));
    graph.rewire({behind, 0}, {layer, 0});
    graph.setInput(layer, 0, {behind, 0});
}

// Readers of each read what it read first. Several at once, for a cut takes hundreds.
void removeLayers(Graph& graph, std::span<const Change> removals)
{
    std::unordered_map<NodeId, Port> sources;
    for (const Change& removal : removals) sources.emplace(removal.layer, graph.at(removal.layer).inputs.at(0));
    const auto staying = [&](Port port) {
        for (auto it = sources.find(port.node); it != sources.end() && port.output == 0; it = sources.find(port.node))
            port = it->second;
        return port;
    };
    std::set<NodeId> read;  // by what stays
    const auto note = [&](const Port& port) {
        if (port.output == 0 && sources.contains(port.node)) read.insert(port.node);
    };
    for (const auto& node : graph.nodes())
        if (!sources.contains(node->id)) std::for_each(node->inputs.begin(), node->inputs.end(), note);
    for (const GraphOutput& output : graph.outputs()) note(output.port);
    for (const NodeId id : read) graph.rewire({id, 0}, staying({id, 0}));
    // From the last one on, so that none is left to be read by the next.
    for (auto removal = removals.rbegin(); removal != removals.rend(); ++removal) graph.remove(removal->layer);
}

void setValue(Graph& graph, const Change& change)
{
    if (change.side)  // forgets notes about the old side, too
        graph = withSide(graph, change.side->h, change.side->w, graph.at(change.layer).name);
    else graph.update(change.layer, [&](Node& edited) { setChosen(edited, change.edit.attribute, change.value); });
}

}  // namespace

Change Change::set(const Node& node, const char* attribute, AttrValue value)
{
    const AttrValue* old = node.attrs.find(attribute);
    Edit edit{.op = Edit::Op::Set,
              .layer = node.name,
              .attribute = attribute,
              .from = old ? toText(*old) : "",
              .to = toText(value)};
    return {std::move(edit), node.id, std::move(value)};
}

std::vector<Change> Change::resize(const Graph& graph, const Node& input, const PerAxis<std::int64_t>& side)
{
    const Graph resized = withSide(graph, side.h, side.w, input.name);
    std::vector<Change> out;
    for (const auto& node : graph.nodes()) {
        const AttrValue* shape = resized.at(node->id).attrs.find("shape");
        if (node->kind != input.kind || !shape || *shape == *node->attrs.find("shape")) continue;
        out.push_back(set(*node, "shape", *shape));
        if (node->id == input.id) out.back().side = side;
    }
    return out;
}

void setPadding(const Node& node, Ints padding, std::vector<Change>& changes)
{
    if (node.attrs.getText("auto_pad").empty()) changes.push_back(Change::set(node, "padding", std::move(padding)));
}

Change Change::remove(const Node& node) { return {{.op = Edit::Op::Remove, .layer = node.name}, node.id, {}}; }

Change Change::move(const Graph& graph, const Node& node, const Node& behind)
{
    const std::string& from = graph.at(node.inputs.at(0).node).name;
    return {{.op = Edit::Op::Move, .layer = node.name, .from = from, .to = behind.name, .after = behind.name},
            node.id,
            {},
            behind.id};
}

void Reshaped::add(const Reshaped& other)
{
    fewer.insert(other.fewer.begin(), other.fewer.end());
    any.insert(other.any.begin(), other.any.end());
}

Change Change::add(Node node, const std::vector<std::string>& names, NodeId takesOver)
{
    std::string others;
    for (std::size_t i = 1; i < names.size(); ++i) others += (i > 1 ? ", " : "") + names[i];
    Edit edit{.op = Edit::Op::Add,
              .layer = node.name,
              .from = std::move(others),
              .to = settingsText(node),
              .after = names.empty() ? "" : names.front()};
    const NodeId id = node.id;
    return {std::move(edit), id, {}, kNoNode, std::make_shared<const Node>(std::move(node)), takesOver};
}

std::vector<Edit> Candidate::edits() const
{
    std::vector<Edit> out;
    for (const Change& change : changes) out.push_back(change.edit);
    return out;
}

Graph Candidate::appliedTo(Graph graph) const
{
    for (std::size_t i = 0; i < changes.size(); ++i) {
        const Change& change = changes[i];
        switch (change.edit.op) {
        case Edit::Op::Set: setValue(graph, change); break;
        case Edit::Op::Remove: {
            const std::size_t first = i;
            while (i + 1 < changes.size() && changes[i + 1].edit.op == Edit::Op::Remove) ++i;
            removeLayers(graph, std::span(changes).subspan(first, i + 1 - first));
            break;
        }
        case Edit::Op::Move: moveBehind(graph, change.layer, change.behind); break;
        case Edit::Op::Add:
            if (change.takesOver != kNoNode) graph.rewire({change.takesOver, 0}, {change.layer, 0});
            break;
        }
    }
    // Last, so that none of them is led to another that stands behind it.
    for (const Change& change : changes)
        if (change.added) graph.insert(*change.added);
    return graph;
}

}  // namespace fovea::refine
