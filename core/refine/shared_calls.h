// What a change must do elsewhere because a layer is called several times.
#pragma once

#include "core/refine/towers.h"

namespace fovea::refine {

class SharedCalls {
public:
    explicit SharedCalls(const Scene& scene);

    // The change made to all calls, and in every tower that they stand in; nullopt where it cannot be: calls differ in
    // the setting, a layer with weights would be new in one tower, or a layer would leave its tower or come into one.
    std::optional<Candidate> closed(Candidate candidate) const;

private:
    SharedCalls(const Scene& scene, std::vector<std::vector<NodeId>> layers);
    bool closeSetting(const Change& change, Candidate& candidate) const;
    bool closeMove(const Change& change, Candidate& candidate) const;
    bool closeAddition(const Change& change, Candidate& candidate) const;
    bool closeRemoval(const Change& change, Candidate& candidate) const;
    bool changesAllCalls(const Candidate& candidate) const;
    void closeReshaped(std::set<NodeId>& layers) const;
    std::set<NodeId> partners(NodeId layer) const;  // its other calls, and what stands in its place in other towers

    const Scene& m_scene;
    std::vector<std::vector<NodeId>> m_layers;
    std::unordered_map<NodeId, std::size_t> m_layerOf;
    std::optional<Towers> m_towers;  // where a layer is called several times at all
};

}  // namespace fovea::refine
