#include "app/studio/refine/field_sketch.h"

#include "app/studio/document/background.h"
#include "app/studio/look/theme.h"
#include "app/studio/look/verdict_look.h"

#include <QPainter>

#include <algorithm>
#include <cmath>

namespace fovea::studio {

namespace {

constexpr qreal kNameWidth = 38;

QFont smallFont(const QWidget& widget)
{
    QFont font = widget.font();
    font.setPixelSize(10);
    return font;
}

}  // namespace

FieldSketch::FieldSketch(ReportPtr before, Stage::PlanPtr plan, QWidget* parent)
    : QWidget(parent), m_before(rowOf(*before)), m_plan(std::move(plan))
{
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setToolTip(tr("The smallest field of each judged layer, before and after. The line is the input side: bars beyond "
                  "it are wasted or critical."));
    setAccessibleName(tr("Fields of the layers before and after"));
}

FieldSketch::Row FieldSketch::rowOf(const Report& report)
{
    Row out;
    out.side = std::max(report.side.h, report.side.w);
    out.top = std::max<std::int64_t>(out.side, 2);
    for (const LayerReport& layer : report.layers) {
        if (layer.verdict == Verdict::NotApplicable || layer.verdict == Verdict::Unknown) continue;
        out.bars.push_back({std::max(layer.field.h.rfMin, layer.field.w.rfMin), layer.verdict});
        out.top = std::max(out.top, out.bars.back().field);
    }
    return out;
}

// Not before the card is seen: a large network takes a moment.
void FieldSketch::analyseOnce()
{
    if (std::exchange(m_asked, true)) return;
    inBackground(
        this, [plan = m_plan] { return rowOf(analyze(plan->graph)); },
        [this](const Row& row) {
            m_after = row;
            update();
        });
}

void FieldSketch::paintEvent(QPaintEvent*)
{
    analyseOnce();
    QPainter painter(this);
    painter.setFont(smallFont(*this));
    const std::int64_t top = std::max(m_before.top, m_after.top);
    const qreal half = height() / 2.0;
    paintRow(painter, QRectF(0, 0, width(), half - 2), m_before, tr("before"), top);
    paintRow(painter, QRectF(0, half + 2, width(), half - 2), m_after, tr("after"), top);
}

void FieldSketch::paintRow(QPainter& painter, const QRectF& area, const Row& row, const QString& name,
                           std::int64_t top) const
{
    painter.setPen(palette().color(QPalette::PlaceholderText));
    painter.drawText(area, Qt::AlignLeft | Qt::AlignVCenter, name);
    const QRectF plot = area.adjusted(kNameWidth, 0, 0, 0);
    const Colors colors = colorsFor(palette());
    painter.fillRect(plot, colors.page);
    const auto heightOf = [&](std::int64_t field) {
        return plot.height() * std::log(static_cast<double>(field) + 1) / std::log(static_cast<double>(top) * 1.1 + 1);
    };
    const qreal step = plot.width() / static_cast<qreal>(std::max<std::size_t>(row.bars.size(), 1));
    const qreal gap = step >= 4 ? 1 : 0;
    for (std::size_t i = 0; i < row.bars.size(); ++i) {
        const qreal tall = std::max<qreal>(1, heightOf(row.bars[i].field));
        const QRectF bar(plot.left() + step * static_cast<qreal>(i), plot.bottom() - tall,
                         std::max<qreal>(step - gap, 1), tall);
        painter.fillRect(bar, verdictColor(row.bars[i].verdict));
    }
    if (row.side <= 0 || row.bars.empty()) return;
    const qreal y = std::round(plot.bottom() - heightOf(row.side));
    painter.setPen(QPen(palette().color(QPalette::Text), 1, Qt::DashLine));
    painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y));
}

}  // namespace fovea::studio
