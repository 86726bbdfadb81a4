// Plans in words.
#pragma once

#include "core/refine/plan.h"

#include <string>

namespace fovea::refine {

// "Stride of 'conv1' from 2 to 1; pooling 'maxpool' removed". Layers of one block that change alike are named
// by their group. `before` is the network without the edits.
std::string titleOf(const std::vector<Edit>& edits, const Graph& before);
// What the edits do and why it helps at this side, with the numbers of both reports.
std::string reasonOf(const std::vector<Edit>& edits, const Report& before, const Report& after);

}  // namespace fovea::refine
