// Time and memory of a step, of the network now and as it was opened.
#pragma once

#include "app/studio/training/cost_measurement.h"

#include <QWidget>

class QLabel;
class QProgressBar;
class QPushButton;
class QSpinBox;

namespace fovea::studio {

class ComparisonTable;

class CostSection : public QWidget {
    Q_OBJECT
public:
    explicit CostSection(CostMeasurement& cost, QWidget* parent = nullptr);

    void setDevice(const QString& device) { m_device = device; }
    // Why nothing can be measured at the moment; empty: it can.
    void setProblem(const QString& problem);

private:
    void build();
    void refresh();

    CostMeasurement& m_cost;
    QString m_device, m_problem;
    QSpinBox* m_batch;
    QPushButton *m_measure, *m_stop;
    QProgressBar* m_progress;
    ComparisonTable* m_table;
    QLabel* m_state;
};

}  // namespace fovea::studio
