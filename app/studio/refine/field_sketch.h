// The fields before and after a plan as two rows of thin bars on a logarithmic scale, one bar a judged layer,
// with a line at the input side.
#pragma once

#include "app/studio/document/stage.h"

#include <QWidget>

namespace fovea::studio {

class FieldSketch : public QWidget {
    Q_OBJECT
public:
    FieldSketch(ReportPtr before, Stage::PlanPtr plan, QWidget* parent = nullptr);
    QSize sizeHint() const override { return {200, 62}; }

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    struct Bar {
        std::int64_t field;  // smallest, px, larger axis
        Verdict verdict;
    };
    struct Row {
        std::vector<Bar> bars;
        std::int64_t side = 0, top = 1;
    };
    static Row rowOf(const Report& report);
    void analyseOnce();
    void paintRow(QPainter& painter, const QRectF& area, const Row& row, const QString& name, std::int64_t top) const;

    Row m_before, m_after;
    Stage::PlanPtr m_plan;
    bool m_asked = false;
};

}  // namespace fovea::studio
