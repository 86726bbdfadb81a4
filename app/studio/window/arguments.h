// The command line of fovea-studio.
#pragma once

#include "core/analysis/report.h"

#include <QString>
#include <QStringList>

#include <optional>

namespace fovea::studio {

struct Arguments {
    bool help = false, version = false, render = false;
    QString model, view, out, screenshot, theme, select;
    int screenshotAfter = 1'500;  // milliseconds: proposals arrive a moment after the drawing
    std::optional<PerAxis<std::int64_t>> side;
};

// Error(Usage) for an unknown option, a missing value or a side that is not N or HxW.
Arguments parseArguments(const QStringList& arguments);
QString usageText();

}  // namespace fovea::studio
