#include "core/refine/differences.h"

#include "core/ops/registry.h"

#include <set>
#include <unordered_map>

namespace fovea {

namespace {

using ByName = std::unordered_map<std::string_view, const Node*>;

ByName byName(const Graph& graph)
{
    ByName out;
    for (const auto& node : graph.nodes()) out.emplace(node->name, node.get());
    return out;
}

const Node* twin(const Node& node, const ByName& others)
{
    const auto it = others.find(node.name);
    return it != others.end() && it->second->kind == node.kind ? it->second : nullptr;
}

// As text, with the kind's default where the layer does not say.
std::string valueOf(const Node& node, const std::string& attribute)
{
    if (const AttrValue* value = node.attrs.find(attribute)) return toText(*value);
    const AttrDef* def = opFor(node.kind).attr(attribute);
    return def ? toText(def->fallback) : "";
}

void addSettings(const Node& before, const Node& after, std::vector<Edit>& out)
{
    std::set<std::string> names;
    for (const Node* node : {&before, &after})
        for (const auto& [name, value] : node->attrs.entries()) names.insert(name);
    for (const std::string& name : names) {
        const std::string from = valueOf(before, name), to = valueOf(after, name);
        if (from != to)
            out.push_back({.op = Edit::Op::Set, .layer = before.name, .attribute = name, .from = from, .to = to});
    }
}

std::string readName(const Graph& graph, const Node& node, std::size_t input)
{
    const Node* source = input < node.inputs.size() ? graph.find(node.inputs[input].node) : nullptr;
    return source ? source->name : "";
}

// The first input that reads another layer.
std::size_t firstOther(const Graph& before, const Node& a, const Graph& after, const Node& b)
{
    const std::size_t most = std::max(a.inputs.size(), b.inputs.size());
    for (std::size_t i = 0; i < most; ++i)
        if (readName(before, a, i) != readName(after, b, i)) return i;
    return 0;
}

// The layer that `input` of `node` comes from, past the layers in `passed`.
std::string sourceName(const Graph& graph, const Node& node, std::size_t input, const std::set<std::string>& passed)
{
    std::string name = readName(graph, node, input);
    for (std::size_t steps = 0; steps < graph.nodes().size() && passed.contains(name); ++steps)
        name = readName(graph, *graph.findByName(name), 0);
    return name;
}

bool readsAlike(const Graph& before, const Node& a, const Graph& after, const Node& b,
                const std::set<std::string>& passed)
{
    if (a.inputs.size() != b.inputs.size()) return false;
    for (std::size_t i = 0; i < a.inputs.size(); ++i)
        if (sourceName(before, a, i, passed) != sourceName(after, b, i, passed)) return false;
    return true;
}

bool readsSame(const Graph& before, const Node& a, const Graph& after, const Node& b)
{
    return readsAlike(before, a, after, b, {});
}

// A layer of one input that reads another layer and whose old readers read what it read: passing it in both
// networks explains what its neighbours read.
std::set<std::string> movedLayers(const Graph& before, const Graph& after, const ByName& others,
                                  const std::set<std::string>& changed)
{
    std::set<std::string> moved;
    for (const auto& node : before.nodes()) {
        const Node* now = twin(*node, others);
        if (!now || node->inputs.size() != 1 || readsAlike(before, *node, after, *now, changed)) continue;
        std::set<std::string> passed = changed;
        passed.insert(node->name);
        const auto unexplained = [&](const std::set<std::string>& without) {
            int count = 0;
            for (const auto& other : before.nodes())
                if (const Node* theirs = twin(*other, others); theirs && !without.contains(other->name))
                    count += !readsAlike(before, *other, after, *theirs, without);
            return count;
        };
        std::set<std::string> soFar = moved;
        soFar.insert(changed.begin(), changed.end());
        std::set<std::string> withThis = soFar;
        withThis.insert(node->name);
        // Itself and at least one neighbour.
        if (unexplained(soFar) - unexplained(withThis) >= 2) moved.insert(node->name);
    }
    return moved;
}

}  // namespace

std::vector<Edit> differences(const Graph& before, const Graph& after)
{
    const ByName old = byName(before), now = byName(after);
    std::vector<Edit> out;
    std::set<std::string> passed;
    for (const auto& node : before.nodes())
        if (!twin(*node, now)) passed.insert(node->name);
    for (const auto& node : after.nodes())
        if (!twin(*node, old)) passed.insert(node->name);
    const std::set<std::string> moved = movedLayers(before, after, now, passed);
    passed.insert(moved.begin(), moved.end());
    for (const NodeId id : executionOrder(before)) {
        const Node& node = before.at(id);
        const Node* other = twin(node, now);
        if (!other) {
            out.push_back({.op = Edit::Op::Remove, .layer = node.name});
            continue;
        }
        addSettings(node, *other, out);
        const bool elsewhere = moved.contains(node.name) || !readsAlike(before, node, after, *other, passed);
        if (!elsewhere || readsSame(before, node, after, *other)) continue;
        const std::size_t input = firstOther(before, node, after, *other);
        out.push_back({.op = Edit::Op::Move,
                       .layer = node.name,
                       .from = readName(before, node, input),
                       .to = readName(after, *other, input),
                       .after = readName(after, *other, input)});
    }
    for (const NodeId id : executionOrder(after)) {
        const Node& node = after.at(id);
        if (!twin(node, old))
            out.push_back({.op = Edit::Op::Add,
                           .layer = node.name,
                           .to = settingsText(node),
                           .after = readName(after, node, 0)});
    }
    return out;
}

}  // namespace fovea
