#include "app/studio/charts/sizes_panel.h"

#include "app/studio/charts/sizes_chart.h"
#include "app/studio/document/background.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QSettings>
#include <QSpinBox>
#include <QVBoxLayout>

namespace fovea::studio {

namespace {

constexpr const char* kDefaultSizes = "32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 384, 448, 512";

}  // namespace

SizesPanel::SizesPanel(Stage& stage, QWidget* parent)
    : QWidget(parent), m_stage(stage), m_chart(new SizesChart), m_cost(new QComboBox), m_element(new QComboBox), m_batch(new QSpinBox), m_sizes(new QLineEdit)
{
    setObjectName(QStringLiteral("sizesPanel"));
    auto* row = new QHBoxLayout;
    row->setContentsMargins(8, 4, 8, 0);
    row->setSpacing(6);
    buildControls(row);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(2);
    layout->addLayout(row);
    layout->addWidget(m_chart, 1);
    setMinimumHeight(150);
    loadSettings();

    m_soon.setSingleShot(true);
    m_soon.setInterval(120);
    connect(&m_soon, &QTimer::timeout, this, &SizesPanel::compute);
    const auto changed = [this] {
        saveSettings();
        later();
    };
    connect(m_cost, &QComboBox::currentIndexChanged, this, [this](int index) {
        m_chart->setCost(static_cast<SizesChart::Cost>(index));
        saveSettings();
    });
    connect(m_element, &QComboBox::currentIndexChanged, this, changed);
    connect(m_batch, &QSpinBox::valueChanged, this, changed);
    connect(m_sizes, &QLineEdit::editingFinished, this, changed);
    connect(m_chart, &SizesChart::sideChosen, this, [this](qint64 height, qint64 width) {
        try {
            m_stage.document().setSide(height, width, {});
        } catch (const std::exception& error) {
            emit failed(tr("The side could not be set"), QString::fromUtf8(error.what()));
        }
    });
    connect(&stage, &Stage::shown, this, &SizesPanel::later);
    connect(&stage, &Stage::previewChanged, this, &SizesPanel::later);
    later();
}

SizesPanel::~SizesPanel()
{
    if (m_cancelled) *m_cancelled = true;
}

void SizesPanel::buildControls(QHBoxLayout* row)
{
    m_cost->setObjectName(QStringLiteral("sizesCost"));
    m_cost->addItems({tr("MACs"), tr("Training memory"), tr("Inference memory")});
    m_cost->setToolTip(tr("What the line shows"));
    m_batch->setObjectName(QStringLiteral("sizesBatch"));
    m_batch->setRange(1, 1'000'000);
    m_batch->setKeyboardTracking(false);
    m_batch->setToolTip(tr("Images at a time, for the memory"));
    m_element->setObjectName(QStringLiteral("sizesElement"));
    for (const ElementType type : kElementTypes) m_element->addItem(QLatin1String(toString(type)));
    m_element->setToolTip(tr("Type of the numbers, for the memory"));
    m_sizes->setObjectName(QStringLiteral("sizesList"));
    m_sizes->setMinimumWidth(130);
    m_sizes->setToolTip(tr("Input sides to compare, such as 64, 128, 192x256"));
    const auto named = [](const QString& words, QWidget* buddy) {
        auto* label = new QLabel(words);
        label->setBuddy(buddy);
        return label;
    };
    row->addWidget(named(tr("Sides"), m_sizes));
    row->addWidget(m_sizes, 1);
    row->addWidget(named(tr("Line"), m_cost));
    row->addWidget(m_cost);
    row->addWidget(named(tr("Batch"), m_batch));
    row->addWidget(m_batch);
    row->addWidget(m_element);
}

void SizesPanel::loadSettings()
{
    const QSettings settings;
    m_sizes->setText(settings.value(QStringLiteral("sizes/list"), QLatin1String(kDefaultSizes)).toString());
    if (readSizes(m_sizes->text()).empty()) m_sizes->setText(QLatin1String(kDefaultSizes));
    m_sizes->setCursorPosition(0);
    m_batch->setValue(settings.value(QStringLiteral("sizes/batch"), 32).toInt());
    m_element->setCurrentText(settings.value(QStringLiteral("sizes/element"), QStringLiteral("float32")).toString());
    m_cost->setCurrentIndex(std::clamp(settings.value(QStringLiteral("sizes/cost"), 0).toInt(), 0, m_cost->count() - 1));
    m_chart->setCost(static_cast<SizesChart::Cost>(m_cost->currentIndex()));
}

void SizesPanel::saveSettings() const
{
    QSettings settings;
    settings.setValue(QStringLiteral("sizes/list"), m_sizes->text());
    settings.setValue(QStringLiteral("sizes/batch"), m_batch->value());
    settings.setValue(QStringLiteral("sizes/element"), m_element->currentText());
    settings.setValue(QStringLiteral("sizes/cost"), m_cost->currentIndex());
}

MemoryOptions SizesPanel::memory() const
{
    return {m_batch->value(), elementType(m_element->currentText().toStdString()).value_or(ElementType::Float32)};
}

void SizesPanel::later()
{
    m_stale = true;
    m_chart->setSide(m_stage.report()->side);
    if (isVisible()) m_soon.start();
}

void SizesPanel::showEvent(QShowEvent* event)
{
    QWidget::showEvent(event);
    if (m_stale) m_soon.start();
}

void SizesPanel::compute()
{
    m_stale = false;
    if (m_cancelled) *m_cancelled = true;
    const auto sides = readSizes(m_sizes->text());
    const bool possible = m_stage.report()->input != kNoNode;
    if (sides.empty() || !possible) {
        m_chart->setNote(possible ? tr("Write up to 64 sides, such as 64, 128, 192x256.") : tr("The network has no image input, so it has no sides to compare."));
        m_chart->setRows({});
        return;
    }
    m_cancelled = std::make_shared<std::atomic<bool>>(false);
    inBackground(
        this, [graph = m_stage.graph(), sides, options = memory(), cancelled = m_cancelled] { return analyzeAtSizes(*graph, sides, options, *cancelled); },
        [this, cancelled = m_cancelled](const std::vector<AtSize>& rows) {
            if (*cancelled) return;
            m_chart->setRows(rows);
        });
}

}  // namespace fovea::studio
