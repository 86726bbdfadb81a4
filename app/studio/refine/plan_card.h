// One proposal: title, reason, fields and numbers before and after, Preview and Apply.
#pragma once

#include "app/studio/document/latencies.h"
#include "app/studio/document/stage.h"

#include <QFrame>

class QGridLayout;
class QLabel;
class QPushButton;

namespace fovea::studio {

class PlanCard : public QFrame {
    Q_OBJECT
public:
    // `now` is the report that the plan starts from. Widgets are named "planTitle.KEY", "planPreview.KEY",
    // "planLatency.KEY", "planTensors.KEY", "planApply.KEY".
    PlanCard(Stage::PlanPtr plan, ReportPtr now, const MemoryOptions& memory, const Latencies& latencies,
             const QString& key, QWidget* parent = nullptr);
    const Stage::PlanPtr& plan() const { return m_plan; }
    void setPreviewed(bool on);

protected:
    void paintEvent(QPaintEvent* event) override;

signals:
    void previewToggled(bool on);
    void applied();

private:
    void showLatency(const Latencies& latencies);
    void addEffects(QGridLayout* grid, const MemoryOptions& memory, const QString& key);
    QLabel* weightsLabel(const QString& key);

    Stage::PlanPtr m_plan;
    QPushButton* m_preview;
    QLabel *m_latency, *m_latencyTitle;
};

}  // namespace fovea::studio
