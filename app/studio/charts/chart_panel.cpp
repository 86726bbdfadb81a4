#include "app/studio/charts/chart_panel.h"

#include "app/studio/charts/field_chart.h"
#include "app/studio/charts/legend.h"

#include <QCheckBox>
#include <QComboBox>
#include <QHBoxLayout>
#include <QSettings>
#include <QVBoxLayout>

#include <algorithm>

namespace fovea::studio {

ChartPanel::ChartPanel(Stage& stage, QWidget* parent) : QWidget(parent), m_chart(new FieldChart(stage)), m_axis(new QComboBox)
{
    auto* all = new QCheckBox(tr("All layers"));
    all->setObjectName(QStringLiteral("chartAllLayers"));
    all->setToolTip(tr("Also show layers that are not judged: activations, 1x1 convolutions, merges."));
    auto* log = new QCheckBox(tr("Logarithmic"));
    log->setObjectName(QStringLiteral("chartLog"));
    log->setChecked(QSettings().value(QStringLiteral("chart/log"), true).toBool());
    m_axis->setObjectName(QStringLiteral("chartAxis"));
    m_axis->addItems({tr("Along the height"), tr("Along the width")});

    auto* row = new QHBoxLayout;
    row->setContentsMargins(8, 4, 8, 0);
    row->setSpacing(12);
    row->addWidget(verdictLegend(tr("Solid up to the smallest field of a layer, faint from there to its largest.")));
    row->addStretch();
    row->addWidget(m_axis);
    row->addWidget(all);
    row->addWidget(log);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(2);
    layout->addLayout(row);
    layout->addWidget(m_chart, 1);
    setMinimumHeight(150);

    m_chart->setLogarithmic(log->isChecked());
    connect(all, &QCheckBox::toggled, m_chart, &FieldChart::setAllLayers);
    connect(log, &QCheckBox::toggled, m_chart, [this](bool on) {
        QSettings().setValue(QStringLiteral("chart/log"), on);
        m_chart->setLogarithmic(on);
    });
    connect(m_axis, &QComboBox::currentIndexChanged, m_chart, [this](int index) { m_chart->setAxis(index == 0 ? FieldChart::Axis::Height : FieldChart::Axis::Width); });
    const auto offerAxis = [this, &stage] {
        // One axis says it all as long as both are alike.
        const auto& layers = stage.report()->layers;
        const bool alike = stage.report()->side.h == stage.report()->side.w &&
                           std::all_of(layers.begin(), layers.end(), [](const LayerReport& layer) { return layer.field.h == layer.field.w; });
        m_axis->setVisible(!alike);
    };
    connect(&stage, &Stage::shown, this, offerAxis);
    offerAxis();
}

}  // namespace fovea::studio
