// Accuracy of the document's network and of what was opened, side by side.
#pragma once

#include "app/studio/training/evaluation.h"

#include <QWidget>

class QLabel;
class QProgressBar;
class QPushButton;
class QTableWidget;

namespace fovea::studio {

class SetupPage;

class EvaluatePage : public QWidget {
    Q_OBJECT
public:
    // The images and the device are those of the page `setup`.
    EvaluatePage(Evaluation& evaluation, SetupPage& setup, QWidget* parent = nullptr);

private:
    void build();
    void refresh();
    void fillColumn(int column);
    void showConfusion();

    Evaluation& m_evaluation;
    SetupPage& m_setup;
    QLabel *m_data, *m_state;
    QTableWidget* m_table;
    QProgressBar* m_progress;
    QPushButton *m_evaluate, *m_stop, *m_confusion, *m_recalibrate, *m_probe;
};

}  // namespace fovea::studio
