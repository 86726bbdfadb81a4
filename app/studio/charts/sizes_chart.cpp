#include "app/studio/charts/sizes_chart.h"

#include "app/studio/charts/plot_style.h"
#include "app/studio/look/theme.h"
#include "app/studio/look/verdict_look.h"
#include "app/studio/look/words.h"
#include "core/io/reports/reports.h"

#include <QHelpEvent>
#include <QToolTip>
#include <QVBoxLayout>

#include <qcustomplot.h>

#include <cmath>

namespace fovea::studio {

namespace {

constexpr Verdict kStack[] = {Verdict::Productive, Verdict::Critical, Verdict::Partial, Verdict::Unproductive};

QString sizeText(const PerAxis<std::int64_t>& side) { return axisText(side.h, side.w); }

// The colour of a verdict with its hatch, as a tile.
QBrush verdictBrush(Verdict verdict)
{
    QPixmap tile(16, 16);
    QPainter painter(&tile);
    fillVerdict(painter, QRectF(0, 0, 16, 16), verdict);
    return QBrush(tile);
}

// Ticks of a cost axis as people write costs.
class CostTicker : public QCPAxisTicker {
public:
    explicit CostTicker(bool bytes) : m_bytes(bytes) {}

private:
    QString getTickLabel(double tick, const QLocale&, QChar, int) override
    {
        if (tick < 0) return {};
        const auto whole = static_cast<std::int64_t>(tick);
        return text(m_bytes ? shortBytes(whole) : shortCount(whole)).remove(QStringLiteral(".00"));
    }
    bool m_bytes;
};

}  // namespace

SizesChart::SizesChart(QWidget* parent) : QWidget(parent), m_plot(new QCustomPlot)
{
    setObjectName(QStringLiteral("sizesChart"));
    m_plot->setObjectName(QStringLiteral("sizesPlot"));
    m_plot->setAccessibleName(tr("Verdicts and cost by input side"));
    m_plot->installEventFilter(this);
    m_plot->yAxis2->setVisible(true);
    for (const Verdict verdict : kStack) {
        auto* bars = new QCPBars(m_plot->xAxis, m_plot->yAxis);  // owned by the plot
        bars->setPen(Qt::NoPen);
        bars->setBrush(verdictBrush(verdict));
        bars->setWidth(0.62);
        if (!m_bars.empty()) bars->moveAbove(m_bars.back());
        m_bars.push_back(bars);
    }
    m_line = m_plot->addGraph(m_plot->xAxis, m_plot->yAxis2);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_plot);
    refresh();
}

void SizesChart::setRows(std::vector<AtSize> rows)
{
    m_rows = std::move(rows);
    refresh();
}

void SizesChart::setSide(const PerAxis<std::int64_t>& side)
{
    m_side = side;
    refresh();
}

void SizesChart::setCost(Cost cost)
{
    m_cost = cost;
    refresh();
}

void SizesChart::setNote(const QString& note)
{
    m_note = note;
    refresh();
}

double SizesChart::costOf(const AtSize& row) const
{
    switch (m_cost) {
    case Cost::Macs: return static_cast<double>(row.summary.macs);
    case Cost::Training: return static_cast<double>(row.training);
    case Cost::Inference: return static_cast<double>(row.inference);
    }
    return 0;
}

void SizesChart::refresh()
{
    m_plot->clearItems();
    applyColors();
    drawBars();
    drawCost();
    drawRange();
    drawSide();
    if (m_rows.empty()) label(m_note, 0.5, Qt::AlignCenter);
    m_plot->replot(QCustomPlot::rpQueuedReplot);
}

void SizesChart::drawBars()
{
    QVector<double> keys;
    QSharedPointer<QCPAxisTickerText> ticker(new QCPAxisTickerText);
    for (std::size_t i = 0; i < m_rows.size(); ++i) {
        keys << static_cast<double>(i + 1);
        ticker->addTick(keys.back(), sizeText(m_rows[i].side));
    }
    double top = 1;
    for (std::size_t v = 0; v < m_bars.size(); ++v) {
        QVector<double> values;
        for (const AtSize& row : m_rows) values << row.summary.count(kStack[v]);
        m_bars[v]->setData(keys, values, true);
    }
    for (const AtSize& row : m_rows) {
        int judged = 0;
        for (const Verdict verdict : kStack) judged += row.summary.count(verdict);
        top = std::max(top, static_cast<double>(judged));
    }
    m_plot->xAxis->setTicker(ticker);
    m_plot->xAxis->setRange(0.4, std::max(1.0, static_cast<double>(m_rows.size())) + 0.6);
    m_plot->yAxis->setRange(0, top * 1.22);
}

void SizesChart::drawCost()
{
    QVector<double> keys, values;
    double top = 1;
    for (std::size_t i = 0; i < m_rows.size(); ++i) {
        keys << static_cast<double>(i + 1);
        values << costOf(m_rows[i]);
        top = std::max(top, values.back());
    }
    m_line->setData(keys, values, true);
    m_plot->yAxis2->setTicker(QSharedPointer<QCPAxisTicker>(new CostTicker(m_cost != Cost::Macs)));
    m_plot->yAxis2->setRange(0, top * 1.22);
    const QString labels[] = {tr("MACs"), tr("training memory"), tr("inference memory")};
    m_plot->yAxis2->setLabel(labels[static_cast<int>(m_cost)]);
    m_plot->yAxis2->setVisible(!m_rows.empty());
}

void SizesChart::label(const QString& words, double at, Qt::Alignment alignment)
{
    auto* item = new QCPItemText(m_plot);
    item->position->setTypeX(m_rows.empty() ? QCPItemPosition::ptAxisRectRatio : QCPItemPosition::ptPlotCoords);
    item->position->setTypeY(QCPItemPosition::ptAxisRectRatio);
    item->position->setCoords(at, m_rows.empty() ? 0.5 : 0.01);
    item->setPositionAlignment(m_rows.empty() ? Qt::AlignCenter : alignment | Qt::AlignTop);
    item->setText(words);
    item->setColor(palette().color(m_rows.empty() ? QPalette::PlaceholderText : QPalette::Text));
    item->setFont(m_plot->xAxis->tickLabelFont());
    item->setPadding(QMargins(4, 1, 4, 1));
}

// The band from i_min to i_max: sides at which the network's whole field expansion is used.
void SizesChart::drawRange()
{
    if (m_rows.empty() || !m_rows.front().summary.iMin || !m_rows.front().summary.iMax || !m_rows.front().summary.bounded) return;
    const auto &low = *m_rows.front().summary.iMin, &high = *m_rows.front().summary.iMax;
    const std::int64_t from = std::max(low.h, low.w), to = std::min(high.h, high.w);
    const double left = placeOf(from, m_rows), right = placeOf(to, m_rows);
    if (left < right) {
        auto* band = new QCPItemRect(m_plot);
        band->setLayer(QStringLiteral("background"));
        band->topLeft->setTypeY(QCPItemPosition::ptAxisRectRatio);
        band->bottomRight->setTypeY(QCPItemPosition::ptAxisRectRatio);
        band->topLeft->setCoords(left, 0);
        band->bottomRight->setCoords(right, 1);
        QColor fill = colorsFor(palette()).accent;
        fill.setAlpha(26);
        band->setPen(Qt::NoPen);
        band->setBrush(fill);
    }
    const bool lowRight = left > 0.8 * static_cast<double>(m_rows.size());
    label(tr("i_min %1").arg(from), left, lowRight ? Qt::AlignRight : Qt::AlignLeft);
    if (right - left > 0.12 * static_cast<double>(m_rows.size())) label(tr("i_max %1").arg(to), right, Qt::AlignRight);
}

void SizesChart::drawSide()
{
    if (m_rows.empty() || m_side.h < 1) return;
    const double at = placeOf(m_side.h, m_rows);
    auto* line = new QCPItemStraightLine(m_plot);
    line->point1->setCoords(at, 0);
    line->point2->setCoords(at, 1);
    line->setPen(QPen(palette().color(QPalette::Text), 1.6, Qt::DashLine));
    m_plot->xAxis->setLabel(tr("input side, px (dashed: %1 in use; click a bar to use its side)").arg(sizeText(m_side)));
}

void SizesChart::applyColors()
{
    stylePlot(*m_plot, {m_plot->xAxis, m_plot->yAxis, m_plot->yAxis2}, *this);
    const QColor textColor = palette().color(QPalette::Text);
    m_plot->xAxis->grid()->setVisible(false);
    m_plot->yAxis->setLabel(tr("judged layers"));
    m_line->setPen(QPen(textColor, 1.6));
    m_line->setScatterStyle(QCPScatterStyle(QCPScatterStyle::ssCircle, QPen(textColor, 1.4), palette().color(QPalette::Base), 6));
}

QString SizesChart::toolTipFor(const AtSize& row) const
{
    QString out = QStringLiteral("<b>%1</b>").arg(tr("%1 px").arg(sizeText(row.side)));
    for (const Verdict verdict : kStack)
        if (row.summary.count(verdict) > 0) out += QStringLiteral("<br>%1 %2").arg(row.summary.count(verdict)).arg(verdictWord(verdict));
    out += QStringLiteral("<br>") + tr("%1 MACs").arg(text(shortCount(row.summary.macs)));
    out += QStringLiteral("<br>") + tr("%1 kept for training").arg(text(shortBytes(row.training)));
    return out + QStringLiteral("<br>") + tr("%1 at the peak of inference").arg(text(shortBytes(row.inference)));
}

int SizesChart::rowAt(const QPoint& position) const
{
    if (!m_plot->axisRect()->rect().contains(position)) return -1;
    const int row = static_cast<int>(std::lround(m_plot->xAxis->pixelToCoord(position.x()))) - 1;
    return row >= 0 && row < static_cast<int>(m_rows.size()) ? row : -1;
}

void SizesChart::changeEvent(QEvent* event)
{
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange && m_plot) refresh();
}

bool SizesChart::eventFilter(QObject* watched, QEvent* event)
{
    if (event->type() == QEvent::ToolTip) {
        const auto* help = static_cast<QHelpEvent*>(event);
        const int row = rowAt(help->pos());
        if (row >= 0) QToolTip::showText(help->globalPos(), toolTipFor(m_rows[static_cast<std::size_t>(row)]), m_plot);
        else QToolTip::hideText();
        return true;
    }
    if (event->type() == QEvent::MouseButtonRelease) {
        const auto* mouse = static_cast<QMouseEvent*>(event);
        const int row = mouse->button() == Qt::LeftButton ? rowAt(mouse->pos()) : -1;
        if (row >= 0) emit sideChosen(m_rows[static_cast<std::size_t>(row)].side.h, m_rows[static_cast<std::size_t>(row)].side.w);
    }
    return QWidget::eventFilter(watched, event);
}

}  // namespace fovea::studio
