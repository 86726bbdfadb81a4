// Plans in words.
#pragma once

#include "core/refine/plan.h"

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace fovea::refine {

// Titles of plans for one network: "Stride of 'conv1' from 2 to 1; pooling 'maxpool' removed". Layers of one block that
// change alike are named by their group.
class Titles {
public:
    explicit Titles(const Graph& before);  // the network without the edits; must outlive this
    // `sides`: of the image, before and after, where an edit changes that.
    using Sides = std::pair<PerAxis<std::int64_t>, PerAxis<std::int64_t>>;
    std::string of(const std::vector<Edit>& edits, const Sides& sides = {}) const;

private:
    bool isBehind(const Node& layer, const Node& other) const;
    std::vector<Edit> ofFirstCalls(std::vector<Edit> edits) const;
    std::vector<std::string> blocksOf(const std::vector<const Node*>& layers) const;
    std::size_t cutLayers(const std::vector<Edit>& edits) const;
    std::string removedPhrase(const std::vector<const Node*>& layers, bool spread,
                              const std::vector<Edit>& edits) const;

    const Graph& m_graph;
    std::string m_stem;                               // the first convolution
    std::unordered_map<NodeId, std::size_t> m_ranks;  // in execution order
    std::unordered_map<std::string_view, const Node*> m_byName;
    std::unordered_map<NodeId, NodeId> m_firstCalls;  // of a layer that is called several times, by its later calls
};

// "32", or "32x100" where the axes differ.
std::string axesText(const PerAxis<std::int64_t>& value);
// What the edits do and why it helps at this side, with the numbers of both reports.
std::string reasonOf(const std::vector<Edit>& edits, const Report& before, const Report& after);

}  // namespace fovea::refine
