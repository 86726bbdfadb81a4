// What a report shows, said as findings with what to do about each. One file per subject; the codes are
// stable, because scripts filter by them.
#pragma once

#include "core/analysis/report.h"

namespace fovea {

// Appends to report.issues.
void addFindings(Report& report);

namespace findings {

using Issues = std::vector<Issue>;

// unproductive-tail, field-smaller-than-input, no-window-layers
void aboutVerdicts(const Report& report, Issues& issues);
// kernel-covers-map, pixels-skipped, even-kernel-padding
void aboutWindows(const Report& report, Issues& issues);
// dilation-gridding
void aboutDilation(const Report& report, Issues& issues);
// channel-bottleneck
void aboutChannels(const Report& report, Issues& issues);
// unreachable-layer, dead-output
void aboutWiring(const Report& report, Issues& issues);
// weights-shared
void aboutShared(const Report& report, Issues& issues);
// unknown-layer, opaque-layer
void aboutOpaque(const Report& report, Issues& issues);
// no-image-input, other-image-input
void aboutInputs(const Report& report, Issues& issues);

}  // namespace findings

}  // namespace fovea
