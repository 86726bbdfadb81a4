#include "app/studio/charts/pareto_chart.h"

#include "app/studio/charts/plot_style.h"
#include "app/studio/look/theme.h"
#include "app/studio/look/words.h"
#include "core/io/reports/reports.h"

#include <QHelpEvent>
#include <QKeyEvent>
#include <QToolTip>
#include <QVBoxLayout>

#include <qcustomplot.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace fovea::studio {

namespace {

constexpr double kReach = 10;  // pixels around a dot that count as it

class CountTicker : public QCPAxisTickerLog {
    QString getTickLabel(double tick, const QLocale&, QChar, int) override
    {
        const double digit = std::pow(10, std::floor(std::log10(std::max(tick, 1.0))) - 1);
        QString out = text(shortCount(std::llround(std::round(tick / digit) * digit)));
        return out.remove(QStringLiteral(".00"));
    }
    // A range of less than a power is still labelled.
    QVector<double> createTickVector(double, const QCPRange& range) override
    {
        QVector<double> out;
        const double ratio = range.upper / range.lower;
        for (int i = 1; i < 4; ++i) out << range.lower * std::pow(ratio, i / 4.0);
        return out;
    }
};

}  // namespace

ParetoChart::ParetoChart(Proposals& proposals, QWidget* parent)
    : QWidget(parent), m_proposals(proposals), m_plot(new QCustomPlot)
{
    m_plot->setObjectName(QStringLiteral("paretoPlot"));
    m_plot->setAccessibleName(tr("Plans by cost and by what they leave wasted"));
    m_plot->setFocusPolicy(Qt::StrongFocus);
    m_plot->installEventFilter(this);
    m_plot->setMinimumHeight(110);
    m_plot->xAxis->setScaleType(QCPAxis::stLogarithmic);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_plot);
    connect(&proposals, &Proposals::changed, this, &ParetoChart::refresh);
    connect(&proposals.stage(), &Stage::previewChanged, this, &ParetoChart::refresh);
    refresh();
}

void ParetoChart::setGoal(Goal goal)
{
    m_goal = goal;
    refresh();
}

double ParetoChart::goalOf(const Summary& summary) const
{
    if (m_goal == Goal::Wasted) return wastedLayers(summary);
    return summary.iMin ? static_cast<double>(std::max(summary.iMin->h, summary.iMin->w)) : 0;
}

void ParetoChart::collect()
{
    m_dots.clear();
    std::set<std::string> ids;
    const auto add = [&](const Proposals::PlanPtr& plan, bool single) {
        if (plan->after.macs > 0 && ids.insert(plan->id).second)
            m_dots.push_back({plan, static_cast<double>(plan->after.macs), goalOf(plan->after), single});
    };
    for (const auto& plan : m_proposals.plans()) add(plan, false);
    for (const auto& move : m_proposals.moves()) add(move, true);
}

void ParetoChart::refresh()
{
    m_plot->clearItems();
    m_plot->clearGraphs();
    collect();
    applyColors();
    scaleAxes();
    drawDots();
    drawNow();
    drawChosen();
    drawNote();
    m_plot->replot(QCustomPlot::rpQueuedReplot);
}

void ParetoChart::scaleAxes()
{
    const Report& now = *m_proposals.stage().document().report();
    double low = static_cast<double>(std::max<std::int64_t>(now.summary.macs, 1)), high = low,
           top = std::max(goalOf(now.summary), 1.0);
    for (const Dot& dot : m_dots) {
        low = std::min(low, dot.x);
        high = std::max(high, dot.x);
        top = std::max(top, dot.y);
    }
    const double room = std::max(std::pow(high / low, 0.1), 1.15);
    m_plot->xAxis->setRange(low / room, high * room);
    m_plot->xAxis->setTicker(QSharedPointer<QCPAxisTicker>(new CountTicker));
    m_plot->yAxis->setRange(-0.08 * top, top * 1.25);
    m_plot->yAxis->setNumberFormat(QStringLiteral("f"));
    m_plot->yAxis->setNumberPrecision(0);
    QSharedPointer<QCPAxisTicker> ticker(new QCPAxisTicker);
    ticker->setTickCount(4);
    if (top < 4) {
        QSharedPointer<QCPAxisTickerFixed> whole(new QCPAxisTickerFixed);
        whole->setTickStep(1);
        ticker = whole;
    }
    m_plot->yAxis->setTicker(ticker);
}

QCPGraph* ParetoChart::addDots(const QColor& line, const QBrush& fill, double size)
{
    QCPGraph* dots = m_plot->addGraph();  // owned by the plot
    dots->setLineStyle(QCPGraph::lsNone);
    dots->setScatterStyle(QCPScatterStyle(QCPScatterStyle::ssCircle, QPen(line, 1.3), fill, size));
    return dots;
}

void ParetoChart::drawDots()
{
    const Colors colors = colorsFor(palette());
    QCPGraph* singles = addDots(colors.wire, Qt::NoBrush, 6);
    QCPGraph* plans = addDots(colors.accent, colors.accent, 9);
    for (const Dot& dot : m_dots) (dot.single ? singles : plans)->addData(dot.x, dot.y);
}

void ParetoChart::drawNow()
{
    const Report& now = *m_proposals.stage().document().report();
    if (now.summary.macs <= 0) return;
    const QColor color = palette().color(QPalette::Text);
    const double x = static_cast<double>(now.summary.macs), y = goalOf(now.summary);
    QCPGraph* marker = addDots(color, palette().color(QPalette::Base), 10);
    marker->setScatterStyle(
        QCPScatterStyle(QCPScatterStyle::ssDiamond, QPen(color, 1.8), palette().color(QPalette::Base), 11));
    marker->addData(x, y);
    auto* name = new QCPItemText(m_plot);
    name->position->setCoords(x, y);
    name->setPositionAlignment(Qt::AlignHCenter | Qt::AlignBottom);
    name->setText(tr("now"));
    name->setColor(color);
    name->setFont(m_plot->xAxis->tickLabelFont());
    name->setPadding(QMargins(0, 0, 0, 7));
    if (m_goal != Goal::IMin) return;
    const auto side = static_cast<double>(std::max(now.side.h, now.side.w));
    auto* line = new QCPItemStraightLine(m_plot);
    line->point1->setCoords(1, side);
    line->point2->setCoords(2, side);
    line->setPen(QPen(color, 1.2, Qt::DashLine));
}

void ParetoChart::drawChosen()
{
    const Proposals::PlanPtr& plan = m_proposals.stage().preview();
    if (!plan) return;
    QCPGraph* ring = addDots(colorsFor(palette()).changed, Qt::NoBrush, 15);
    ring->setScatterStyle(
        QCPScatterStyle(QCPScatterStyle::ssCircle, QPen(colorsFor(palette()).changed, 2.4), Qt::NoBrush, 15));
    ring->addData(static_cast<double>(plan->after.macs), goalOf(plan->after));
}

void ParetoChart::drawNote()
{
    if (!m_dots.empty()) return;
    auto* note = new QCPItemText(m_plot);
    note->position->setType(QCPItemPosition::ptAxisRectRatio);
    note->position->setCoords(0.5, 0.5);
    note->setText(m_proposals.state() == Proposals::State::Searching ? tr("Looking\u2026") : tr("No plan to show"));
    note->setColor(palette().color(QPalette::PlaceholderText));
}

void ParetoChart::applyColors()
{
    stylePlot(*m_plot, {m_plot->xAxis, m_plot->yAxis}, *this);
    const QPen grid(colorsFor(palette()).grid, 1);
    for (QCPAxis* axis : {m_plot->xAxis, m_plot->yAxis}) axis->grid()->setZeroLinePen(grid);
    m_plot->xAxis->setLabel(tr("MACs"));
    m_plot->yAxis->setLabel(m_goal == Goal::Wasted ? tr("unproductive layers") : tr("i_min, px"));
}

void ParetoChart::changeEvent(QEvent* event)
{
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange && m_plot) refresh();
}

QPointF ParetoChart::pixelOf(const Dot& dot) const
{
    return {m_plot->xAxis->coordToPixel(dot.x), m_plot->yAxis->coordToPixel(dot.y)};
}

std::vector<std::size_t> ParetoChart::dotsAt(const QPointF& position) const
{
    std::vector<std::pair<double, std::size_t>> near;
    for (std::size_t i = 0; i < m_dots.size(); ++i)
        if (const double far = QLineF(position, pixelOf(m_dots[i])).length(); far <= kReach)
            near.emplace_back(std::round(far), i);
    std::ranges::stable_sort(near);
    std::vector<std::size_t> out;
    for (const auto& [far, index] : near) out.push_back(index);
    return out;
}

// Dots can lie on one another: each further click takes the next of them.
void ParetoChart::choose(const QPointF& position)
{
    const std::vector<std::size_t> hit = dotsAt(position);
    if (hit.empty()) return;
    const auto shown = std::ranges::find_if(
        hit, [&](std::size_t i) { return isSamePlan(m_dots[i].plan, m_proposals.stage().preview()); });
    const std::size_t next = shown == hit.end() || shown + 1 == hit.end() ? hit.front() : *(shown + 1);
    m_proposals.stage().showPreview(m_dots[next].plan);
}

// Along the cost, as the eye goes.
void ParetoChart::step(int count)
{
    if (m_dots.empty()) return;
    std::vector<Dot> sorted = m_dots;
    std::ranges::stable_sort(sorted, {}, [](const Dot& dot) { return std::pair(dot.x, -dot.y); });
    const auto shown = std::ranges::find_if(
        sorted, [&](const Dot& dot) { return isSamePlan(dot.plan, m_proposals.stage().preview()); });
    const std::ptrdiff_t at = shown == sorted.end() ? (count > 0 ? -1 : std::ssize(sorted)) : shown - sorted.begin();
    m_proposals.stage().showPreview(
        sorted[static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(at + count, 0, std::ssize(sorted) - 1))].plan);
}

bool ParetoChart::eventFilter(QObject* watched, QEvent* event)
{
    switch (event->type()) {
    case QEvent::ToolTip: {
        const auto* help = static_cast<QHelpEvent*>(event);
        const auto hit = dotsAt(help->pos());
        if (hit.empty()) QToolTip::hideText();
        else {
            const Plan& plan = *m_dots[hit.front()].plan;
            QToolTip::showText(
                help->globalPos(),
                QStringLiteral("<b>%1</b><br>%2").arg(text(plan.title).toHtmlEscaped(), planEffect(plan)), m_plot);
        }
        return true;
    }
    case QEvent::MouseMove:
        m_plot->setCursor(dotsAt(static_cast<QMouseEvent*>(event)->position()).empty() ? Qt::ArrowCursor
                                                                                       : Qt::PointingHandCursor);
        break;
    case QEvent::MouseButtonRelease:
        if (const auto* mouse = static_cast<QMouseEvent*>(event); mouse->button() == Qt::LeftButton)
            choose(mouse->position());
        break;
    case QEvent::KeyPress: {
        const int key = static_cast<QKeyEvent*>(event)->key();
        if (key != Qt::Key_Left && key != Qt::Key_Right) break;
        step(key == Qt::Key_Right ? 1 : -1);
        return true;
    }
    default: break;
    }
    return QWidget::eventFilter(watched, event);
}

}  // namespace fovea::studio
