// A graph as one JSON object: {"name", "next_id", "outputs", "notes", "nodes", "preprocessing" where there is some}. Documents hold these members among
// their own, a node a line; messages to the engine hold them as they are.
#pragma once

#include "core/io/json/json_reader.h"
#include "core/io/json/node_json.h"

#include <memory>
#include <unordered_map>

namespace fovea {

// Without origins: how a file wrote a layer is no part of a message.
Json toJson(const Graph& graph);

using Origins = std::unordered_map<NodeId, std::shared_ptr<const Origin>>;
// Throws Error(Format) with the place of what is wrong.
Graph graphFrom(const JsonAt& at, const Origins& origins = {});

}  // namespace fovea
