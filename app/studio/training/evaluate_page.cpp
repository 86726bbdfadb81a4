#include "app/studio/training/evaluate_page.h"

#include "app/studio/training/comparison_table.h"
#include "app/studio/training/confusion_dialog.h"
#include "app/studio/training/cost_section.h"
#include "app/studio/training/setup_page.h"

#include <QLabel>
#include <QProgressBar>
#include <QPushButton>
#include <QVBoxLayout>

namespace fovea::studio {

namespace {

enum Row { Top1, Top5, Loss, Images };

QString percent(double share) { return QStringLiteral("%1 %").arg(share * 100, 0, 'f', 2); }

}  // namespace

EvaluatePage::EvaluatePage(Evaluation& evaluation, CostMeasurement& cost, SetupPage& setup, QWidget* parent)
    : QScrollArea(parent), m_evaluation(evaluation), m_cost(cost), m_setup(setup), m_data(new QLabel),
      m_state(new QLabel), m_table(new ComparisonTable({tr("Top-1"), tr("Top-5"), tr("Loss"), tr("Images")})),
      m_progress(new QProgressBar), m_evaluate(new QPushButton(tr("Eva&luate"))), m_stop(new QPushButton(tr("St&op"))),
      m_confusion(new QPushButton(tr("&Confusion table\u2026"))),
      m_recalibrate(new QPushButton(tr("Recalibrate &norms"))), m_probe(new QPushButton(tr("Pro&be layers"))),
      m_costSection(new CostSection(cost))
{
    setObjectName(QStringLiteral("evaluatePage"));
    build();
    setWidget(buildContent());
    setWidgetResizable(true);
    setFrameShape(QFrame::NoFrame);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setFocusPolicy(Qt::NoFocus);
    connect(&evaluation, &Evaluation::changed, this, &EvaluatePage::refresh);
    connect(&cost, &CostMeasurement::changed, this, &EvaluatePage::refresh);
    connect(&setup, &SetupPage::changed, this, &EvaluatePage::refresh);
    connect(m_evaluate, &QPushButton::clicked, this,
            [this] { m_evaluation.evaluate(m_setup.dataUse(), m_setup.device()); });
    connect(m_recalibrate, &QPushButton::clicked, this,
            [this] { m_evaluation.recalibrate(m_setup.dataUse(), m_setup.device()); });
    connect(m_probe, &QPushButton::clicked, this, [this] { m_evaluation.probe(m_setup.dataUse(), m_setup.device()); });
    connect(m_stop, &QPushButton::clicked, &evaluation, &Evaluation::stop);
    connect(m_confusion, &QPushButton::clicked, this, &EvaluatePage::showConfusion);
    refresh();
}

void EvaluatePage::build()
{
    m_data->setObjectName(QStringLiteral("evaluateData"));
    m_state->setObjectName(QStringLiteral("evaluateState"));
    for (QLabel* label : {m_data, m_state}) {
        label->setWordWrap(true);
        label->setTextFormat(Qt::PlainText);
    }
    m_table->setObjectName(QStringLiteral("evaluateTable"));
    m_table->setAccessibleName(tr("Accuracy of the network as it is and as it was opened"));
    m_progress->setRange(0, 0);
    m_progress->setTextVisible(false);
    m_progress->setMaximumHeight(6);
    m_evaluate->setObjectName(QStringLiteral("evaluate"));
    m_evaluate->setToolTip(tr("Run the network on the validation images; also before any training"));
    m_stop->setObjectName(QStringLiteral("evaluateStop"));
    m_confusion->setObjectName(QStringLiteral("evaluateConfusion"));
    m_recalibrate->setObjectName(QStringLiteral("recalibrate"));
    m_recalibrate->setToolTip(tr("Take the running statistics of all norms anew over training images. No other weight "
                                 "changes. One undo step."));
    m_probe->setObjectName(QStringLiteral("probe"));
    m_probe->setToolTip(
        tr("Train a linear classifier on the output of each layer that slides a window; its accuracy is "
           "drawn over the receptive fields."));
}

QWidget* EvaluatePage::buildContent()
{
    auto* buttons = new QHBoxLayout;
    buttons->addWidget(m_evaluate);
    buttons->addWidget(m_stop);
    auto* line = new QFrame;
    line->setFrameShape(QFrame::HLine);
    line->setForegroundRole(QPalette::Mid);
    auto* content = new QWidget;
    auto* layout = new QVBoxLayout(content);
    layout->setContentsMargins(10, 8, 10, 8);
    layout->setSpacing(6);
    layout->addWidget(m_data);
    layout->addLayout(buttons);
    layout->addWidget(m_progress);
    layout->addWidget(m_table);
    for (QWidget* widget :
         std::initializer_list<QWidget*>{m_confusion, m_recalibrate, m_probe, m_state, line, m_costSection})
        layout->addWidget(widget);
    layout->addStretch();
    return content;
}

void EvaluatePage::fillColumn(int column)
{
    const auto& result = m_evaluation.result(static_cast<Evaluation::Which>(column));
    m_table->setValue(Top1, column, result ? percent(result->top1) : QString());
    m_table->setValue(Top5, column, result ? percent(result->top5) : QString());
    m_table->setValue(Loss, column, result ? QString::number(result->loss, 'f', 4) : QString());
    m_table->setValue(Images, column, result ? QString::number(result->images) : QString());
}

void EvaluatePage::refresh()
{
    for (int column = 0; column < Evaluation::kWhich; ++column) fillColumn(column);
    const bool busy = m_evaluation.isBusy();
    const QString problem = m_setup.problemOfData();
    m_data->setText(problem.isEmpty()
                        ? tr("Validation images of %1, chosen on the page \u201cSet up\u201d.").arg(m_setup.source())
                        : problem);
    m_progress->setVisible(busy);
    // Two at once would slow one another, and the cost is the time that it takes.
    const bool may = !busy && !m_cost.isBusy() && problem.isEmpty();
    for (QPushButton* button : {m_evaluate, m_recalibrate, m_probe}) button->setEnabled(may);
    m_stop->setEnabled(busy);
    m_costSection->setDevice(m_setup.device());
    m_costSection->setProblem(busy ? tr("The cost can be measured when the evaluation has ended.")
                                   : m_setup.problemOfMeasuring());
    m_confusion->setEnabled(m_evaluation.result(Evaluation::Now) || m_evaluation.result(Evaluation::Original));
    m_state->setText(m_evaluation.state());
    m_state->setVisible(!m_state->text().isEmpty());
}

void EvaluatePage::showConfusion()
{
    auto* dialog = new ConfusionDialog(this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    for (const auto& [which, title] : {std::pair{Evaluation::Now, tr("Now")}, {Evaluation::Original, tr("As opened")}})
        if (const auto& result = m_evaluation.result(which)) dialog->add(title, *result);
    dialog->show();
}

}  // namespace fovea::studio
