// Whether groups are parts of their graph: they hang together, and as boxes they form no cycle, at every level.
#pragma once

#include "core/io/onnx/groups.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <queue>
#include <set>

namespace fovea::test {

using Lists = std::vector<std::vector<std::size_t>>;

// The path of the module at each depth, "a", "a.b"; at most `depth` parts.
inline std::string cut(const std::string& path, std::size_t depth)
{
    std::size_t at = 0;
    for (std::size_t i = 0; i < depth; ++i) {
        at = path.find('.', at);
        if (at == std::string::npos) return path;
        ++at;
    }
    return depth == 0 ? std::string() : path.substr(0, at - 1);
}

inline std::size_t depthOf(const std::string& path) { return path.empty() ? 0 : 1 + static_cast<std::size_t>(std::count(path.begin(), path.end(), '.')); }

// Every group that is `depth` deep seen as one node, with the groups inside it: the number of each layer's node.
inline std::vector<std::size_t> contracted(const std::vector<std::string>& groups, std::size_t depth)
{
    std::map<std::string, std::size_t> numbers;
    std::vector<std::size_t> out;
    for (std::size_t i = 0; i < groups.size(); ++i) {
        const bool isInside = depthOf(groups[i]) >= depth;
        out.push_back(isInside ? numbers.try_emplace(cut(groups[i], depth), numbers.size()).first->second : groups.size() + i);
    }
    return out;
}

inline bool hasCycle(const Lists& inputs, const std::vector<std::size_t>& nodes)
{
    std::map<std::size_t, std::set<std::size_t>> readers;
    std::map<std::size_t, std::size_t> waiting;
    for (const std::size_t node : nodes) waiting[node] = 0;
    for (std::size_t i = 0; i < inputs.size(); ++i)
        for (const std::size_t input : inputs[i])
            if (nodes[input] != nodes[i] && readers[nodes[input]].insert(nodes[i]).second) ++waiting[nodes[i]];
    std::queue<std::size_t> ready;
    for (const auto& [node, count] : waiting)
        if (count == 0) ready.push(node);
    std::size_t done = 0;
    for (; !ready.empty(); ready.pop(), ++done)
        for (const std::size_t reader : readers[ready.front()])
            if (--waiting[reader] == 0) ready.push(reader);
    return done < waiting.size();
}

// The groups at `depth` whose layers do not hang together.
inline std::vector<std::string> torn(const Lists& inputs, const std::vector<std::string>& groups, std::size_t depth)
{
    std::map<std::string, std::vector<std::size_t>> members;
    std::vector<std::size_t> parent(inputs.size());
    const std::function<std::size_t(std::size_t)> root = [&](std::size_t i) { return parent[i] == i ? i : root(parent[i]); };
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        parent[i] = i;
        if (depthOf(groups[i]) >= depth) members[cut(groups[i], depth)].push_back(i);
    }
    for (std::size_t i = 0; i < inputs.size(); ++i)
        for (const std::size_t input : inputs[i])
            if (depthOf(groups[i]) >= depth && depthOf(groups[input]) >= depth && cut(groups[i], depth) == cut(groups[input], depth)) parent[root(i)] = root(input);
    std::vector<std::string> out;
    for (const auto& [group, layers] : members)
        if (std::any_of(layers.begin(), layers.end(), [&](std::size_t i) { return root(i) != root(layers[0]); })) out.push_back(group);
    return out;
}

inline void expectParts(const Lists& inputs, const std::vector<std::string>& groups)
{
    std::size_t deepest = 0;
    for (const std::string& group : groups) deepest = std::max(deepest, depthOf(group));
    for (std::size_t depth = 1; depth <= deepest; ++depth) {
        EXPECT_FALSE(hasCycle(inputs, contracted(groups, depth))) << "at depth " << depth;
        EXPECT_EQ(torn(inputs, groups, depth), std::vector<std::string>{}) << "at depth " << depth;
    }
}

}  // namespace fovea::test
