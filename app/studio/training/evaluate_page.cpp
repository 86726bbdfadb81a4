#include "app/studio/training/evaluate_page.h"

#include "app/studio/training/confusion_dialog.h"
#include "app/studio/training/setup_page.h"

#include <QHeaderView>
#include <QLabel>
#include <QProgressBar>
#include <QPushButton>
#include <QTableWidget>
#include <QVBoxLayout>

namespace fovea::studio {

namespace {

enum Row { Top1, Top5, Loss, Images, kRows };

QString percent(double share) { return QStringLiteral("%1 %").arg(share * 100, 0, 'f', 2); }

}  // namespace

EvaluatePage::EvaluatePage(Evaluation& evaluation, SetupPage& setup, QWidget* parent)
    : QWidget(parent), m_evaluation(evaluation), m_setup(setup), m_data(new QLabel), m_state(new QLabel),
      m_table(new QTableWidget(kRows, Evaluation::kWhich)), m_progress(new QProgressBar),
      m_evaluate(new QPushButton(tr("Eva&luate"))), m_stop(new QPushButton(tr("St&op"))),
      m_confusion(new QPushButton(tr("&Confusion table\u2026"))),
      m_recalibrate(new QPushButton(tr("Recalibrate &norms"))), m_probe(new QPushButton(tr("Pro&be layers")))
{
    setObjectName(QStringLiteral("evaluatePage"));
    build();
    connect(&evaluation, &Evaluation::changed, this, &EvaluatePage::refresh);
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
    m_table->setHorizontalHeaderLabels({tr("Now"), tr("As opened")});
    m_table->setVerticalHeaderLabels({tr("Top-1"), tr("Top-5"), tr("Loss"), tr("Images")});
    m_table->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_table->setSelectionMode(QAbstractItemView::NoSelection);
    m_table->setTabKeyNavigation(false);
    m_table->horizontalHeader()->setSectionResizeMode(QHeaderView::Stretch);
    m_table->verticalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
    m_table->setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    for (int row = 0; row < kRows; ++row)
        for (int column = 0; column < Evaluation::kWhich; ++column) {
            auto* item = new QTableWidgetItem;
            item->setTextAlignment(Qt::AlignRight | Qt::AlignVCenter);
            m_table->setItem(row, column, item);
        }
    m_table->horizontalHeader()->setDefaultAlignment(Qt::AlignRight | Qt::AlignVCenter);
    m_table->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    m_table->setFixedHeight(m_table->horizontalHeader()->sizeHint().height() + m_table->verticalHeader()->length() + 4);
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
    auto* buttons = new QHBoxLayout;
    buttons->addWidget(m_evaluate);
    buttons->addWidget(m_stop);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(10, 8, 10, 8);
    layout->setSpacing(6);
    layout->addWidget(m_data);
    layout->addLayout(buttons);
    layout->addWidget(m_progress);
    layout->addWidget(m_table);
    for (QWidget* widget : std::initializer_list<QWidget*>{m_confusion, m_recalibrate, m_probe, m_state})
        layout->addWidget(widget);
    layout->addStretch();
}

void EvaluatePage::fillColumn(int column)
{
    const auto& result = m_evaluation.result(static_cast<Evaluation::Which>(column));
    const QString none = QStringLiteral("\u2013");
    m_table->item(Top1, column)->setText(result ? percent(result->top1) : none);
    m_table->item(Top5, column)->setText(result ? percent(result->top5) : none);
    m_table->item(Loss, column)->setText(result ? QString::number(result->loss, 'f', 4) : none);
    m_table->item(Images, column)->setText(result ? QString::number(result->images) : none);
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
    m_evaluate->setEnabled(!busy && problem.isEmpty());
    m_recalibrate->setEnabled(!busy && problem.isEmpty());
    m_probe->setEnabled(!busy && problem.isEmpty());
    m_stop->setEnabled(busy);
    m_confusion->setEnabled(m_evaluation.result(Evaluation::Now) || m_evaluation.result(Evaluation::Original));
    m_state->setText(m_evaluation.state());
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
