#include "app/studio/window/status_summary.h"

#include "app/studio/look/verdict_look.h"
#include "app/studio/look/words.h"
#include "core/io/reports/reports.h"

#include <QHBoxLayout>
#include <QLabel>

namespace fovea::studio {

namespace {

QLabel* named(const char* name)
{
    auto* label = new QLabel;
    label->setObjectName(QLatin1String(name));
    return label;
}

}  // namespace

StatusSummary::StatusSummary(Stage& stage, QWidget* parent)
    : QWidget(parent), m_stage(stage), m_network(named("status.network")), m_parameters(named("status.parameters")), m_macs(named("status.macs")),
      m_bounds(named("status.bounds"))
{
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(8, 0, 8, 0);
    layout->setSpacing(5);
    for (QLabel* label : {m_network, m_parameters, m_macs, m_bounds}) {
        layout->addWidget(label);
        layout->addSpacing(10);
    }
    layout->addStretch();
    for (const Verdict verdict : {Verdict::Productive, Verdict::Partial, Verdict::Critical, Verdict::Unproductive, Verdict::Unknown}) {
        const auto index = static_cast<std::size_t>(verdict);
        m_signs[index] = new QLabel;
        m_signs[index]->setPixmap(verdictPixmap(verdict, 13));
        m_counts[index] = named("");
        m_counts[index]->setObjectName(QStringLiteral("status.%1").arg(QLatin1String(toString(verdict))));
        layout->addWidget(m_signs[index]);
        layout->addWidget(m_counts[index]);
        layout->addSpacing(6);
    }
    connect(&stage, &Stage::shown, this, &StatusSummary::refresh);
    refresh();
}

void StatusSummary::refresh()
{
    const auto report = m_stage.report();
    const Summary& summary = report->summary;
    const bool any = !m_stage.graph()->nodes().empty();
    m_network->setText(any ? tr("%1 layers").arg(report->layers.size()) : tr("no network"));
    m_parameters->setVisible(any);
    m_macs->setVisible(any);
    m_bounds->setVisible(any);
    m_parameters->setText(tr("%1 parameters").arg(countText(summary.parameters)));
    m_parameters->setToolTip(tr("%1 trainable parameters").arg(exactText(summary.parameters)));
    m_macs->setText(tr("%1 MACs at %2").arg(countText(summary.macs), text(report->inputShape.text())));
    m_macs->setToolTip(tr("%1 multiply-accumulates of convolutions and linear layers, batch 1%2")
                           .arg(exactText(summary.macs), summary.complete ? QString() : tr("; some layers could not be counted")));
    m_bounds->setText((summary.bounded ? tr("i_min %1 \u00b7 i_max %2 px") : tr("i_min at least %1 \u00b7 i_max at least %2 px"))
                          .arg(text(sideText(summary.iMin)), text(sideText(summary.iMax))));
    m_bounds->setToolTip(tr("Below i_min part of the network's field expansion is wasted; above i_max patterns larger than any field cannot be extracted."));
    for (const Verdict verdict : {Verdict::Productive, Verdict::Partial, Verdict::Critical, Verdict::Unproductive, Verdict::Unknown}) {
        const auto index = static_cast<std::size_t>(verdict);
        const bool shown = any && (verdict != Verdict::Unknown || summary.count(verdict) > 0);
        m_counts[index]->setText(QStringLiteral("%1 %2").arg(summary.count(verdict)).arg(verdictWord(verdict)));
        m_counts[index]->setVisible(shown);
        m_signs[index]->setVisible(shown);
    }
}

}  // namespace fovea::studio
