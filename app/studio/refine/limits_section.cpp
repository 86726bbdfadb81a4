#include "app/studio/refine/limits_section.h"

#include "app/studio/look/words.h"

#include <QCheckBox>
#include <QComboBox>
#include <QGridLayout>
#include <QLabel>
#include <QSettings>
#include <QSignalBlocker>
#include <QSpinBox>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>
#include <limits>

namespace fovea::studio {

namespace {

constexpr std::int64_t kAny = std::numeric_limits<std::int64_t>::max();

const std::vector<double>& costSteps()
{
    static const std::vector<double> steps{0.25, 0.33, 0.5, 0.67, 0.75, 0.9, 1, 1.1, 1.25,
                                           1.5,  2,    2.5, 3,    4,    6,   8, 12,  16};
    return steps;
}

// Few layers gain parameters from a change, and then few of them.
const std::vector<double>& parameterSteps()
{
    static const std::vector<double> steps{0.25, 0.5, 0.75, 0.9, 0.95, 1, 1.01, 1.02, 1.05, 1.1};
    return steps;
}

LimitSlider::Limit& limitOf(PlanRequest& request, int kind)
{
    LimitSlider::Limit* limits[] = {&request.maxMacs, &request.maxParameters, &request.maxTraining,
                                    &request.maxInference};
    return *limits[kind];
}

QString strideText(std::int64_t stride, std::int64_t now)
{
    return stride == now ? LimitsSection::tr("%1 px, as now").arg(stride) : LimitsSection::tr("%1 px").arg(stride);
}

}  // namespace

LimitsSection::LimitsSection(Proposals& proposals, QWidget* parent)
    : QWidget(parent), m_proposals(proposals), m_fold(new QToolButton), m_body(new QWidget),
      m_latency(new LimitSlider(costSteps())), m_latencyValue(new QLabel), m_measure(new QToolButton),
      m_batch(new QSpinBox), m_element(new QComboBox), m_stride(new QComboBox), m_keepParameters(new QCheckBox),
      m_kept(new QVBoxLayout)
{
    setObjectName(QStringLiteral("limits"));
    m_fold->setObjectName(QStringLiteral("limitsFold"));
    m_fold->setAutoRaise(true);
    m_fold->setCheckable(true);
    m_fold->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    m_fold->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Fixed);
    m_fold->setFocusPolicy(Qt::TabFocus);
    auto* grid = new QGridLayout;
    grid->setHorizontalSpacing(6);
    grid->setVerticalSpacing(3);
    grid->setColumnStretch(1, 1);
    addSlider(grid, Macs, "limitMacs", tr("MACs"), tr("Most multiply-accumulates for one image"));
    addSlider(grid, Parameters, "limitParameters", tr("Parameters"), tr("Most parameters"));
    addSlider(grid, Training, "limitTraining", tr("Training"),
              tr("Most memory that a training step keeps, at the batch size below"));
    addSlider(grid, Inference, "limitInference", tr("Inference"),
              tr("Most memory alive at once for inference, at the batch size below"));
    addLatency(grid);
    addMemory(grid);
    auto* body = new QVBoxLayout(m_body);
    body->setContentsMargins(4, 0, 0, 2);
    body->setSpacing(3);
    body->addLayout(grid);
    addKeeping(body);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(2);
    layout->addWidget(m_fold);
    layout->addWidget(m_body);
    const auto fold = [this](bool open) {
        m_body->setVisible(open);
        m_fold->setArrowType(open ? Qt::DownArrow : Qt::RightArrow);
        QSettings().setValue(QStringLiteral("refine/limitsOpen"), open);
    };
    connect(m_fold, &QToolButton::toggled, this, fold);
    m_fold->setChecked(QSettings().value(QStringLiteral("refine/limitsOpen"), false).toBool());
    fold(m_fold->isChecked());
    connect(&proposals, &Proposals::requestChanged, this, &LimitsSection::measure);
    connect(&proposals.stage().document(), &Document::changed, this, &LimitsSection::measure);
    measure();
}

void LimitsSection::addSlider(QGridLayout* grid, Kind kind, const char* name, const QString& title,
                              const QString& toolTip)
{
    auto* slider = new LimitSlider(kind == Parameters ? parameterSteps() : costSteps());
    slider->setObjectName(QLatin1String(name));
    slider->setAccessibleName(toolTip);
    auto* value = new QLabel;
    value->setObjectName(QLatin1String(name) + QStringLiteral("Value"));
    // The longest words, so that the sliders do not jump while they are dragged.
    value->setMinimumWidth(value->fontMetrics().horizontalAdvance(QStringLiteral("\u2264 16.00x (888.88 M)")) - 14);
    auto* label = new QLabel(title);
    label->setBuddy(slider);
    for (QWidget* widget : std::initializer_list<QWidget*>{label, slider, value}) widget->setToolTip(toolTip);
    grid->addWidget(label, kind, 0);
    grid->addWidget(slider, kind, 1);
    grid->addWidget(value, kind, 2);
    m_sliders[kind] = slider;
    m_values[kind] = value;
    connect(slider, &LimitSlider::limitChosen, this,
            [this, kind](const LimitSlider::Limit& limit) { chooseLimit(kind, limit); });
}

void LimitsSection::addLatency(QGridLayout* grid)
{
    const QString toolTip = tr("Longest that inference of one image may take on this machine, measured for every plan");
    m_latency->setObjectName(QStringLiteral("limitLatency"));
    m_latency->setAccessibleName(toolTip);
    m_latencyValue->setObjectName(QStringLiteral("limitLatencyValue"));
    m_measure->setObjectName(QStringLiteral("limitMeasure"));
    m_measure->setText(tr("Measure"));
    m_measure->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    m_measure->setToolTip(tr("Measure what inference of one image takes now, to set a limit"));
    auto* label = new QLabel(tr("Latency"));
    label->setBuddy(m_latency);
    for (QWidget* widget : std::initializer_list<QWidget*>{label, m_latency, m_latencyValue})
        widget->setToolTip(toolTip);
    grid->addWidget(label, kKinds, 0);
    grid->addWidget(m_latency, kKinds, 1);
    grid->addWidget(m_measure, kKinds, 1);
    grid->addWidget(m_latencyValue, kKinds, 2);
    Latencies& latencies = m_proposals.latencies();
    connect(m_latency, &LimitSlider::limitChosen, this,
            [this](const LimitSlider::Limit& limit) { m_proposals.setMaxLatency(limit); });
    connect(m_measure, &QToolButton::clicked, &latencies, &Latencies::ask);
    connect(&latencies, &Latencies::changed, this, &LimitsSection::refresh);
}

void LimitsSection::showLatency()
{
    const Latencies& latencies = m_proposals.latencies();
    const auto now = latencies.now(), limit = latencies.limit();
    m_latency->setVisible(now.has_value());
    m_measure->setVisible(!now);
    m_measure->setEnabled(!latencies.isMeasuring());
    if (now) m_latency->show(*now, limit);
    m_latencyValue->setText(limit && now ? tr("\u2264 %1 (%2)").arg(factorText(*limit, *now), timeText(*limit))
                            : limit      ? tr("\u2264 %1").arg(timeText(*limit))
                            : now        ? tr("no limit (%1)").arg(timeText(*now))
                                         : tr("no limit"));
}

void LimitsSection::addMemory(QGridLayout* grid)
{
    constexpr int kRow = kKinds + 1;
    m_batch->setObjectName(QStringLiteral("limitBatch"));
    m_batch->setRange(1, 1'000'000);
    m_batch->setKeyboardTracking(false);
    m_batch->setToolTip(tr("Images at a time, for the memory"));
    m_element->setObjectName(QStringLiteral("limitElement"));
    for (const ElementType type : kElementTypes) m_element->addItem(QLatin1String(toString(type)));
    m_element->setToolTip(tr("Type of the numbers, for the memory"));
    auto* label = new QLabel(tr("Batch"));
    label->setBuddy(m_batch);
    auto* row = new QHBoxLayout;
    row->addWidget(m_batch, 1);
    row->addWidget(m_element, 1);
    grid->addWidget(label, kRow, 0);
    grid->addLayout(row, kRow, 1, 1, 2);
    m_stride->setObjectName(QStringLiteral("limitStride"));
    m_stride->setToolTip(tr("Pixels between neighbouring units of the coarsest map, as dense prediction needs it"));
    auto* strideLabel = new QLabel(tr("Out. stride"));
    strideLabel->setToolTip(m_stride->toolTip());
    strideLabel->setBuddy(m_stride);
    grid->addWidget(strideLabel, kRow + 1, 0);
    grid->addWidget(m_stride, kRow + 1, 1, 1, 2);
    connect(m_batch, &QSpinBox::valueChanged, this, &LimitsSection::chooseMemory);
    connect(m_element, &QComboBox::currentIndexChanged, this, &LimitsSection::chooseMemory);
    connect(m_stride, &QComboBox::currentIndexChanged, this, [this] {
        PlanRequest request = m_proposals.request();
        const qint64 stride = m_stride->currentData().toLongLong();
        request.outputStride = stride > 0 ? std::optional<std::int64_t>(stride) : std::nullopt;
        m_proposals.setRequest(std::move(request));
    });
}

void LimitsSection::addKeeping(QVBoxLayout* layout)
{
    m_keepParameters->setObjectName(QStringLiteral("limitKeepParameters"));
    m_keepParameters->setToolTip(tr("No plan may have fewer parameters: nothing is cut. Best accuracy keeps them to a "
                                    "hundredth unless this is switched off."));
    m_kept->setSpacing(1);
    layout->addWidget(m_keepParameters);
    layout->addLayout(m_kept);
    connect(m_keepParameters, &QCheckBox::toggled, this, [this](bool on) {
        PlanRequest request = m_proposals.request();
        // Without a number it is as the wish has it.
        request.minParameters.reset();
        const std::int64_t usual = leastParameters(request, m_now[Parameters]);
        if (on && usual == 0) request.minParameters = m_now[Parameters];
        if (!on && usual > 0) request.minParameters = 0;
        m_proposals.setRequest(std::move(request));
    });
}

void LimitsSection::chooseLimit(Kind kind, const LimitSlider::Limit& limit)
{
    PlanRequest request = m_proposals.request();
    LimitSlider::Limit& asked = limitOf(request, kind);
    asked = limit;
    // For the parameters no value says "as many as now".
    if (kind == Parameters && !limit) asked = kAny;
    else if (kind == Parameters && limit == m_now[Parameters]) asked.reset();
    m_proposals.setRequest(std::move(request));
}

void LimitsSection::chooseMemory()
{
    PlanRequest request = m_proposals.request();
    request.memory = {m_batch->value(),
                      elementType(m_element->currentText().toStdString()).value_or(ElementType::Float32)};
    m_proposals.setRequest(std::move(request));
}

void LimitsSection::measure()
{
    const Report& report = *m_proposals.stage().document().report();
    const bool empty = m_proposals.stage().document().isEmpty();
    const MemoryReport memory = empty ? MemoryReport{} : memoryOf(report, m_proposals.request().memory);
    m_now[Macs] = report.summary.macs;
    m_now[Parameters] = report.summary.parameters;
    m_now[Training] = memory.training;
    m_now[Inference] = memory.inference;
    m_outputStride = outputStrideOf(report);
    refresh();
}

void LimitsSection::refresh()
{
    PlanRequest request = m_proposals.request();
    for (int i = 0; i < kKinds; ++i) {
        LimitSlider::Limit limit = limitOf(request, i);
        if (i == Parameters) limit = limit == kAny ? std::nullopt : LimitSlider::Limit(limit.value_or(m_now[i]));
        m_sliders[i]->show(m_now[i], limit);
        m_values[i]->setText(words(static_cast<Kind>(i)));
    }
    const QSignalBlocker quiet[] = {QSignalBlocker(m_batch), QSignalBlocker(m_element),
                                    QSignalBlocker(m_keepParameters)};
    m_batch->setValue(static_cast<int>(request.memory.batch));
    m_element->setCurrentText(QLatin1String(toString(request.memory.element)));
    const std::int64_t least = leastParameters(request, m_now[Parameters]);
    m_keepParameters->setChecked(least > 0);
    m_keepParameters->setText(tr("At least %1 parameters").arg(countText(least > 0 ? least : m_now[Parameters])));
    showLatency();
    showStrides();
    showKept();
    m_fold->setText(summary());
    m_fold->setToolTip(m_fold->text());
    setEnabled(!m_proposals.stage().document().isEmpty());
}

void LimitsSection::showStrides()
{
    const QSignalBlocker quiet(m_stride);
    const std::int64_t asked = m_proposals.request().outputStride.value_or(0);
    std::vector<std::int64_t> strides{m_outputStride, asked};
    for (std::int64_t stride = 1; stride <= 64; stride *= 2) strides.push_back(stride);
    std::ranges::sort(strides);
    strides.erase(std::unique(strides.begin(), strides.end()), strides.end());
    m_stride->clear();
    m_stride->addItem(tr("any"), 0);
    for (const std::int64_t stride : strides)
        if (stride > 0) m_stride->addItem(strideText(stride, m_outputStride), static_cast<qlonglong>(stride));
    m_stride->setCurrentIndex(std::max(0, m_stride->findData(static_cast<qlonglong>(asked))));
}

void LimitsSection::showKept()
{
    while (QLayoutItem* item = m_kept->takeAt(0)) {
        item->widget()->hide();
        item->widget()->deleteLater();
        delete item;
    }
    for (const std::string& name : m_proposals.request().keep) {
        auto* release = new QToolButton;
        release->setObjectName(QStringLiteral("release.") + text(name));
        release->setAutoRaise(true);
        release->setText(QStringLiteral("\u2715  ") +
                         release->fontMetrics().elidedText(tr("keeps %1").arg(moduleName(name)), Qt::ElideMiddle, 220));
        release->setToolTip(tr("%1 stays as it is. Click to let plans change it again.").arg(text(name)));
        connect(release, &QToolButton::clicked, this, [this, name] { m_proposals.setKept(name, false); });
        m_kept->addWidget(release);
    }
}

QString LimitsSection::words(Kind kind) const
{
    PlanRequest request = m_proposals.request();
    const LimitSlider::Limit limit = limitOf(request, kind);
    if (kind == Parameters && !limit) return tr("none added");
    if (!limit || limit == kAny) return tr("no limit");
    const QString amount = kind == Macs || kind == Parameters ? countText(limit) : bytesText(*limit);
    return tr("\u2264 %1 (%2)").arg(factorText(*limit, m_now[kind]), amount);
}

QString LimitsSection::summary() const
{
    PlanRequest request = m_proposals.request();
    const QString titles[] = {tr("MACs"), tr("parameters"), tr("training"), tr("inference")};
    QStringList parts;
    for (int i = 0; i < kKinds; ++i) {
        const LimitSlider::Limit limit = limitOf(request, i);
        if (limit == kAny) parts << tr("any parameters");
        else if (limit) parts << tr("%1 \u2264 %2").arg(titles[i], factorText(*limit, m_now[i]));
    }
    if (const auto limit = m_proposals.latencies().limit()) parts << tr("latency \u2264 %1").arg(timeText(*limit));
    const std::int64_t least = leastParameters(request, m_now[Parameters]);
    if (least > 0 && request.minParameters) parts << tr("keeps parameters");
    if (least == 0 && request.want == Want::Accuracy) parts << tr("may cut layers");
    if (request.outputStride) parts << tr("stride %1").arg(*request.outputStride);
    if (!request.keep.empty()) parts << tr("%n kept", nullptr, static_cast<int>(request.keep.size()));
    return parts.isEmpty() ? tr("Limits: no parameters added") : tr("Limits: %1").arg(parts.join(QStringLiteral(", ")));
}

QString looseningText(const Loosening& loosening, const Report& now, const MemoryOptions& options)
{
    const auto with = [&](const QString& sentence, const QString& amount, std::int64_t of) {
        return sentence.arg(amount, factorText(loosening.to, of));
    };
    switch (loosening.limit) {
    case Loosening::Limit::Macs:
        return with(LimitsSection::tr("MACs up to %1 (%2)"), countText(loosening.to), now.summary.macs);
    case Loosening::Limit::MaxParameters:
        return with(LimitsSection::tr("parameters up to %1 (%2)"), countText(loosening.to), now.summary.parameters);
    case Loosening::Limit::MinParameters:
        return with(LimitsSection::tr("parameters down to %1 (%2)"), countText(loosening.to), now.summary.parameters);
    case Loosening::Limit::Training:
        return with(LimitsSection::tr("training memory up to %1 (%2)"), bytesText(loosening.to),
                    memoryOf(now, options).training);
    case Loosening::Limit::Inference:
        return with(LimitsSection::tr("inference memory up to %1 (%2)"), bytesText(loosening.to),
                    memoryOf(now, options).inference);
    case Loosening::Limit::Keep:
        return loosening.layer.empty()
                   ? LimitsSection::tr("no layer kept as it is")
                   : LimitsSection::tr("\u201c%1\u201d not kept as it is").arg(text(loosening.layer));
    case Loosening::Limit::Latency: return LimitsSection::tr("a latency of %1").arg(timeText(loosening.to));
    case Loosening::Limit::OutputStride: break;
    }
    return LimitsSection::tr("an output stride of %1 px").arg(loosening.to);
}

}  // namespace fovea::studio
