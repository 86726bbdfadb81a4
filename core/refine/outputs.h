// What a plan may do to the outputs of a network.
#pragma once

#include "core/analysis/report.h"

#include <vector>

namespace fovea::refine {

// The outputs before any change. A plain feature map may get another side; one that is made for the image (as large as
// it, or brought back to a larger side, as in dense prediction) and one of several, such as the levels of a pyramid,
// may not while the image keeps its own. Where the network does not fit together at this side, what follows from the
// side is no bound: an output may also be as it is at the file's own side. What several outputs have in common there, as
// the boxes of a detector and their classes, stays common.
class Outputs {
public:
    explicit Outputs(const Report& before);

    bool areKept(const Report& after) const;
    // output-shrinks: those whose height or width is another one at the same side of the image.
    std::vector<Issue> changes(const Report& after) const;

private:
    bool are(const std::vector<Value>& wanted, const std::vector<Value>& now, bool sameSide) const;
    bool stayCommon(const std::vector<Value>& now) const;

    PerAxis<std::int64_t> m_side;
    std::vector<Value> m_before, m_ofFile;  // m_ofFile: at its own side; empty where the network fits together
    std::vector<bool> m_fixed;
};

}  // namespace fovea::refine
