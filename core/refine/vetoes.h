// What no plan may do, whichever move it comes from.
#pragma once

#include "core/refine/shared_calls.h"
#include "core/refine/unknown.h"

namespace fovea::refine {

class Vetoes {
public:
    explicit Vetoes(const Scene& scene);

    // The candidate with all that must change along with it; nullopt where it may not be: it would change a layer that
    // must stay, one call of a shared layer alone, what nobody can foretell, or weights of a quantised network.
    std::optional<Candidate> passed(Candidate candidate) const;

private:
    bool touchesKept(const Candidate& candidate) const;
    bool changesWeights(const Candidate& candidate) const;

    const Scene& m_scene;
    SharedCalls m_shared;
    UnknownLayers m_unknown;
    bool m_isQuantised;
};

}  // namespace fovea::refine
