// The bars of the field chart as one plottable: solid to the smallest field, faint to the largest. QCPBars
// takes 70 ms for three thousand layers, which a drag of the side cannot wait for.
#pragma once

#include "core/analysis/report.h"

#include <qcustomplot.h>

#include <vector>

namespace fovea::studio {

class FieldBars : public QCPAbstractPlottable {
public:
    struct Bar {
        double low, high;  // smallest and largest field in pixels
        Verdict verdict;
        bool changed = false;  // by the previewed plan
    };

    FieldBars(QCPAxis* keyAxis, QCPAxis* valueAxis);
    // Bar i stands at key i + 1.
    void setBars(std::vector<Bar> bars, double base);
    void setMarkColor(const QColor& color) { m_mark = color; }

    double selectTest(const QPointF& position, bool onlySelectable, QVariant* details = nullptr) const override;
    QCPRange getKeyRange(bool& found, QCP::SignDomain domain = QCP::sdBoth) const override;
    QCPRange getValueRange(bool& found, QCP::SignDomain domain = QCP::sdBoth,
                           const QCPRange& inKeyRange = QCPRange()) const override;

protected:
    void draw(QCPPainter* painter) override;
    void drawLegendIcon(QCPPainter* painter, const QRectF& rect) const override;

private:
    void drawMark(QCPPainter* painter, double left, double right) const;
    void drawBar(QCPPainter* painter, std::size_t index, double left, double right) const;

    std::vector<Bar> m_bars;
    double m_base = 0;
    QColor m_mark;
};

}  // namespace fovea::studio
