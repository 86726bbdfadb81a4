// What the runs measured, as curves, with the list of runs as legend and switch.
#pragma once

#include "app/studio/charts/training_chart.h"
#include "app/studio/training/training_runs.h"

#include <QTimer>
#include <QWidget>

#include <set>

class QComboBox;
class QLabel;
class QListWidget;
class QListWidgetItem;
class QSlider;

namespace fovea::studio {

class CurvesPanel : public QWidget {
    Q_OBJECT
public:
    explicit CurvesPanel(TrainingRuns& runs, QWidget* parent = nullptr);

protected:
    void changeEvent(QEvent* event) override;

private:
    enum Quantity { TrainLoss, EvalLoss, Top1, Top5, Rate, Speed };

    QWidget* buildHead();
    void listRuns();
    void drawCurves();
    void toggled(QListWidgetItem* item);
    std::vector<QPointF> pointsOf(const TrainingRun& run) const;

    TrainingRuns& m_runs;
    TrainingChart* m_chart;
    QComboBox *m_quantity, *m_along;
    QSlider* m_smoothing;
    QLabel* m_smoothingText;
    QListWidget* m_list;
    std::set<QString> m_hidden;  // paths of runs
    QTimer m_soon;               // measurements come faster than they can be seen
};

}  // namespace fovea::studio
