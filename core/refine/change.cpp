#include "core/refine/moves.h"

namespace fovea::refine {

namespace {

void moveBehind(Graph& graph, NodeId layer, NodeId behind)
{
    graph.rewire({layer, 0}, graph.at(layer).inputs.at(0));
    graph.rewire({behind, 0}, {layer, 0});
    graph.setInput(layer, 0, {behind, 0});
}

void removeLayer(Graph& graph, NodeId layer)
{
    graph.rewire({layer, 0}, graph.at(layer).inputs.at(0));
    graph.remove(layer);
}

void setValue(Graph& graph, const Change& change)
{
    const Node& node = graph.at(change.layer);
    if (const Ints* shape = std::get_if<Ints>(&change.value); shape && node.kind == "Input" && shape->size() == 4)
        graph = withSide(graph, (*shape)[2], (*shape)[3], node.name);  // forgets notes about the old side, too
    else graph.update(change.layer, [&](Node& edited) { edited.attrs.set(change.edit.attribute, change.value); });
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

std::vector<Edit> Candidate::edits() const
{
    std::vector<Edit> out;
    for (const Change& change : changes) out.push_back(change.edit);
    return out;
}

Graph Candidate::appliedTo(Graph graph) const
{
    for (const Change& change : changes) {
        switch (change.edit.op) {
        case Edit::Op::Set: setValue(graph, change); break;
        case Edit::Op::Remove: removeLayer(graph, change.layer); break;
        case Edit::Op::Move: moveBehind(graph, change.layer, change.behind); break;
        case Edit::Op::Add: throw Error(ErrorCode::Internal, "No refinement adds layers yet.");
        }
    }
    return graph;
}

}  // namespace fovea::refine
