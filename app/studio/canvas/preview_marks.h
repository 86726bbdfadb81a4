// What a previewed plan does, layer by layer, for the canvas to mark.
#pragma once

#include "app/studio/canvas/drawing_painter.h"
#include "app/studio/document/stage.h"

namespace fovea::studio {

// Layers that the preview adds or changes, and those before ones that it removes; none without a preview.
QHash<NodeId, Mark> marksOf(const Stage& stage);
// The first layer that the preview changes or that stands before one that it removes; kNoNode: none.
NodeId firstChange(const Stage& stage);

}  // namespace fovea::studio
