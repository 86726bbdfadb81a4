// The parts of a document as JSON: layers, outputs, findings, and how the file they came from wrote them.
#pragma once

#include "core/graph/graph.h"
#include "core/io/json/json_reader.h"

#include <string>
#include <unordered_map>
#include <vector>

namespace fovea {

Json toJson(const Node& node);
Node nodeFrom(const JsonAt& at);  // without its origin

Json toJson(const GraphOutput& output);
GraphOutput outputFrom(const JsonAt& at);

Json toJson(const Issue& issue);
Issue issueFrom(const JsonAt& at);

// Serialized nodes that the document already holds, so that an origin can point at them by index.
class KnownNodes {
public:
    explicit KnownNodes(const std::vector<std::string>& all);
    Json reference(const std::string& bytes) const;     // an index, or base64 where it is not among them
    std::string resolve(const JsonAt& at) const;

private:
    const std::vector<std::string>& m_all;
    std::unordered_map<std::string_view, std::size_t> m_index;
};

Json toJson(NodeId layer, const Origin& origin, const KnownNodes& known);
Origin originFrom(const JsonAt& at, const KnownNodes& known);

// Ids above this would overflow the counter that makes new ones.
inline constexpr NodeId kMaxNodeId = NodeId{1} << 53;

}  // namespace fovea
