#include "app/studio/training/training_panel.h"

#include "app/studio/training/cost_measurement.h"
#include "app/studio/training/devices.h"
#include "app/studio/training/evaluate_page.h"
#include "app/studio/training/run_page.h"
#include "app/studio/training/setup_page.h"

#include <QStackedWidget>
#include <QTabBar>
#include <QVBoxLayout>

namespace fovea::studio {

TrainingPanel::TrainingPanel(TrainingRuns& runs, QWidget* parent)
    : QWidget(parent), m_devices(new Devices(this)), m_setup(new SetupPage(runs, *m_devices)), m_run(new RunPage(runs)),
      m_evaluation(new Evaluation(runs.document(), this)), m_cost(new CostMeasurement(runs.document(), this)),
      m_evaluate(new EvaluatePage(*m_evaluation, *m_cost, *m_setup)), m_tabs(new QTabBar), m_pages(new QStackedWidget)
{
    setObjectName(QStringLiteral("trainingPanel"));
    setMinimumWidth(292);
    m_tabs->setObjectName(QStringLiteral("trainingTabs"));
    m_tabs->setDocumentMode(true);
    m_tabs->setExpanding(true);
    for (const auto& [page, title] :
         {std::pair<QWidget*, QString>{m_setup, tr("Set up")}, {m_run, tr("Run")}, {m_evaluate, tr("Evaluate")}}) {
        m_tabs->addTab(title);
        m_pages->addWidget(page);
    }
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(m_tabs);
    layout->addWidget(m_pages, 1);
    connect(m_tabs, &QTabBar::currentChanged, m_pages, &QStackedWidget::setCurrentIndex);
    connect(&runs, &TrainingRuns::started, this, &TrainingPanel::showRun);
}

void TrainingPanel::showPage(int page) { m_tabs->setCurrentIndex(page); }

void TrainingPanel::showRun(const RunPtr& run)
{
    m_run->showRun(run);
    showPage(1);
}

RunPtr TrainingPanel::shownRun() const { return m_run->shown(); }

DataUse TrainingPanel::dataUse() const { return m_setup->dataUse(); }

QString TrainingPanel::device() const { return m_setup->device(); }

void TrainingPanel::showEvent(QShowEvent* event)
{
    QWidget::showEvent(event);
    m_devices->ask();
}

}  // namespace fovea::studio
