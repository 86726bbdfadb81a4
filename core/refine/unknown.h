// Layers whose reach nobody knows, and what follows from them for plans.
#pragma once

#include "core/refine/moves.h"

#include <unordered_set>

namespace fovea::refine {

class UnknownLayers {
public:
    explicit UnknownLayers(const Report& report);

    bool empty() const { return m_unseen.empty(); }
    // Whether it changes one of them or a layer behind one, or puts a layer there: what that does to fields cannot be
    // foretold.
    bool isTouchedBy(const Candidate& candidate) const;
    // Whether each of them reads maps of the shapes that it read before.
    bool readTheSame(const Report& after) const;

private:
    bool isUnseen(NodeId id) const { return m_unseen.contains(id); }

    std::unordered_set<NodeId> m_unseen;  // they and what depends on what they see
    std::vector<std::pair<NodeId, std::vector<Shape>>> m_reads;
};

}  // namespace fovea::refine
