#include "app/studio/charts/field_chart.h"

#include "app/studio/charts/field_bars.h"
#include "app/studio/charts/plot_style.h"
#include "app/studio/look/theme.h"
#include "app/studio/look/verdict_look.h"
#include "app/studio/look/words.h"

#include <QVBoxLayout>

#include <algorithm>
#include <cmath>

namespace fovea::studio {

namespace {

constexpr double kLogBase = 0.7;  // a field of one pixel is still a bar

}  // namespace

FieldChart::FieldChart(Stage& stage, QWidget* parent) : QWidget(parent), m_stage(stage), m_plot(new QCustomPlot)
{
    setObjectName(QStringLiteral("fieldChart"));
    m_plot->setObjectName(QStringLiteral("fieldPlot"));
    m_plot->setAccessibleName(tr("Receptive fields by layer"));
    m_plot->setInteractions(QCP::iRangeDrag | QCP::iRangeZoom);
    m_plot->axisRect()->setRangeDrag(Qt::Horizontal);
    m_plot->axisRect()->setRangeZoom(Qt::Horizontal);
    m_plot->setNoAntialiasingOnDrag(true);
    m_bars = new FieldBars(m_plot->xAxis, m_plot->yAxis);  // owned by the plot
    m_line = m_plot->addGraph(m_plot->xAxis, m_plot->yAxis2);
    m_plot->yAxis2->setRange(0, 100);
    m_plot->setFocusPolicy(Qt::StrongFocus);
    m_plot->installEventFilter(this);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_plot);
    connect(&stage, &Stage::shown, this, [this](const Change& change) { refresh(!change.reset); });
    connect(&stage, &Stage::previewChanged, this, [this] { refresh(true); });
    connect(&stage, &Stage::selectionChanged, this, [this] {
        drawSelection();
        m_plot->replot(QCustomPlot::rpQueuedReplot);
    });
    connect(m_plot->xAxis, qOverload<const QCPRange&>(&QCPAxis::rangeChanged), this, &FieldChart::labelLayers);
    connect(m_plot, &QCustomPlot::mouseDoubleClick, this, &FieldChart::showEverything);
    refresh(false);
}

FieldChart::~FieldChart() = default;

void FieldChart::setAllLayers(bool all)
{
    m_all = all;
    refresh(false);
}

void FieldChart::setLogarithmic(bool log)
{
    m_log = log;
    refresh(true);
}

void FieldChart::setAxis(Axis axis)
{
    m_axis = axis;
    refresh(true);
}

void FieldChart::setAccuracies(std::map<std::string, double> accuracies)
{
    m_accuracies = std::move(accuracies);
    refresh(true);
}

void FieldChart::showEverything() { refresh(false); }

void FieldChart::collectLayers()
{
    m_report = m_stage.report();
    m_layers.clear();
    for (const LayerReport& layer : m_report->layers) {
        const bool judged = layer.verdict != Verdict::NotApplicable && layer.verdict != Verdict::Unknown;
        if (m_all ? layer.finite : judged) m_layers.push_back(&layer);
    }
}

void FieldChart::refresh(bool keepRange)
{
    const std::size_t before = m_layers.size();
    collectLayers();
    m_plot->clearItems();
    applyColors();
    drawBars();
    scaleAxes(keepRange && before == m_layers.size());
    drawSide();
    drawSelection();
    drawAccuracies();
    labelLayers();
    m_plot->replot(QCustomPlot::rpQueuedReplot);
}

void FieldChart::drawBars()
{
    std::vector<FieldBars::Bar> bars;
    bars.reserve(m_layers.size());
    for (const LayerReport* layer : m_layers)
        bars.push_back({static_cast<double>(field(*layer).rfMin), static_cast<double>(field(*layer).rfMax),
                        layer->verdict, m_stage.isChanged(layer->id)});
    m_bars->setMarkColor(colorsFor(palette()).changed);
    m_bars->setBars(std::move(bars), m_log ? kLogBase : 0);
}

void FieldChart::scaleAxes(bool keepRange)
{
    double top =
        static_cast<double>(std::max<std::int64_t>(m_axis == Axis::Height ? m_report->side.h : m_report->side.w, 4));
    for (const LayerReport* layer : m_layers) top = std::max(top, static_cast<double>(field(*layer).rfMax));
    if (m_log) {
        m_plot->yAxis->setScaleType(QCPAxis::stLogarithmic);
        QSharedPointer<QCPAxisTickerLog> ticker(new QCPAxisTickerLog);
        ticker->setLogBase(top > 5'000 ? 10 : top > 600 ? 4 : 2);
        ticker->setSubTickCount(0);
        m_plot->yAxis->setTicker(ticker);
        m_plot->yAxis->setRange(kLogBase, top * 1.5);
    } else {
        m_plot->yAxis->setScaleType(QCPAxis::stLinear);
        m_plot->yAxis->setTicker(QSharedPointer<QCPAxisTicker>(new QCPAxisTicker));
        m_plot->yAxis->setRange(0, top * 1.1);
    }
    m_plot->yAxis->setNumberFormat(QStringLiteral("f"));
    m_plot->yAxis->setNumberPrecision(0);
    if (!keepRange) m_plot->xAxis->setRange(0.3, static_cast<double>(std::max<std::size_t>(m_layers.size(), 1)) + 0.7);
}

void FieldChart::drawSide()
{
    const std::int64_t side = m_axis == Axis::Height ? m_report->side.h : m_report->side.w;
    if (m_layers.empty()) {
        auto* note = new QCPItemText(m_plot);
        note->position->setType(QCPItemPosition::ptAxisRectRatio);
        note->position->setCoords(0.5, 0.5);
        note->setText(m_stage.graph()->nodes().empty()
                          ? tr("No network is open.")
                          : tr("No layer slides a window over the image, so there is no field to show."));
        note->setColor(palette().color(QPalette::PlaceholderText));
    }
    if (side <= 0) return;
    auto* key = new QCPItemText(m_plot);
    key->setVisible(height() > 300);  // below, it would cover the line at the side
    key->position->setType(QCPItemPosition::ptAxisRectRatio);
    key->position->setCoords(0.004, 0.0);
    key->setPositionAlignment(Qt::AlignLeft | Qt::AlignTop);
    key->setText(tr("solid: smallest field, faint: largest"));
    key->setFont(smallFont(*this));
    key->setColor(palette().color(QPalette::PlaceholderText));
    const QColor color = palette().color(QPalette::Text);
    auto* line = new QCPItemStraightLine(m_plot);
    line->point1->setCoords(0, static_cast<double>(side));
    line->point2->setCoords(1, static_cast<double>(side));
    line->setPen(QPen(color, 1.6, Qt::DashLine));
    auto* label = new QCPItemText(m_plot);
    label->position->setTypeX(QCPItemPosition::ptAxisRectRatio);
    label->position->setTypeY(QCPItemPosition::ptPlotCoords);
    label->position->setCoords(0.004, static_cast<double>(side));
    // Above the line, but inside the plot.
    const bool isTop = static_cast<double>(side) > 0.6 * m_plot->yAxis->range().upper;
    label->setPositionAlignment(Qt::AlignLeft | (isTop ? Qt::AlignTop : Qt::AlignBottom));
    label->setText(tr("input side %1 px").arg(side));
    label->setFont(smallFont(*this));
    label->setColor(color);
    QColor back = palette().color(QPalette::Base);
    back.setAlpha(205);
    label->setBrush(back);
    label->setPadding(QMargins(3, 1, 3, 1));
}

void FieldChart::drawAccuracies()
{
    QVector<double> keys, values;
    for (std::size_t i = 0; i < m_layers.size(); ++i)
        if (const auto found = m_accuracies.find(m_layers[i]->name()); found != m_accuracies.end()) {
            keys << static_cast<double>(i + 1);
            values << found->second * 100;
        }
    m_line->setData(keys, values, true);
    m_plot->yAxis2->setVisible(!keys.isEmpty());
    const QColor color = palette().color(QPalette::Text);
    m_line->setPen(QPen(color, 1.8));
    m_line->setScatterStyle(
        QCPScatterStyle(QCPScatterStyle::ssCircle, QPen(color, 1.4), palette().color(QPalette::Base), 6));
}

void FieldChart::drawSelection()
{
    for (int i = m_plot->itemCount(); i-- > 0;)
        if (m_plot->item(i)->objectName() == QLatin1String("selection")) m_plot->removeItem(i);
    const Colors colors = colorsFor(palette());
    const auto frame = [&](double at, const QColor& color, Qt::PenStyle style) {
        auto* item = new QCPItemRect(m_plot);
        item->setObjectName(QStringLiteral("selection"));
        item->topLeft->setTypeY(QCPItemPosition::ptAxisRectRatio);
        item->bottomRight->setTypeY(QCPItemPosition::ptAxisRectRatio);
        item->topLeft->setCoords(at - 0.5, 0.0);
        item->bottomRight->setCoords(at + 0.5, 1.0);
        QColor fill = color;
        fill.setAlpha(34);
        item->setPen(QPen(color, 1.5, style));
        item->setBrush(fill);
    };
    for (std::size_t i = 0; i < m_layers.size(); ++i) {
        const double at = static_cast<double>(i + 1);
        const auto& changed = m_stage.previewDiff().changed;
        if (std::find(changed.begin(), changed.end(), m_layers[i]->id) != changed.end())
            frame(at, colors.changed, Qt::DashLine);
        if (m_stage.isSelected(m_layers[i]->id)) frame(at, colors.accent, Qt::SolidLine);
    }
}

// Names where there is room for them, else numbers.
void FieldChart::labelLayers()
{
    const double pixels = m_plot->axisRect()->width() / std::max(1.0, m_plot->xAxis->range().size());
    if (pixels < 15 || m_plot->height() < 140) {
        m_plot->xAxis->setTickLabelRotation(0);
        QSharedPointer<QCPAxisTickerFixed> ticker(new QCPAxisTickerFixed);
        ticker->setTickStep(1);
        ticker->setScaleStrategy(QCPAxisTickerFixed::ssMultiples);
        m_plot->xAxis->setTicker(ticker);
        m_plot->xAxis->setNumberFormat(QStringLiteral("f"));
        m_plot->xAxis->setNumberPrecision(0);
        m_plot->xAxis->setLabel(m_all ? tr("layer, in execution order") : tr("judged layer, in execution order"));
        return;
    }
    QSharedPointer<QCPAxisTickerText> ticker(new QCPAxisTickerText);
    const QCPRange range = m_plot->xAxis->range();
    const QFontMetrics metrics(smallFont(*this));
    for (std::size_t i = 0; i < m_layers.size(); ++i) {
        const double at = static_cast<double>(i + 1);
        if (at < range.lower - 1 || at > range.upper + 1) continue;
        ticker->addTick(at, metrics.elidedText(moduleName(m_layers[i]->name()), Qt::ElideLeft, 92));
    }
    m_plot->xAxis->setTicker(ticker);
    m_plot->xAxis->setTickLabelRotation(-38);
    m_plot->xAxis->setLabel(QString());
}

void FieldChart::applyColors()
{
    stylePlot(*m_plot, {m_plot->xAxis, m_plot->yAxis, m_plot->yAxis2}, *this);
    m_plot->yAxis2->setLabel(tr("top-1 of probes, %"));
    m_plot->xAxis->grid()->setVisible(false);
    m_plot->yAxis->setLabel(tr("field, px"));
}

void FieldChart::changeEvent(QEvent* event)
{
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange && m_plot) refresh(true);
}

void FieldChart::resizeEvent(QResizeEvent* event)
{
    QWidget::resizeEvent(event);
    labelLayers();
}

int FieldChart::layerAt(const QPoint& position) const
{
    if (!m_plot->axisRect()->rect().contains(position)) return -1;
    const double x = m_plot->xAxis->pixelToCoord(position.x());
    const int index = static_cast<int>(std::lround(x)) - 1;
    return index >= 0 && index < static_cast<int>(m_layers.size()) ? index : -1;
}

bool FieldChart::eventFilter(QObject* watched, QEvent* event)
{
    switch (event->type()) {
    case QEvent::ToolTip: {
        const auto* help = static_cast<QHelpEvent*>(event);
        if (const int i = layerAt(help->pos()); i >= 0)
            QToolTip::showText(help->globalPos(), layerToolTip(*m_layers[static_cast<std::size_t>(i)], m_report->side),
                               m_plot);
        else QToolTip::hideText();
        return true;
    }
    case QEvent::MouseButtonRelease: {
        const auto* mouse = static_cast<QMouseEvent*>(event);
        // A drag moves the axis; a click in place selects.
        if (mouse->button() == Qt::LeftButton && (mouse->pos() - m_pressed).manhattanLength() < 4)
            if (const int i = layerAt(mouse->pos()); i >= 0) m_stage.reveal(m_layers[static_cast<std::size_t>(i)]->id);
        break;
    }
    case QEvent::MouseButtonPress: m_pressed = static_cast<QMouseEvent*>(event)->pos(); break;
    default: break;
    }
    return QWidget::eventFilter(watched, event);
}

void FieldChart::draw(QPainter& painter, const QSize& size)
{
    QCPPainter plotPainter;
    // QCustomPlot paints with its own painter class, onto the same device.
    QPaintDevice* device = painter.device();
    painter.end();
    plotPainter.begin(device);
    plotPainter.setMode(QCPPainter::pmVectorized);
    plotPainter.setMode(QCPPainter::pmNoCaching);
    m_plot->toPainter(&plotPainter, size.width(), size.height());
}

}  // namespace fovea::studio
