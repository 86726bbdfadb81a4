#include "app/studio/refine/plan_card.h"

#include "app/studio/look/verdict_look.h"
#include "app/studio/look/words.h"
#include "core/io/reports/reports.h"

#include <QGridLayout>
#include <QLabel>
#include <QPushButton>
#include <QSignalBlocker>

namespace fovea::studio {

namespace {

QString change(const QString& before, const QString& after)
{
    if (before == after) return QStringLiteral("%1 <span style='color:gray'>(%2)</span>").arg(after, PlanCard::tr("same"));
    QString out = before + QStringLiteral(" \u2192 <b>%1</b>").arg(after);
    return out.replace(QLatin1Char(' '), QChar::Nbsp);
}

QLabel* label(const QString& content, bool wrap = false)
{
    auto* out = new QLabel(content);
    out->setTextFormat(Qt::RichText);
    out->setWordWrap(wrap);
    return out;
}

QString weightsText(const TransferPlan& plan)
{
    QStringList parts;
    const auto add = [&](Transfer transfer, const QString& word) {
        if (const auto n = plan.total(transfer).tensors) parts << QStringLiteral("%1 %2").arg(n).arg(word);
    };
    add(Transfer::Copied, PlanCard::tr("copied"));
    add(Transfer::Sliced, PlanCard::tr("sliced"));
    add(Transfer::Padded, PlanCard::tr("padded"));
    add(Transfer::Fresh, PlanCard::tr("new"));
    add(Transfer::Dropped, PlanCard::tr("dropped"));
    return parts.isEmpty() ? PlanCard::tr("none") : parts.join(QStringLiteral(", "));
}

void addEffects(QGridLayout* grid, const Plan& plan)
{
    int row = 0;
    const auto add = [&](const QString& name, const QString& value) {
        auto* nameLabel = new QLabel(name);
        nameLabel->setForegroundRole(QPalette::PlaceholderText);
        grid->addWidget(nameLabel, row, 0, Qt::AlignTop);
        grid->addWidget(label(value, true), row++, 1);
    };
    const Summary &before = plan.before, &after = plan.after;
    for (const Verdict verdict : {Verdict::Unproductive, Verdict::Partial, Verdict::Critical, Verdict::Productive})
        if (before.count(verdict) || after.count(verdict))
            add(verdictWord(verdict), change(QString::number(before.count(verdict)), QString::number(after.count(verdict))));
    add(QStringLiteral("i_min"), change(text(sideText(before.iMin)), text(sideText(after.iMin))) + QStringLiteral(" px"));
    add(PlanCard::tr("parameters"), change(countText(before.parameters), countText(after.parameters)));
    add(PlanCard::tr("MACs"), change(countText(before.macs), countText(after.macs)));
    add(PlanCard::tr("tensors"), weightsText(plan.weights));
    grid->setColumnStretch(1, 1);
}

}  // namespace

PlanCard::PlanCard(Stage::PlanPtr plan, int index, QWidget* parent) : QFrame(parent), m_plan(std::move(plan)), m_preview(new QPushButton(tr("Preview")))
{
    setObjectName(QStringLiteral("plan.%1").arg(index));
    setFrameShape(QFrame::StyledPanel);
    setAutoFillBackground(true);
    setBackgroundRole(QPalette::Base);
    auto* title = label(QStringLiteral("<b>%1</b>").arg(text(m_plan->title).toHtmlEscaped()), true);
    title->setObjectName(QStringLiteral("planTitle.%1").arg(index));
    auto* reason = label(text(m_plan->reason).toHtmlEscaped(), true);
    auto* effects = new QGridLayout;
    effects->setHorizontalSpacing(10);
    effects->setVerticalSpacing(2);
    addEffects(effects, *m_plan);
    m_preview->setObjectName(QStringLiteral("planPreview.%1").arg(index));
    m_preview->setCheckable(true);
    m_preview->setToolTip(tr("Show the change on the canvas and its fields in the chart, without making it."));
    auto* apply = new QPushButton(tr("Apply"));
    apply->setObjectName(QStringLiteral("planApply.%1").arg(index));
    apply->setToolTip(tr("Make the change; undo takes it back."));
    auto* buttons = new QHBoxLayout;
    buttons->addWidget(m_preview);
    buttons->addWidget(apply);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(10, 8, 10, 8);
    layout->setSpacing(6);
    layout->addWidget(title);
    layout->addWidget(reason);
    layout->addLayout(effects);
    layout->addLayout(buttons);
    connect(m_preview, &QPushButton::toggled, this, &PlanCard::previewToggled);
    connect(apply, &QPushButton::clicked, this, &PlanCard::applied);
}

void PlanCard::setPreviewed(bool on)
{
    const QSignalBlocker quiet(m_preview);
    m_preview->setChecked(on);
}

}  // namespace fovea::studio
