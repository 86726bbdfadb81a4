// Accuracy and cost of the document's network and of what was opened, side by side.
#pragma once

#include "app/studio/training/evaluation.h"

#include <QScrollArea>

class QLabel;
class QProgressBar;
class QPushButton;

namespace fovea::studio {

class ComparisonTable;
class CostMeasurement;
class CostSection;
class SetupPage;

class EvaluatePage : public QScrollArea {
    Q_OBJECT
public:
    // The images and the device are those of the page `setup`.
    EvaluatePage(Evaluation& evaluation, CostMeasurement& cost, SetupPage& setup, QWidget* parent = nullptr);

private:
    void build();
    QWidget* buildContent();
    void refresh();
    void fillColumn(int column);
    void showConfusion();

    Evaluation& m_evaluation;
    CostMeasurement& m_cost;
    SetupPage& m_setup;
    QLabel *m_data, *m_state;
    ComparisonTable* m_table;
    QProgressBar* m_progress;
    QPushButton *m_evaluate, *m_stop, *m_confusion, *m_recalibrate, *m_probe;
    CostSection* m_costSection;
};

}  // namespace fovea::studio
