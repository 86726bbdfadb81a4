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

// Rank of each box: the number of boxes before it on the longest way there.
std::vector<int> longestPathRanks(const Drawing& drawing);
// Whether each wire passes more than `most` ranks that another way from the one box to the other passes too. Without it
// both stand where they stood: a dense block has hundreds of them.
std::vector<bool> longShortcuts(const Drawing& drawing, int most);
// Whether each wire lies on one longest path through the drawing.
std::vector<bool> onLongestPath(const Drawing& drawing);

}  // namespace fovea::studio
