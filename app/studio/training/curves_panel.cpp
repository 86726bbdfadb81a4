#include "app/studio/training/curves_panel.h"

#include "app/studio/look/words.h"

#include <QComboBox>
#include <QEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QListWidget>
#include <QSignalBlocker>
#include <QSlider>

#include <algorithm>
#include <cmath>

namespace fovea::studio {

namespace {

constexpr int kRedrawMs = 60;
constexpr int kListText = 190, kListRest = 70;  // pixels; beside the text: its tick, its line and a scroll bar
constexpr int kShownOld = 6;                    // runs from the disk that are drawn without being asked for

}  // namespace

CurvesPanel::CurvesPanel(TrainingRuns& runs, QWidget* parent)
    : QWidget(parent), m_runs(runs), m_chart(new TrainingChart), m_quantity(new QComboBox), m_along(new QComboBox),
      m_smoothing(new QSlider(Qt::Horizontal)), m_smoothingText(new QLabel), m_list(new QListWidget)
{
    setObjectName(QStringLiteral("curvesPanel"));
    setMinimumHeight(150);
    m_list->setObjectName(QStringLiteral("curveRuns"));
    m_list->setAccessibleName(tr("Runs to draw"));
    m_list->setFrameShape(QFrame::NoFrame);
    m_list->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_list->setIconSize({30, 12});
    m_list->setFixedWidth(kListText + kListRest);
    m_list->setSelectionMode(QAbstractItemView::SingleSelection);
    auto* middle = new QHBoxLayout;
    middle->setSpacing(0);
    middle->addWidget(m_chart, 1);
    middle->addWidget(m_list);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(2);
    layout->addWidget(buildHead());
    layout->addLayout(middle, 1);
    m_soon.setSingleShot(true);
    m_soon.setInterval(kRedrawMs);
    const auto soon = [this] {
        if (!m_soon.isActive()) m_soon.start();
    };
    connect(&m_soon, &QTimer::timeout, this, &CurvesPanel::drawCurves);
    connect(&runs, &TrainingRuns::measured, this, soon);
    connect(&runs, &TrainingRuns::listChanged, this, &CurvesPanel::listRuns);
    connect(m_quantity, &QComboBox::currentIndexChanged, this, &CurvesPanel::drawCurves);
    connect(m_along, &QComboBox::currentIndexChanged, this, &CurvesPanel::drawCurves);
    connect(m_smoothing, &QSlider::valueChanged, this, &CurvesPanel::drawCurves);
    connect(m_list, &QListWidget::itemChanged, this, &CurvesPanel::toggled);
    listRuns();
}

QWidget* CurvesPanel::buildHead()
{
    m_quantity->setObjectName(QStringLiteral("curveQuantity"));
    m_quantity->addItems({tr("Training loss"), tr("Validation loss"), tr("Top-1"), tr("Top-5"), tr("Learning rate"),
                          tr("Images per second")});
    m_quantity->setAccessibleName(tr("What is drawn"));
    m_quantity->setToolTip(tr("What is drawn"));
    m_along->setObjectName(QStringLiteral("curveAlong"));
    m_along->addItems({tr("by step"), tr("by time")});
    m_along->setAccessibleName(tr("What it is drawn over"));
    m_along->setToolTip(tr("What it is drawn over"));
    m_smoothing->setObjectName(QStringLiteral("curveSmoothing"));
    m_smoothing->setRange(0, 99);
    m_smoothing->setFixedWidth(110);
    m_smoothing->setAccessibleName(tr("Smoothing"));
    m_smoothing->setToolTip(tr("Weight of what came before in a moving average"));
    m_smoothingText->setMinimumWidth(m_smoothingText->fontMetrics().horizontalAdvance(QStringLiteral("0.99")));
    auto* label = new QLabel(tr("Smoothing"));
    label->setBuddy(m_smoothing);
    auto* head = new QWidget;
    auto* row = new QHBoxLayout(head);
    row->setContentsMargins(8, 4, 8, 0);
    row->addWidget(m_quantity);
    row->addWidget(m_along);
    row->addSpacing(8);
    row->addWidget(label);
    row->addWidget(m_smoothing);
    row->addWidget(m_smoothingText);
    row->addStretch();
    return head;
}

void CurvesPanel::listRuns()
{
    const QSignalBlocker quiet(m_list);
    m_list->clear();
    int rank[2] = {};
    // Newest first, and each keeps the look it has.
    for (std::size_t i = 0; i < m_runs.runs().size(); ++i) {
        const TrainingRun& run = *m_runs.runs()[i];
        const CurveLook look{run.refined, rank[run.refined]++};
        auto* item = new QListWidgetItem(curveIcon(look, palette()), runLabel(run, m_list->fontMetrics(), kListText));
        item->setToolTip(
            tr("%1\n%2\n%3")
                .arg(runLabel(run, m_list->fontMetrics()), run.path(),
                     run.refined ? tr("a refined network: orange, dashed") : tr("an original network: blue, solid")));
        item->setFlags(Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemIsUserCheckable);
        const bool old = i + kShownOld < m_runs.runs().size();
        item->setCheckState(old || m_hidden.contains(run.path()) ? Qt::Unchecked : Qt::Checked);
        item->setData(Qt::UserRole, static_cast<qulonglong>(i));
        item->setData(Qt::UserRole + 1, look.rank);
        m_list->insertItem(0, item);
    }
    m_list->setVisible(m_list->count() > 0);
    drawCurves();
}

void CurvesPanel::toggled(QListWidgetItem* item)
{
    const QString path = m_runs.runs()[item->data(Qt::UserRole).toULongLong()]->path();
    if (item->checkState() == Qt::Checked) m_hidden.erase(path);
    else m_hidden.insert(path);
    drawCurves();
}

std::vector<QPointF> CurvesPanel::pointsOf(const TrainingRun& run) const
{
    std::vector<QPointF> out;
    const int quantity = m_quantity->currentIndex();
    // Lines of both kinds have a rate and a loss: those of steps are the finer ones, but few images make fewer of them.
    const auto epochs = std::ranges::count(run.metrics, MetricsLine::Kind::Epoch, &MetricsLine::kind);
    const bool ofEpochs = quantity == EvalLoss || quantity == Top1 || quantity == Top5 ||
                          static_cast<std::ptrdiff_t>(run.metrics.size()) - epochs < epochs;
    for (const MetricsLine& line : run.metrics) {
        if (ofEpochs != (line.kind == MetricsLine::Kind::Epoch)) continue;
        std::optional<double> value;
        switch (quantity) {
        case TrainLoss: value = line.trainLoss; break;
        case EvalLoss: value = line.evalLoss; break;
        case Top1: value = line.top1; break;
        case Top5: value = line.top5; break;
        case Rate: value = line.lr; break;
        default: value = line.imagesPerSecond; break;
        }
        const double x = m_along->currentIndex() == 0 ? static_cast<double>(line.step) : line.seconds;
        if (value && std::isfinite(*value)) out.emplace_back(x, *value);
    }
    return out;
}

void CurvesPanel::drawCurves()
{
    std::vector<TrainingCurve> curves;
    for (int row = m_list->count() - 1; row >= 0; --row) {
        const QListWidgetItem* item = m_list->item(row);
        if (item->checkState() != Qt::Checked) continue;
        const TrainingRun& run = *m_runs.runs()[item->data(Qt::UserRole).toULongLong()];
        curves.push_back(
            {runLabel(run, m_list->fontMetrics()), {run.refined, item->data(Qt::UserRole + 1).toInt()}, pointsOf(run)});
    }
    const int quantity = m_quantity->currentIndex();
    m_smoothingText->setText(m_smoothing->value() == 0 ? tr("off")
                                                       : QString::number(m_smoothing->value() / 100.0, 'f', 2));
    m_chart->setNote(m_runs.runs().empty() ? tr("No run yet. Start one in the panel Training.")
                                           : tr("The runs that are ticked have measured nothing of this yet."));
    m_chart->setAxes(m_along->currentIndex() == 0 ? tr("step") : tr("time, s"), m_quantity->currentText(),
                     quantity == Top1 || quantity == Top5);
    m_chart->setCurves(std::move(curves), m_smoothing->value() / 100.0);
}

void CurvesPanel::changeEvent(QEvent* event)
{
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange && m_list) listRuns();
}

}  // namespace fovea::studio
