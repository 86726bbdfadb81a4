// How every chart looks: its ground, its axes and its small type. Follows the widget's palette.
#pragma once

#include <QFont>

#include <initializer_list>

class QCPAxis;
class QCustomPlot;
class QWidget;

namespace fovea::studio {

QFont smallFont(const QWidget& widget);
// Ground and axes; labels, visibility and zero lines are each chart's own.
void stylePlot(QCustomPlot& plot, std::initializer_list<QCPAxis*> axes, const QWidget& widget);

}  // namespace fovea::studio
