#include "app/studio/charts/rate_chart.h"

#include "app/studio/charts/plot_style.h"
#include "app/studio/charts/training_chart.h"
#include "app/studio/look/theme.h"

#include <QEvent>
#include <QVBoxLayout>

#include <qcustomplot.h>

#include <algorithm>
#include <cmath>

namespace fovea::studio {

QString rateText(double rate) { return QString::number(rate, 'g', 3); }

RateChart::RateChart(QWidget* parent) : QWidget(parent), m_plot(new QCustomPlot)
{
    m_plot->setObjectName(QStringLiteral("ratePlot"));
    m_plot->setMinimumHeight(160);
    m_plot->xAxis->setScaleType(QCPAxis::stLogarithmic);
    m_plot->xAxis->setTicker(QSharedPointer<QCPAxisTicker>(new QCPAxisTickerLog));
    m_plot->xAxis->setNumberFormat(QStringLiteral("g"));
    m_plot->xAxis->setNumberPrecision(3);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_plot);
    refresh();
}

void RateChart::setCurve(std::vector<QPointF> points, std::optional<double> suggested)
{
    m_points = std::move(points);
    m_suggested = suggested;
    refresh();
}

void RateChart::refresh()
{
    m_plot->clearItems();
    m_plot->clearGraphs();
    stylePlot(*m_plot, {m_plot->xAxis, m_plot->yAxis}, *this);
    for (QCPAxis* axis : {m_plot->xAxis, m_plot->yAxis}) axis->setVisible(!m_points.empty());
    m_plot->setAccessibleName(m_suggested
                                  ? tr("Loss over the learning rate; %1 is suggested").arg(rateText(*m_suggested))
                                  : tr("Loss over the learning rate"));
    if (!m_points.empty()) {
        m_plot->xAxis->setLabel(tr("learning rate"));
        m_plot->yAxis->setLabel(tr("training loss, smoothed"));
        QCPGraph* graph = m_plot->addGraph();  // owned by the plot
        for (const QPointF& point : m_points) graph->addData(point.x(), point.y());
        graph->setPen(curvePen({}, palette()));
        const auto [low, high] = std::ranges::minmax_element(m_points, {}, &QPointF::y);
        const double height = std::max(high->y() - low->y(), std::abs(high->y()) * 0.02 + 1e-12);
        m_plot->xAxis->setRange(m_points.front().x() / 1.2, m_points.back().x() * 1.2);
        m_plot->yAxis->setRange(low->y() - 0.08 * height, high->y() + 0.14 * height);
        if (m_suggested) mark(*m_suggested);
    }
    m_plot->replot(QCustomPlot::rpQueuedReplot);
}

void RateChart::mark(double rate)
{
    const QPen pen = curvePen({true, 0}, palette());
    auto* line = new QCPItemStraightLine(m_plot);
    line->point1->setCoords(rate, 0);
    line->point2->setCoords(rate, 1);
    line->setPen(pen);
    auto* label = new QCPItemText(m_plot);
    label->position->setTypeX(QCPItemPosition::ptPlotCoords);
    label->position->setTypeY(QCPItemPosition::ptAxisRectRatio);
    label->position->setCoords(rate, 0);
    // On the side where there is room.
    const bool left = m_plot->xAxis->coordToPixel(rate) > m_plot->axisRect()->center().x();
    label->setPositionAlignment(Qt::AlignTop | (left ? Qt::AlignRight : Qt::AlignLeft));
    label->setPadding(QMargins(6, 2, 6, 2));
    label->setText(tr("suggested: %1").arg(rateText(rate)));
    label->setColor(palette().color(QPalette::Text));
    label->setFont(smallFont(*this));
}

void RateChart::changeEvent(QEvent* event)
{
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange && m_plot) refresh();
}

}  // namespace fovea::studio
