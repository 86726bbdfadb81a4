#pragma once

class QString;
class QWidget;

namespace fovea::studio {

// The verdicts that layers are judged by, each with its sign.
QWidget* verdictLegend(const QString& toolTip);

}  // namespace fovea::studio
