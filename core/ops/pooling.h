// What the pooling kinds share.
#pragma once

#include "core/ops/common.h"

namespace fovea {

// A pooling without padding whose kernel covers its whole map at the declared size and leaves 1x1 is a global one that
// an exporter wrote with a fixed kernel: it becomes `globalKind`, with a note. Where it covers the map along one axis
// and leaves one unit there, it is global on that axis alone ("global_axes").
void readAsGlobalWhereItCoversItsMap(OnnxCall& call, const char* globalKind);

// The rule of it for one axis, `side` units long.
bool coversSide(const AxisReach& window, std::int64_t side);

AttrDef ceilModeAttr();
AttrDef globalAxesAttr();

// A zero Pad in front of a pooling, as the pooling's own padding; null: no pattern. For Pads that exporters or ONNX
// Runtime's optimiser make one with it.
const Node* padBefore(Rewriter& rewriter, const Node& pooling);

}  // namespace fovea
