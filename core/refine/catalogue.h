// The list of all moves, and what makes the network after one a valid one.
#pragma once

#include "core/refine/moves.h"
#include "core/refine/outputs.h"
#include "core/refine/unknown.h"

namespace fovea::refine {

// Which moves are worth looking at, beyond those that always are.
struct Choice {
    bool first = true;  // nothing was changed yet: another side and spreading the tail come before anything else
    bool cut = true;    // cut the tail
    bool grow = true;   // where the field is smaller than the side, grow it
};
// Few and far-reaching ones first.
std::vector<Candidate> movesFor(const Scene& scene, const Choice& choice);
// All that can be made, for a user to choose from.
std::vector<Candidate> everyMove(const Scene& scene);

// Held against a network before any change: no new error, no shape unknown that was known, outputs of the same shape but
// for the side of a plain feature map, no layer that would silently ask for other weights than a move says, layers that
// share a tensor still agree on its shape, no sliding pooling that has become a global one, and whatever reads maps in a
// way that nobody knows reads the same shapes.
class Validity {
public:
    explicit Validity(const Report& before);
    bool holds(const Report& after, const Reshaped& reshaped) const;
    const Outputs& outputs() const { return m_outputs; }

private:
    bool keepsSharing(const Report& after) const;

    const Report& m_before;
    Outputs m_outputs;
    UnknownLayers m_unknown;
    std::set<std::string> m_shared;  // tensors of several layers, which ask for them in one shape
    std::set<std::pair<std::string, std::string>> m_oldErrors;  // code and layer
    std::set<std::string> m_unseen;  // layers behind errors, which may have errors of their own
};

}  // namespace fovea::refine
