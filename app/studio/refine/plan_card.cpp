#include "app/studio/refine/plan_card.h"

#include "app/studio/look/theme.h"
#include "app/studio/look/verdict_look.h"
#include "app/studio/look/words.h"
#include "app/studio/refine/field_sketch.h"
#include "app/studio/refine/transfer_dialog.h"
#include "core/io/reports/reports.h"

#include <QGridLayout>
#include <QLabel>
#include <QPainter>
#include <QPushButton>
#include <QSignalBlocker>

#include <algorithm>

namespace fovea::studio {

namespace {

QString change(const QString& before, const QString& after)
{
    if (before == after)
        return QStringLiteral("%1 <span style='color:gray'>(%2)</span>").arg(after, PlanCard::tr("same"));
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
    for (const Transfer transfer :
         {Transfer::Copied, Transfer::Sliced, Transfer::Padded, Transfer::Fresh, Transfer::Dropped})
        if (const auto n = plan.total(transfer).tensors)
            parts << QStringLiteral("%1 %2").arg(n).arg(transferWord(transfer));
    return parts.isEmpty() ? PlanCard::tr("none") : parts.join(QStringLiteral(", "));
}

// "1.82 G -> 3.63 G (2.0x)"
QString costChange(std::int64_t before, std::int64_t after, QString (*words)(std::int64_t))
{
    QString out = change(words(before), words(after));
    if (words(before) != words(after) && before > 0) out += QStringLiteral(" (%1)").arg(factorText(after, before));
    return out;
}

QString countWords(std::int64_t count) { return countText(count); }

}  // namespace

PlanCard::PlanCard(Stage::PlanPtr plan, ReportPtr now, const MemoryOptions& memory, const Latencies& latencies,
                   const QString& key, QWidget* parent)
    : QFrame(parent), m_plan(std::move(plan)), m_preview(new QPushButton(tr("Preview"))), m_latency(label({}, true))
{
    setObjectName(QStringLiteral("plan.") + key);
    setFrameShape(QFrame::StyledPanel);
    setAutoFillBackground(true);
    setBackgroundRole(QPalette::Base);
    // Names of layers can be longer than a card is wide.
    setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    auto* title =
        label(QStringLiteral("<b>%1</b>")
                  .arg(text(m_plan->title).toHtmlEscaped().replace(QLatin1Char('.'), QStringLiteral(".\u200b"))),
              true);
    title->setObjectName(QStringLiteral("planTitle.") + key);
    auto* reason = label(text(m_plan->reason).toHtmlEscaped(), true);
    auto* effects = new QGridLayout;
    effects->setHorizontalSpacing(8);
    effects->setVerticalSpacing(2);
    addEffects(effects, memory, key);
    m_latency->setObjectName(QStringLiteral("planLatency.") + key);
    showLatency(latencies);
    connect(&latencies, &Latencies::changed, this, [this, &latencies] { showLatency(latencies); });
    m_preview->setObjectName(QStringLiteral("planPreview.") + key);
    m_preview->setCheckable(true);
    m_preview->setToolTip(tr("Show the change on the canvas and its fields in the chart, without making it."));
    auto* apply = new QPushButton(tr("Apply"));
    apply->setObjectName(QStringLiteral("planApply.") + key);
    apply->setToolTip(tr("Make the change; undo takes it back."));
    auto* buttons = new QHBoxLayout;
    buttons->addWidget(m_preview);
    buttons->addWidget(apply);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(9, 8, 9, 8);
    layout->setSpacing(6);
    layout->addWidget(title);
    // Above what may have to be scrolled to.
    layout->addLayout(buttons);
    layout->addWidget(reason);
    layout->addWidget(new FieldSketch(std::move(now), m_plan));
    layout->addLayout(effects);
    connect(m_preview, &QPushButton::toggled, this, &PlanCard::previewToggled);
    connect(apply, &QPushButton::clicked, this, &PlanCard::applied);
}

void PlanCard::addEffects(QGridLayout* grid, const MemoryOptions& memory, const QString& key)
{
    int row = 0;
    const auto put = [&](const QString& name, QLabel* value) {
        auto* nameLabel = new QLabel(name);
        nameLabel->setForegroundRole(QPalette::PlaceholderText);
        grid->addWidget(nameLabel, row, 0, Qt::AlignTop);
        grid->addWidget(value, row++, 1);
        return nameLabel;
    };
    const auto add = [&](const QString& name, const QString& value) { return put(name, label(value, true)); };
    const Summary &before = m_plan->before, &after = m_plan->after;
    for (const Verdict verdict : {Verdict::Unproductive, Verdict::Partial, Verdict::Critical, Verdict::Productive})
        if (before.count(verdict) || after.count(verdict))
            add(verdictWord(verdict),
                change(QString::number(before.count(verdict)), QString::number(after.count(verdict))));
    add(QStringLiteral("i_min"),
        change(text(sideText(before.iMin)), text(sideText(after.iMin))) + QStringLiteral(" px"));
    add(tr("parameters"), costChange(before.parameters, after.parameters, countWords));
    add(tr("MACs"), costChange(before.macs, after.macs, countWords));
    add(tr("training"), costChange(m_plan->memoryBefore.training, m_plan->memoryAfter.training, bytesText))
        ->setToolTip(tr("Memory that a training step keeps, at batch %1 in %2")
                         .arg(memory.batch)
                         .arg(QLatin1String(toString(memory.element))));
    m_latencyTitle = put(tr("latency"), m_latency);
    put(tr("tensors"), weightsLabel(key));
    grid->setColumnStretch(1, 1);
}

void PlanCard::showLatency(const Latencies& latencies)
{
    const auto before = latencies.now(), after = latencies.of(*m_plan);
    m_latency->setVisible(before && after);
    m_latencyTitle->setVisible(before && after);
    if (before && after) m_latency->setText(costChange(*before, *after, timeText));
}

QLabel* PlanCard::weightsLabel(const QString& key)
{
    QString words = weightsText(m_plan->weights);
    const bool link = !m_plan->weights.rows.empty();
    if (link) words += QStringLiteral(" <a href='rows'>%1</a>").arg(tr("which?"));
    QLabel* out = label(words, true);
    out->setObjectName(QStringLiteral("planTensors.") + key);
    if (!link) return out;
    out->setTextInteractionFlags(Qt::LinksAccessibleByMouse | Qt::LinksAccessibleByKeyboard);
    connect(out, &QLabel::linkActivated, this, [this] {
        auto* dialog = new TransferDialog(m_plan, this);
        dialog->setAttribute(Qt::WA_DeleteOnClose);
        dialog->open();
    });
    return out;
}

void PlanCard::setPreviewed(bool on)
{
    const QSignalBlocker quiet(m_preview);
    m_preview->setChecked(on);
    update();
}

void PlanCard::paintEvent(QPaintEvent* event)
{
    QFrame::paintEvent(event);
    if (!m_preview->isChecked()) return;
    QPainter painter(this);
    painter.setPen(QPen(colorsFor(palette()).changed, 2));
    painter.drawRect(rect().adjusted(1, 1, -1, -1));
}

}  // namespace fovea::studio
