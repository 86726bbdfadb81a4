// `fovea-studio --render`: a picture of a network without a window.
#pragma once

#include "core/analysis/report.h"

#include <QString>

#include <optional>

namespace fovea::studio {

struct RenderRequest {
    QString model;  // a file or "zoo:NAME"
    QString view;   // "graph" or "chart"
    QString out;    // .svg, .pdf or .png
    std::optional<PerAxis<std::int64_t>> side;
};

// Throws Error. Needs a QApplication, but no display.
void renderPicture(const RenderRequest& request);

}  // namespace fovea::studio
