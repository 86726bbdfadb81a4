// One proposal: title, reason, effects before and after, Preview and Apply.
#pragma once

#include "app/studio/document/stage.h"

#include <QFrame>

class QPushButton;

namespace fovea::studio {

class PlanCard : public QFrame {
    Q_OBJECT
public:
    // Widgets are named "planTitle.I", "planPreview.I", "planApply.I".
    PlanCard(Stage::PlanPtr plan, int index, QWidget* parent = nullptr);
    const Stage::PlanPtr& plan() const { return m_plan; }
    void setPreviewed(bool on);

signals:
    void previewToggled(bool on);
    void applied();

private:
    Stage::PlanPtr m_plan;
    QPushButton* m_preview;
};

}  // namespace fovea::studio
