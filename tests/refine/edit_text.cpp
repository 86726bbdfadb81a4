#include "tests/refine/edit_text.h"

#include "tests/support/text_graph.h"

#include <algorithm>
#include <sstream>

namespace fovea::test {

std::string editText(const std::vector<Edit>& edits)
{
    std::string out;
    for (const Edit& edit : edits) {
        out += (out.empty() ? "" : "; ") + std::string(toString(edit.op)) + " " + edit.layer;
        if (edit.op == Edit::Op::Set) out += "." + edit.attribute;
        if (edit.op != Edit::Op::Remove) out += " " + edit.from + " " + edit.to;
    }
    return out;
}

bool addsLayers(const std::vector<Edit>& edits)
{
    return std::any_of(edits.begin(), edits.end(), [](const Edit& edit) { return edit.op == Edit::Op::Add; });
}

std::vector<std::string> editTexts(const std::vector<Listed>& candidates)
{
    std::vector<std::string> out;
    for (const Listed& candidate : candidates) out.push_back(editText(candidate.edits));
    return out;
}

std::vector<Listed> listed(Move move, const Graph& graph, const std::vector<std::string>& keep)
{
    std::set<NodeId> kept;
    for (const std::string& name : keep) kept.insert(layer(graph, name).id);
    const Report report = analyze(graph);
    std::vector<Listed> out;
    for (const refine::Candidate& candidate : move(refine::Scene(graph, report, kept)))
        out.push_back({candidate.edits(), candidate.appliedTo(graph)});
    return out;
}

namespace {

Ints numbers(const std::string& text)
{
    Ints out;
    std::istringstream parts(text);
    for (std::string part; std::getline(parts, part, 'x');) out.push_back(std::stoll(part));
    return out;
}

// As the attribute is now: channels are one number, a stride is one for each axis.
AttrValue valueLike(const AttrValue* now, const std::string& text)
{
    if (now && std::holds_alternative<std::int64_t>(*now)) return AttrValue(std::int64_t{std::stoll(text)});
    return AttrValue(numbers(text));
}

void takeOut(Graph& graph, const Node& node) { graph.rewire({node.id, 0}, node.inputs.at(0)); }

}  // namespace

Graph applied(Graph graph, const std::vector<Edit>& edits)
{
    // All that move come out first, so that places are those of the network without them.
    for (const Edit& edit : edits)
        if (edit.op == Edit::Op::Move || edit.op == Edit::Op::Remove) takeOut(graph, layer(graph, edit.layer));
    for (const Edit& edit : edits) {
        const NodeId id = layer(graph, edit.layer).id;
        if (edit.op == Edit::Op::Remove) graph.remove(id);
        if (edit.op == Edit::Op::Set)
            graph.update(id, [&](Node& node) {
                node.attrs.set(edit.attribute, valueLike(node.attrs.find(edit.attribute), edit.to));
            });
        if (edit.op != Edit::Op::Move) continue;
        const NodeId behind = layer(graph, edit.after).id;
        graph.rewire({behind, 0}, {id, 0});
        graph.setInput(id, 0, {behind, 0});
    }
    return graph;
}

}  // namespace fovea::test
