#include "app/studio/training/cost_section.h"

#include "app/studio/look/words.h"
#include "app/studio/training/comparison_table.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QProgressBar>
#include <QPushButton>
#include <QSpinBox>
#include <QVBoxLayout>

namespace fovea::studio {

namespace {

constexpr int kMostImages = 65'536;  // the engine's limit

// Three digits: the next run differs in the fourth.
QString timeText(const std::optional<CostReply>& reply)
{
    if (!reply) return {};
    const double ms = reply->median * 1e3;
    return CostSection::tr("%1 ms").arg(ms, 0, 'f', ms < 10 ? 2 : ms < 100 ? 1 : 0);
}

QString memoryText(const std::optional<CostReply>& reply) { return reply ? bytesText(reply->memory) : QString(); }

}  // namespace

CostSection::CostSection(CostMeasurement& cost, QWidget* parent)
    : QWidget(parent), m_cost(cost), m_batch(new QSpinBox), m_measure(new QPushButton(tr("&Measure cost"))),
      m_stop(new QPushButton(tr("Stop"))), m_progress(new QProgressBar),
      m_table(new ComparisonTable({tr("Training"), tr("its memory"), tr("Inference"), tr("its memory")})),
      m_state(new QLabel)
{
    build();
    connect(&cost, &CostMeasurement::changed, this, &CostSection::refresh);
    connect(m_measure, &QPushButton::clicked, this, [this] { m_cost.measure(m_batch->value(), m_device); });
    connect(m_stop, &QPushButton::clicked, &cost, &CostMeasurement::stop);
    refresh();
}

void CostSection::build()
{
    m_batch->setObjectName(QStringLiteral("costBatch"));
    m_batch->setRange(1, kMostImages);
    m_batch->setValue(32);
    m_batch->setAccessibleName(tr("Images in a step"));
    m_batch->setToolTip(tr("Images in a step: the batch size that is measured"));
    m_measure->setObjectName(QStringLiteral("measureCost"));
    m_measure->setToolTip(
        tr("Time and memory of a step on this machine, training and inference, each in an engine of its "
           "own; of the network as it was opened too where that is another"));
    m_stop->setObjectName(QStringLiteral("costStop"));
    m_progress->setRange(0, 0);
    m_progress->setTextVisible(false);
    m_progress->setMaximumHeight(6);
    m_table->setObjectName(QStringLiteral("costTable"));
    m_table->setAccessibleName(tr("Cost of a step of the network as it is and as it was opened"));
    m_state->setObjectName(QStringLiteral("costState"));
    m_state->setWordWrap(true);
    m_state->setTextFormat(Qt::PlainText);
    auto* label = new QLabel(tr("Batch si&ze"));
    label->setBuddy(m_batch);
    auto* batch = new QHBoxLayout;
    batch->addWidget(label);
    batch->addWidget(m_batch, 1);
    auto* buttons = new QHBoxLayout;
    buttons->addWidget(m_measure);
    buttons->addWidget(m_stop);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(6);
    layout->addLayout(batch);
    layout->addLayout(buttons);
    layout->addWidget(m_progress);
    layout->addWidget(m_table);
    layout->addWidget(m_state);
}

void CostSection::setProblem(const QString& problem)
{
    m_problem = problem;
    refresh();
}

void CostSection::refresh()
{
    for (const auto which : {CostMeasurement::Now, CostMeasurement::Original})
        for (const auto what : {CostMeasurement::Training, CostMeasurement::Inference}) {
            const auto& reply = m_cost.result(which, what);
            m_table->setValue(2 * what, which, timeText(reply));
            m_table->setValue(2 * what + 1, which, memoryText(reply));
        }
    const bool busy = m_cost.isBusy();
    m_progress->setVisible(busy);
    m_batch->setEnabled(!busy);
    m_measure->setEnabled(!busy && m_problem.isEmpty());
    m_stop->setEnabled(busy);
    m_state->setText(busy || m_problem.isEmpty() ? m_cost.state() : m_problem);
    m_state->setVisible(!m_state->text().isEmpty());
}

}  // namespace fovea::studio
