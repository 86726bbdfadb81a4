#include "app/studio/charts/field_bars.h"

#include "app/studio/look/verdict_look.h"

#include <algorithm>
#include <cmath>

namespace fovea::studio {

namespace {

constexpr double kWidth = 0.78;
constexpr double kHatchFrom = 5;  // pixels: a hatch on narrower bars is noise

}  // namespace

FieldBars::FieldBars(QCPAxis* keyAxis, QCPAxis* valueAxis) : QCPAbstractPlottable(keyAxis, valueAxis) {}

void FieldBars::setBars(std::vector<Bar> bars, double base)
{
    m_bars = std::move(bars);
    m_base = base;
}

void FieldBars::draw(QCPPainter* painter)
{
    painter->setAntialiasing(false);
    const QCPRange range = mKeyAxis->range();
    const auto first = static_cast<std::size_t>(std::max(0.0, std::floor(range.lower) - 1));
    const auto last = std::min(m_bars.size(), static_cast<std::size_t>(std::max(0.0, std::ceil(range.upper) + 1)));
    const double step = mKeyAxis->coordToPixel(2) - mKeyAxis->coordToPixel(1);
    // Where several layers share a pixel the worst of them shows; nobody could tell them apart.
    const std::size_t stride = step >= 1 ? 1 : static_cast<std::size_t>(std::ceil(1 / std::max(step, 1e-6)));
    for (std::size_t i = first; i < last; i += stride) {
        std::size_t worst = i;
        for (std::size_t k = i + 1; k < std::min(last, i + stride); ++k)
            if (verdictRank(m_bars[k].verdict) < verdictRank(m_bars[worst].verdict)) worst = k;
        const bool changed = std::any_of(m_bars.begin() + static_cast<std::ptrdiff_t>(i),
                                         m_bars.begin() + static_cast<std::ptrdiff_t>(std::min(last, i + stride)),
                                         [](const Bar& bar) { return bar.changed; });
        const double center = mKeyAxis->coordToPixel(static_cast<double>(i) + 1);
        const double half = std::max(0.5, step * (step < 3 ? 1.0 : kWidth) / 2);
        drawBar(painter, worst, center - half, center + half);
        if (changed) drawMark(painter, center - half, center + half);
    }
}

// A foot under the bar and a shade up to the top, so that a change is found among hundreds of thin bars.
void FieldBars::drawMark(QCPPainter* painter, double left, double right) const
{
    const QRect plot = mValueAxis->axisRect()->rect();
    const double grow = std::max(0.0, (5 - (right - left)) / 2);
    QColor shade = m_mark;
    shade.setAlpha(46);
    painter->fillRect(QRectF(QPointF(left - grow, plot.top()), QPointF(right + grow, plot.bottom() + 1)), shade);
    painter->fillRect(QRectF(QPointF(left - grow, plot.bottom() - 4), QPointF(right + grow, plot.bottom() + 1)),
                      m_mark);
}

void FieldBars::drawBar(QCPPainter* painter, std::size_t index, double left, double right) const
{
    const Bar& bar = m_bars[index];
    const double base = mValueAxis->coordToPixel(m_base), low = mValueAxis->coordToPixel(bar.low),
                 high = mValueAxis->coordToPixel(bar.high);
    const QColor color = verdictColor(bar.verdict);
    QColor faint = color;
    faint.setAlpha(95);
    if (high < low) painter->fillRect(QRectF(QPointF(left, high), QPointF(right, low)), faint);
    const QRectF solid(QPointF(left, low), QPointF(right, base));
    painter->fillRect(solid, color);
    const bool hatched = bar.verdict == Verdict::Unproductive || bar.verdict == Verdict::Partial;
    if (hatched && right - left >= kHatchFrom)
        painter->fillRect(solid, QBrush(QColor(255, 255, 255, 120), Qt::BDiagPattern));
}

void FieldBars::drawLegendIcon(QCPPainter* painter, const QRectF& rect) const
{
    painter->fillRect(rect, verdictColor(Verdict::Productive));
}

double FieldBars::selectTest(const QPointF&, bool, QVariant*) const { return -1; }

QCPRange FieldBars::getKeyRange(bool& found, QCP::SignDomain) const
{
    found = !m_bars.empty();
    return {0.5, static_cast<double>(m_bars.size()) + 0.5};
}

QCPRange FieldBars::getValueRange(bool& found, QCP::SignDomain, const QCPRange&) const
{
    found = !m_bars.empty();
    double top = m_base;
    for (const Bar& bar : m_bars) top = std::max(top, bar.high);
    return {m_base, top};
}

}  // namespace fovea::studio
