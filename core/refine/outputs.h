// What a plan may do to the outputs of a network.
#pragma once

#include "core/analysis/report.h"

#include <vector>

namespace fovea::refine {

// The outputs before any change. A plain feature map may get another side; one that is made for the image (as large as
// it, or brought back to a larger side, as in dense prediction) and one of several, such as the levels of a pyramid,
// may not while the image keeps its own.
class Outputs {
public:
    explicit Outputs(const Report& before);

    bool areKept(const Report& after) const;
    // output-shrinks: those whose height or width is another one at the same side of the image.
    std::vector<Issue> changes(const Report& after) const;

private:
    PerAxis<std::int64_t> m_side;
    std::vector<Value> m_before;
    std::vector<bool> m_fixed;
};

}  // namespace fovea::refine
