// Edits of a plan in one canonical form, whatever the order in which moves were tried.
#pragma once

#include "core/refine/plan.h"

#include <string>
#include <unordered_map>
#include <vector>

namespace fovea::refine {

// Ranks layers by where they stand in the network before any edit.
class EditOrder {
public:
    explicit EditOrder(const Graph& graph);
    // One list that does what `first` and then `second` do: at most one edit of a kind and attribute per
    // layer, in the order of the layers. Edits that end where they began are dropped.
    std::vector<Edit> merged(const std::vector<Edit>& first, const std::vector<Edit>& second) const;

    // Layers that were moved behind one that is gone in `graph`, the network after the edits, say where they stand now.
    std::vector<Edit> settled(std::vector<Edit> edits, const Graph& graph) const;

private:
    std::size_t rank(const std::string& layer) const;
    std::unordered_map<std::string, std::size_t> m_ranks;
};

bool leanOnRemoved(const std::vector<Edit>& edits, const Graph& graph);

// One line an edit: what the id of a plan is the hash of.
std::string canonicalText(const std::vector<Edit>& edits);
// 12 hexadecimal digits of XXH3.
std::string planId(const std::vector<Edit>& edits);

}  // namespace fovea::refine
