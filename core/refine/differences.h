// What changed between two networks that need not share ids, such as two files.
#pragma once

#include "core/refine/plan.h"

namespace fovea {

// Layers are matched by name and kind; one whose kind differs is removed and added. Removed layers and changes
// come in the order of `before`, then added ones in that of `after`. A layer is moved when it reads other layers
// than before, seen past those that were removed, added or moved themselves.
std::vector<Edit> differences(const Graph& before, const Graph& after);

}  // namespace fovea
