#include "app/studio/training/run_page.h"

#include "app/studio/look/words.h"

#include <QComboBox>
#include <QInputDialog>
#include <QLabel>
#include <QPlainTextEdit>
#include <QProgressBar>
#include <QPushButton>
#include <QScrollBar>
#include <QSignalBlocker>
#include <QStyleOptionComboBox>
#include <QVBoxLayout>

#include <algorithm>

namespace fovea::studio {

namespace {

constexpr int kSteps = 1'000;  // of the progress bar
constexpr int kLines = 20'000;

double shareDone(const TrainingRun& run)
{
    return run.state == TrainingRun::State::Done ? 1 : std::clamp(run.share, 0.0, 1.0);
}

}  // namespace

RunPage::RunPage(TrainingRuns& runs, QWidget* parent)
    : QWidget(parent), m_runs(runs), m_list(new QComboBox), m_state(new QLabel), m_facts(new QLabel),
      m_result(new QLabel), m_progress(new QProgressBar), m_pause(new QPushButton(tr("&Pause"))),
      m_stop(new QPushButton(tr("St&op"))), m_resume(new QPushButton(tr("&Resume"))),
      m_use(new QPushButton(tr("&Use best weights"))), m_log(new QPlainTextEdit)
{
    setObjectName(QStringLiteral("trainingRun"));
    build();
    connect(m_list, &QComboBox::activated, this, [this](int row) { showRun(runAt(row)); });
    connect(m_pause, &QPushButton::clicked, &runs, &TrainingRuns::pause);
    connect(m_stop, &QPushButton::clicked, &runs, &TrainingRuns::stop);
    connect(m_resume, &QPushButton::clicked, this, &RunPage::resume);
    connect(m_use, &QPushButton::clicked, this, [this] { m_runs.useBest(m_shown); });
    connect(&runs, &TrainingRuns::listChanged, this, &RunPage::listRuns);
    connect(&runs, &TrainingRuns::started, this, &RunPage::showRun);
    connect(&runs, &TrainingRuns::changed, this, [this](const RunPtr& run) {
        if (run == m_shown) refresh();
    });
    connect(&runs, &TrainingRuns::measured, this, [this](const RunPtr& run) {
        if (run == m_shown) m_result->setText(resultText());
    });
    connect(&runs, &TrainingRuns::ended, this, &RunPage::showButtons);
    connect(&runs, &TrainingRuns::logged, this, [this](const RunPtr& run, const QString& text) {
        if (run == m_shown) m_log->appendPlainText(text);
    });
    listRuns();
}

void RunPage::build()
{
    m_list->setObjectName(QStringLiteral("runList"));
    m_list->setAccessibleName(tr("Run"));
    m_list->installEventFilter(this);
    m_list->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    m_state->setObjectName(QStringLiteral("runState"));
    m_facts->setObjectName(QStringLiteral("runFacts"));
    m_facts->setForegroundRole(QPalette::PlaceholderText);
    m_result->setObjectName(QStringLiteral("runResult"));
    for (QLabel* label : {m_state, m_facts, m_result}) {
        label->setWordWrap(true);
        label->setTextFormat(Qt::PlainText);
        label->setTextInteractionFlags(Qt::TextSelectableByMouse);
    }
    m_progress->setObjectName(QStringLiteral("runProgress"));
    m_progress->setAccessibleName(tr("Progress of the run"));
    m_log->setObjectName(QStringLiteral("runLog"));
    m_log->setAccessibleName(tr("Log"));
    m_log->setReadOnly(true);
    m_log->setMaximumBlockCount(kLines);
    m_log->setLineWrapMode(QPlainTextEdit::WidgetWidth);
    m_log->setPlaceholderText(tr("What the engine says appears here."));
    QFont font = m_log->font();
    font.setPointSizeF(font.pointSizeF() * 0.9);
    m_log->setFont(font);
    m_use->setObjectName(QStringLiteral("runUse"));
    m_use->setToolTip(tr("The run's network and the weights of its best epoch become the document's. Undo brings the "
                         "old ones back."));
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(10, 8, 10, 8);
    layout->setSpacing(6);
    for (QWidget* widget : std::initializer_list<QWidget*>{m_list, m_state, m_progress, m_facts})
        layout->addWidget(widget);
    layout->addLayout(buildButtons());
    layout->addWidget(m_result);
    layout->addWidget(m_use);
    layout->addWidget(m_log, 1);
}

QHBoxLayout* RunPage::buildButtons()
{
    m_pause->setObjectName(QStringLiteral("runPause"));
    m_pause->setToolTip(tr("Stop after this batch and give the memory back; Resume goes on where it stood."));
    m_stop->setObjectName(QStringLiteral("runStop"));
    m_stop->setToolTip(tr("End the run after this batch. What it has learnt stays."));
    m_resume->setObjectName(QStringLiteral("runResume"));
    auto* row = new QHBoxLayout;
    for (QPushButton* button : {m_pause, m_stop, m_resume}) row->addWidget(button);
    return row;
}

// One that has ended is trained further, for more epochs.
void RunPage::resume()
{
    if (!m_shown->canGoFurther()) {
        m_runs.resume(m_shown);
        return;
    }
    constexpr int kMostEpochs = 1'000'000;
    const auto done = static_cast<int>(std::min<std::int64_t>(m_shown->recipe.epochs, kMostEpochs - 1));
    auto* dialog = new QInputDialog(this);
    dialog->setObjectName(QStringLiteral("furtherDialog"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setWindowTitle(tr("Train further"));
    dialog->setLabelText(tr("Epochs in all (%1 so far; early stopping begins anew):").arg(done));
    dialog->setInputMode(QInputDialog::IntInput);
    dialog->setIntRange(done + 1, kMostEpochs);
    dialog->setIntValue(done + std::max(1, done / 2));
    connect(dialog, &QInputDialog::intValueSelected, this,
            [this, run = m_shown](int epochs) { m_runs.resume(run, epochs); });
    dialog->open();
}

void RunPage::listRuns()
{
    const QSignalBlocker quiet(m_list);
    m_list->clear();
    const auto& runs = m_runs.runs();
    for (std::size_t i = runs.size(); i-- > 0;) {
        m_list->addItem({}, static_cast<int>(i));
        m_list->setItemData(m_list->count() - 1,
                            QStringLiteral("%1\n%2").arg(runLabel(*runs[i], fontMetrics()), runs[i]->path()),
                            Qt::ToolTipRole);
    }
    labelRuns();
    showRun(m_shown ? m_shown : m_runs.latest());
}

// The end of a long name is what tells two networks of one file apart, so it is not cut off there.
void RunPage::labelRuns()
{
    constexpr int kPadding = 8;  // that the list leaves around its texts
    QStyleOptionComboBox option;
    option.initFrom(m_list);
    option.editable = false;
    const QRect field =
        m_list->style()->subControlRect(QStyle::CC_ComboBox, &option, QStyle::SC_ComboBoxEditField, m_list);
    for (int row = 0; row < m_list->count(); ++row)
        m_list->setItemText(row, runLabel(*runAt(row), m_list->fontMetrics(), field.width() - kPadding));
}

RunPtr RunPage::runAt(int row) const { return m_runs.runs()[static_cast<std::size_t>(m_list->itemData(row).toInt())]; }

bool RunPage::eventFilter(QObject* watched, QEvent* event)
{
    if (event->type() == QEvent::Resize || event->type() == QEvent::FontChange) labelRuns();
    return QWidget::eventFilter(watched, event);
}

void RunPage::showRun(const RunPtr& run)
{
    const bool other = run != m_shown;
    m_shown = run;
    for (int row = 0; row < m_list->count(); ++row)
        if (runAt(row) == run) m_list->setCurrentIndex(row);
    if (other) {
        m_log->setPlainText(run ? run->log : QString());
        m_log->verticalScrollBar()->setValue(m_log->verticalScrollBar()->maximum());
    }
    refresh();
}

void RunPage::refresh()
{
    for (QWidget* widget : std::initializer_list<QWidget*>{m_list, m_progress, m_log})
        widget->setVisible(m_shown != nullptr);
    m_state->setText(m_shown ? stateText(*m_shown) : tr("No run yet. Set one up and start it on the page before."));
    m_facts->setText(m_shown ? progressText(*m_shown) : QString());
    m_facts->setVisible(!m_facts->text().isEmpty());
    m_list->setToolTip(m_list->currentData(Qt::ToolTipRole).toString());
    m_result->setText(resultText());
    m_result->setVisible(!m_result->text().isEmpty());
    showProgress();
    showButtons();
}

void RunPage::showProgress()
{
    if (!m_shown) return;
    const bool busy = m_shown->isLive() && (m_shown->share < 0 || m_shown->state == TrainingRun::State::Preparing);
    m_progress->setRange(0, busy ? 0 : kSteps);
    if (busy) return;
    m_progress->setValue(static_cast<int>(shareDone(*m_shown) * kSteps));
    const QString phase = m_shown->isLive() ? text(m_shown->progress.phase) : QString();
    m_progress->setFormat(phase.isEmpty() ? QStringLiteral("%p %") : tr("%1, %p %").arg(phase));
}

void RunPage::showButtons()
{
    const bool live = m_shown && m_shown->isLive();
    m_pause->setVisible(live);
    m_pause->setEnabled(live && m_shown->state == TrainingRun::State::Running);
    m_stop->setVisible(live);
    m_stop->setEnabled(live && m_shown->state != TrainingRun::State::Stopping);
    const bool further = m_shown && m_shown->canGoFurther();
    m_resume->setText(further ? tr("Train fu&rther\u2026") : tr("&Resume"));
    m_resume->setVisible(m_shown && (m_shown->canResume() || further));
    m_resume->setEnabled(!m_runs.live());
    m_resume->setToolTip(m_runs.live() ? tr("Another run is going on; it has to end first.")
                         : further     ? tr("Go on for more epochs than it was started for")
                                       : tr("Go on after the last checkpoint"));
    m_use->setVisible(m_shown != nullptr);
    m_use->setEnabled(m_shown && m_shown->hasBest);
}

QString RunPage::resultText() const
{
    if (!m_shown) return {};
    const auto best = m_shown->best();
    if (!best) return {};
    QString out = tr("Best top-1 %1 % after epoch %2").arg(*best->top1 * 100, 0, 'f', 1).arg(best->epoch + 1);
    if (best->evalLoss) out += tr(", loss %1").arg(*best->evalLoss, 0, 'f', 3);
    return out;
}

}  // namespace fovea::studio
