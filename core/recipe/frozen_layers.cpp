#include "core/recipe/frozen_layers.h"

#include "core/base/error.h"
#include "core/base/spelling.h"

namespace fovea {

namespace {

bool standsIn(const Node& node, const std::string& group)
{
    return node.group == group || (node.group.size() > group.size() && node.group.starts_with(group) &&
                                   node.group[group.size()] == '.');
}

}  // namespace

std::vector<std::string> layerAndGroupNames(const Graph& graph)
{
    std::vector<std::string> out;
    std::set<std::string> known;
    const auto add = [&](const std::string& name) {
        if (!name.empty() && known.insert(name).second) out.push_back(name);
    };
    for (const auto& node : graph.nodes()) {
        for (std::size_t dot = node->group.find('.'); dot != std::string::npos; dot = node->group.find('.', dot + 1))
            add(node->group.substr(0, dot));
        add(node->group);
        add(node->name);
    }
    return out;
}

std::set<NodeId> frozenLayers(const Graph& graph, const std::string& name)
{
    if (name.empty()) return {};
    std::vector<NodeId> open;
    if (const Node* layer = graph.findByName(name)) open.push_back(layer->id);
    else
        for (const auto& node : graph.nodes())
            if (standsIn(*node, name)) open.push_back(node->id);
    if (open.empty())
        throw Error(ErrorCode::Usage, "The network has no layer and no group called '" + name + "' to freeze." +
                                          suggestion(name, layerAndGroupNames(graph)));
    std::set<NodeId> out;
    while (!open.empty()) {
        const NodeId id = open.back();
        open.pop_back();
        if (!out.insert(id).second) continue;
        for (const Port& input : graph.at(id).inputs)
            if (input.node != kNoNode) open.push_back(input.node);
    }
    return out;
}

}  // namespace fovea
