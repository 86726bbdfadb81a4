// The training panel: what to train and how, the run that goes on, and what networks reach.
#pragma once

#include "app/studio/training/training_runs.h"

#include <QWidget>

class QStackedWidget;
class QTabBar;

namespace fovea::studio {

class CostMeasurement;
class Devices;
class Evaluation;
class EvaluatePage;
class RunPage;
class SetupPage;

class TrainingPanel : public QWidget {
    Q_OBJECT
public:
    explicit TrainingPanel(TrainingRuns& runs, QWidget* parent = nullptr);

    void showSetup() { showPage(0); }
    void showRun(const RunPtr& run);
    RunPtr shownRun() const;
    Evaluation& evaluation() const { return *m_evaluation; }
    DataUse dataUse() const;
    QString device() const;

protected:
    void showEvent(QShowEvent* event) override;

private:
    void showPage(int page);

    Devices* m_devices;
    SetupPage* m_setup;
    RunPage* m_run;
    Evaluation* m_evaluation;
    CostMeasurement* m_cost;
    EvaluatePage* m_evaluate;
    QTabBar* m_tabs;
    QStackedWidget* m_pages;
};

}  // namespace fovea::studio
