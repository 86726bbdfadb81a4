// Gives a drawing its places: boxes in ranks from top to bottom, wires led around boxes.
#pragma once

#include "app/studio/canvas/drawing.h"

namespace fovea::studio {

// Slow for large drawings (seconds): call it off the window's thread. Graphviz does the ranks; beyond a few
// thousand boxes, or where it gives up, a plain layering does.
void layOut(Drawing& drawing);

// The steps of it. layOutWithGraphviz returns false where Graphviz gave up.
bool layOutWithGraphviz(Drawing& drawing);
void layOutInRanks(Drawing& drawing);
void routeWires(Drawing& drawing);

}  // namespace fovea::studio
