#include "app/studio/charts/training_chart.h"

#include "app/studio/charts/plot_style.h"
#include "app/studio/look/theme.h"
#include "app/studio/look/verdict_look.h"

#include <QHelpEvent>
#include <QToolTip>
#include <QVBoxLayout>

#include <qcustomplot.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace fovea::studio {

namespace {

constexpr double kReach = 14;  // pixels around a point that count as it
constexpr int kMarks = 30;     // points up to which each is marked

QCPScatterStyle markOf(const CurveLook& look, const QPen& pen, const QColor& ground, double size)
{
    static constexpr QCPScatterStyle::ScatterShape kShapes[] = {
        QCPScatterStyle::ssCircle, QCPScatterStyle::ssSquare, QCPScatterStyle::ssTriangle, QCPScatterStyle::ssDiamond};
    return QCPScatterStyle(kShapes[static_cast<std::size_t>(look.rank) % std::size(kShapes)], QPen(pen.color(), 1.4),
                           ground, size);
}

class PercentTicker : public QCPAxisTicker {
    QString getTickLabel(double tick, const QLocale&, QChar, int) override
    {
        return QStringLiteral("%1 %").arg(QString::number(tick * 100, 'g', 4));
    }
};

}  // namespace

QPen curvePen(const CurveLook& look, const QPalette& palette)
{
    QColor color = verdictColor(look.refined ? Verdict::Critical : Verdict::Productive);
    if (isDark(palette) && !look.refined) color = QColor(0x3d, 0x9b, 0xe0);  // the same blue, where that is too dark
    if (look.rank % 2 == 1) color = isDark(palette) ? color.lighter(135) : color.darker(135);
    QPen pen(color, 1.8);
    if (look.refined) pen.setDashPattern({5, 2.5});
    pen.setCapStyle(Qt::FlatCap);
    return pen;
}

QIcon curveIcon(const CurveLook& look, const QPalette& palette)
{
    constexpr int kScale = 3;  // for screens with many pixels
    QPixmap pixmap(30 * kScale, 12 * kScale);
    pixmap.setDevicePixelRatio(kScale);
    pixmap.fill(Qt::transparent);
    QCPPainter painter(&pixmap);
    painter.setRenderHint(QPainter::Antialiasing);
    const QPen pen = curvePen(look, palette);
    painter.setPen(pen);
    painter.drawLine(QPointF(1, 6), QPointF(29, 6));
    const QCPScatterStyle mark = markOf(look, pen, palette.color(QPalette::Base), 6);
    mark.applyTo(&painter, pen);
    mark.drawShape(&painter, 15, 6);
    return pixmap;
}

std::vector<QPointF> smoothed(const std::vector<QPointF>& points, double smoothing)
{
    std::vector<QPointF> out;
    out.reserve(points.size());
    double mean = 0, weight = 0;
    for (const QPointF& point : points) {
        mean = smoothing * mean + (1 - smoothing) * point.y();
        weight = smoothing * weight + (1 - smoothing);
        out.emplace_back(point.x(), mean / weight);
    }
    return out;
}

TrainingChart::TrainingChart(QWidget* parent) : QWidget(parent), m_plot(new QCustomPlot)
{
    setObjectName(QStringLiteral("trainingChart"));
    m_plot->setObjectName(QStringLiteral("trainingPlot"));
    m_plot->setAccessibleName(tr("Curves of training runs"));
    m_plot->installEventFilter(this);
    m_plot->setMinimumHeight(100);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_plot);
    refresh();
}

void TrainingChart::setAxes(const QString& x, const QString& y, bool percent)
{
    m_x = x;
    m_y = y;
    m_percent = percent;
    refresh();
}

void TrainingChart::setCurves(std::vector<TrainingCurve> curves, double smoothing)
{
    m_curves = std::move(curves);
    m_smoothing = smoothing;
    refresh();
}

void TrainingChart::setNote(const QString& note)
{
    m_note = note;
    refresh();
}

void TrainingChart::refresh()
{
    m_plot->clearItems();
    m_plot->clearGraphs();
    stylePlot(*m_plot, {m_plot->xAxis, m_plot->yAxis}, *this);
    const bool any = std::ranges::any_of(m_curves, [](const TrainingCurve& curve) { return !curve.points.empty(); });
    for (QCPAxis* axis : {m_plot->xAxis, m_plot->yAxis}) axis->setVisible(any);
    m_plot->xAxis->setLabel(m_x);
    m_plot->yAxis->setLabel(m_y);
    m_plot->yAxis->setTicker(QSharedPointer<QCPAxisTicker>(m_percent ? new PercentTicker : new QCPAxisTicker));
    for (const TrainingCurve& curve : m_curves) draw(curve);
    scale();
    if (!any) {
        auto* note = new QCPItemText(m_plot);
        note->position->setType(QCPItemPosition::ptAxisRectRatio);
        note->position->setCoords(0.5, 0.5);
        note->setText(m_note);
        note->setColor(palette().color(QPalette::PlaceholderText));
    }
    m_plot->replot(QCustomPlot::rpQueuedReplot);
}

void TrainingChart::draw(const TrainingCurve& curve)
{
    const QPen pen = curvePen(curve.look, palette());
    const auto add = [&](const std::vector<QPointF>& points, const QPen& with) {
        QVector<double> x, y;
        x.reserve(static_cast<qsizetype>(points.size()));
        y.reserve(x.capacity());
        for (const QPointF& point : points) x << point.x(), y << point.y();
        QCPGraph* graph = m_plot->addGraph();  // owned by the plot
        graph->setData(x, y, true);
        graph->setPen(with);
        return graph;
    };
    if (m_smoothing > 0) {
        QPen faint(pen.color(), 1);
        QColor color = pen.color();
        color.setAlpha(70);
        faint.setColor(color);
        add(curve.points, faint);
    }
    QCPGraph* graph = add(m_smoothing > 0 ? smoothed(curve.points, m_smoothing) : curve.points, pen);
    if (curve.points.size() <= kMarks)
        graph->setScatterStyle(markOf(curve.look, pen, palette().color(QPalette::Base), 6));
}

void TrainingChart::scale()
{
    double left = std::numeric_limits<double>::max(), right = -left, low = left, high = right;
    for (const TrainingCurve& curve : m_curves)
        for (const QPointF& point : curve.points) {
            if (!std::isfinite(point.y())) continue;
            left = std::min(left, point.x());
            right = std::max(right, point.x());
            low = std::min(low, point.y());
            high = std::max(high, point.y());
        }
    if (left > right) return;
    const double width = std::max(right - left, 1e-9), height = std::max(high - low, std::abs(high) * 0.02 + 1e-12);
    m_plot->xAxis->setRange(left - 0.02 * width, right + 0.03 * width);
    m_plot->yAxis->setRange(low - 0.08 * height, high + 0.1 * height);
}

void TrainingChart::changeEvent(QEvent* event)
{
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange && m_plot) refresh();
}

QString TrainingChart::nearest(const QPointF& position) const
{
    double best = kReach;
    QString out;
    for (const TrainingCurve& curve : m_curves)
        for (const QPointF& point : curve.points) {
            const QPointF at(m_plot->xAxis->coordToPixel(point.x()), m_plot->yAxis->coordToPixel(point.y()));
            const double far = QLineF(position, at).length();
            if (far >= best) continue;
            best = far;
            const QString value =
                m_percent ? QStringLiteral("%1 %").arg(point.y() * 100, 0, 'f', 2) : QString::number(point.y(), 'g', 5);
            out = QStringLiteral("<b>%1</b><br>%2: %3<br>%4: %5")
                      .arg(curve.name.toHtmlEscaped(), m_y, value, m_x, QString::number(point.x(), 'g', 7));
        }
    return out;
}

bool TrainingChart::eventFilter(QObject* watched, QEvent* event)
{
    if (event->type() == QEvent::ToolTip) {
        const auto* help = static_cast<QHelpEvent*>(event);
        const QString words = nearest(help->pos());
        if (words.isEmpty()) QToolTip::hideText();
        else QToolTip::showText(help->globalPos(), words, m_plot);
        return true;
    }
    return QWidget::eventFilter(watched, event);
}

}  // namespace fovea::studio
