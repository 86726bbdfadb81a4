// Edits as short text, and edits applied to a network by the plainest means, for tests.
#pragma once

#include "core/refine/moves.h"

#include <string>
#include <vector>

namespace fovea::test {

// "set conv1.stride 2x2 1x1; remove pool; move pool a b"
std::string editText(const std::vector<Edit>& edits);

// A candidate, applied.
struct Listed {
    std::vector<Edit> edits;
    Graph graph;
};
std::vector<std::string> editTexts(const std::vector<Listed>& candidates);

using Move = std::vector<refine::Candidate> (*)(const refine::Scene&);
// What a move lists for a network, with the layers of these names kept.
std::vector<Listed> listed(Move move, const Graph& graph, const std::vector<std::string>& keep = {});

bool addsLayers(const std::vector<Edit>& edits);
// The network after the edits, made from their text alone; not for those that add layers.
Graph applied(Graph graph, const std::vector<Edit>& edits);

}  // namespace fovea::test
