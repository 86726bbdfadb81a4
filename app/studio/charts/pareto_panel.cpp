#include "app/studio/charts/pareto_panel.h"

#include "app/studio/charts/pareto_chart.h"

#include <QComboBox>
#include <QLabel>
#include <QVBoxLayout>

namespace fovea::studio {

ParetoPanel::ParetoPanel(Proposals& proposals, QWidget* parent) : QWidget(parent)
{
    auto* chart = new ParetoChart(proposals);
    auto* goal = new QComboBox;
    goal->setObjectName(QStringLiteral("paretoGoal"));
    goal->addItems({tr("Unproductive layers"), tr("Smallest useful side (i_min)")});
    goal->setToolTip(tr("What the upright axis shows"));
    auto* legend = new QLabel(tr("Dots: plans. Rings: single moves. Click one to preview it."));
    legend->setWordWrap(true);
    legend->setForegroundRole(QPalette::PlaceholderText);
    auto* head = new QVBoxLayout;
    head->setContentsMargins(10, 6, 10, 0);
    head->setSpacing(4);
    head->addWidget(goal);
    head->addWidget(legend);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(2);
    layout->addLayout(head);
    layout->addWidget(chart, 1);
    connect(goal, &QComboBox::currentIndexChanged, chart,
            [chart](int index) { chart->setGoal(static_cast<ParetoChart::Goal>(index)); });
}

}  // namespace fovea::studio
