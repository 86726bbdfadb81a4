// The chart with its switches.
#pragma once

#include "app/studio/document/stage.h"

#include <QWidget>

class QComboBox;

namespace fovea::studio {

class FieldChart;

class ChartPanel : public QWidget {
    Q_OBJECT
public:
    explicit ChartPanel(Stage& stage, QWidget* parent = nullptr);
    FieldChart& chart() const { return *m_chart; }

private:
    FieldChart* m_chart;
    QComboBox* m_axis;
};

}  // namespace fovea::studio
