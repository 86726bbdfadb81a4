#include "app/studio/inspector/preprocessing_section.h"

#include <QComboBox>
#include <QFormLayout>
#include <QLabel>
#include <QLineEdit>
#include <QRegularExpression>
#include <QSpinBox>
#include <QVBoxLayout>

#include <algorithm>
#include <array>
#include <cmath>

namespace fovea::studio {

namespace {

struct Preset {
    const char* name;
    std::array<double, 3> mean, deviation;
};

// ImageNet's are the mean and deviation of its training images, as published weights were trained with.
constexpr Preset kPresets[] = {
    {QT_TRANSLATE_NOOP("fovea::studio::PreprocessingSection", "ImageNet (RGB)"),
     {0.485, 0.456, 0.406},
     {0.229, 0.224, 0.225}},
    {QT_TRANSLATE_NOOP("fovea::studio::PreprocessingSection", "0 to 1"), {0, 0, 0}, {1, 1, 1}},
    {QT_TRANSLATE_NOOP("fovea::studio::PreprocessingSection", "-1 to 1"), {0.5, 0.5, 0.5}, {0.5, 0.5, 0.5}}};
constexpr int kNone = -1, kOther = -2;

bool isUniform(const std::vector<double>& values)
{
    return std::ranges::adjacent_find(values, std::not_equal_to<>()) == values.end();
}

// One value stands for all channels.
std::vector<double> forChannels(std::vector<double> values, std::int64_t channels)
{
    if (!values.empty() && isUniform(values)) values.assign(static_cast<std::size_t>(channels), values.front());
    return values;
}

// ImageNet's has a value for each of three colours.
bool fits(const Preset& preset, std::int64_t channels)
{
    return channels == 3 || (isUniform({preset.mean.begin(), preset.mean.end()}) &&
                             isUniform({preset.deviation.begin(), preset.deviation.end()}));
}

std::vector<double> listOf(const std::array<double, 3>& values, std::int64_t channels)
{
    return forChannels({values.begin(), values.end()}, channels);
}

int presetOf(const std::optional<Preprocessing>& value, std::int64_t channels)
{
    if (!value) return kNone;
    for (int i = 0; i < static_cast<int>(std::size(kPresets)); ++i)
        if (fits(kPresets[i], channels) && value->order == ChannelOrder::Rgb &&
            forChannels(value->mean, channels) == listOf(kPresets[i].mean, channels) &&
            forChannels(value->deviation, channels) == listOf(kPresets[i].deviation, channels))
            return i;
    return kOther;
}

// Statistics of data have more digits than anybody reads.
QString shown(double value) { return QString::number(value, 'g', 6); }

QString shown(const std::vector<double>& values)
{
    if (!values.empty() && isUniform(values)) return shown(values.front());
    QStringList out;
    for (const double value : values) out << shown(value);
    return out.join(QStringLiteral(", "));
}

}  // namespace

PreprocessingSection::PreprocessingSection(QWidget* parent)
    : QWidget(parent), m_fields(new QWidget), m_form(new QFormLayout(m_fields)), m_values(new QComboBox),
      m_order(new QComboBox), m_none(new QLabel(tr("Training sets it from the data\u2019s statistics."))),
      m_resize(new QSpinBox)
{
    setObjectName(QStringLiteral("preprocessing"));
    m_values->setObjectName(QStringLiteral("preprocessing.values"));
    m_values->setAccessibleName(tr("Preprocessing"));
    m_values->setToolTip(tr("How an image becomes the input. It is saved and exported with the network."));
    m_none->setObjectName(QStringLiteral("preprocessing.none"));
    m_none->setWordWrap(true);
    m_none->setForegroundRole(QPalette::PlaceholderText);
    m_form->setContentsMargins(0, 0, 0, 0);
    m_form->setHorizontalSpacing(8);
    m_form->setVerticalSpacing(5);
    m_form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
    m_resize->setRange(0, static_cast<int>(kMaxResize));
    m_resize->setSuffix(tr(" px"));
    m_resize->setSpecialValueText(tr("exactly to the side"));
    // A number counts when it is complete: on Enter, Tab or a step, not at every digit.
    m_resize->setKeyboardTracking(false);
    m_order->addItems({tr("RGB"), tr("BGR")});
    addRow(tr("resize"), m_resize, "resize",
           tr("The shorter side of an image after resizing; the network's side is then cut out of the middle. 0: "
              "resized to exactly the network's side, with no crop"));
    addRow(tr("channel order"), m_order, "order", tr("Of the input; BGR is what networks trained with Caffe expect"));
    m_mean = addNumbers(tr("mean"), "mean",
                        tr("Of values from 0 to 1, one for each channel or one for all: (value - mean) / deviation"),
                        &Preprocessing::mean, -kLargestMean);
    m_deviation = addNumbers(tr("deviation"), "deviation",
                             tr("What is divided by after the mean is taken off, one for each channel or one for all"),
                             &Preprocessing::deviation, kLeastDeviation);
    auto* title = new QLabel(tr("<b>Preprocessing</b>"));
    title->setBuddy(m_values);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 4, 0, 0);
    layout->setSpacing(5);
    for (QWidget* widget : std::initializer_list<QWidget*>{title, m_values, m_none, m_fields})
        layout->addWidget(widget);
    connect(m_values, &QComboBox::currentIndexChanged, this, &PreprocessingSection::choose);
    connect(m_resize, &QSpinBox::valueChanged, this, [this](int side) {
        if (m_loading || !m_value) return;
        Preprocessing next = *m_value;
        next.resize = side;
        emit edited(tr("resize"), next);
    });
    connect(m_order, &QComboBox::currentIndexChanged, this, [this](int index) {
        if (m_loading || !m_value) return;
        Preprocessing next = *m_value;
        next.order = index == 1 ? ChannelOrder::Bgr : ChannelOrder::Rgb;
        emit edited(tr("channel order"), next);
    });
}

void PreprocessingSection::addRow(const QString& title, QWidget* field, const char* name, const QString& doc)
{
    field->setObjectName(QStringLiteral("preprocessing.%1").arg(QLatin1String(name)));
    field->setAccessibleName(title);
    field->setToolTip(doc);
    field->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Fixed);
    auto* label = new QLabel(title);
    label->setToolTip(doc);
    label->setBuddy(field);
    m_form->addRow(label, field);
}

PreprocessingSection::Numbers PreprocessingSection::addNumbers(const QString& title, const char* name,
                                                               const QString& doc,
                                                               std::vector<double> Preprocessing::*member, double least)
{
    const Numbers out{new QLineEdit, new QLabel, member, least};
    addRow(title, out.line, name, doc);
    out.wrong->setObjectName(out.line->objectName() + QStringLiteral(".wrong"));
    out.wrong->setWordWrap(true);
    out.wrong->hide();
    m_form->addRow(out.wrong);
    connect(out.line, &QLineEdit::textEdited, this, [this, out] { check(out); });
    connect(out.line, &QLineEdit::editingFinished, this, [this, out, title] { commit(out, title); });
    return out;
}

// Both lists at once: a document holds as many means as deviations.
void PreprocessingSection::commit(const Numbers& numbers, const QString& title)
{
    QString problem;
    const auto mean = parsed(m_mean, problem), deviation = parsed(m_deviation, problem);
    if (!m_value || !numbers.line->isModified() || !mean || !deviation) return;
    Preprocessing next = *m_value;
    next.mean = *mean;
    next.deviation = *deviation;
    for (const Numbers& taken : {m_mean, m_deviation}) taken.line->setModified(false);
    emit edited(title, next);
}

void PreprocessingSection::listValues(int preset)
{
    m_values->clear();
    m_values->addItem(tr("none"), kNone);
    for (int i = 0; i < static_cast<int>(std::size(kPresets)); ++i)
        if (fits(kPresets[i], m_channels)) m_values->addItem(tr(kPresets[i].name), i);
    if (preset == kOther) m_values->addItem(tr("values of its own"), kOther);
}

void PreprocessingSection::choose()
{
    const int chosen = m_values->currentData().toInt();
    if (m_loading || chosen == kOther) return;
    if (chosen == kNone) {
        emit edited(tr("values"), std::nullopt);
        return;
    }
    Preprocessing next = m_value.value_or(Preprocessing{});
    next.order = ChannelOrder::Rgb;
    next.mean = listOf(kPresets[chosen].mean, m_channels);
    next.deviation = listOf(kPresets[chosen].deviation, m_channels);
    emit edited(tr("values"), next);
}

void PreprocessingSection::setValue(const std::optional<Preprocessing>& value, std::int64_t channels)
{
    const bool same = value == m_value && channels == m_channels;
    m_value = value;
    m_channels = channels;
    m_loading = true;
    const int preset = presetOf(value, channels);
    if (!same || m_values->count() == 0) listValues(preset);
    m_values->setCurrentIndex(m_values->findData(preset));
    m_none->setVisible(!value);
    m_fields->setVisible(value.has_value());
    if (value) {
        m_resize->setValue(static_cast<int>(std::clamp<std::int64_t>(value->resize, 0, kMaxResize)));
        m_order->setCurrentIndex(value->order == ChannelOrder::Bgr ? 1 : 0);
        m_order->setEnabled(channels == 3);
        for (const Numbers& numbers : {m_mean, m_deviation})
            if (!same) show(numbers);
    }
    m_loading = false;
}

void PreprocessingSection::show(const Numbers& numbers)
{
    numbers.line->setText(shown((*m_value).*numbers.member));
    numbers.line->setCursorPosition(0);
    check(numbers);
}

void PreprocessingSection::check(const Numbers& numbers)
{
    QString problem;
    parsed(numbers, problem);
    numbers.wrong->setText(problem);
    numbers.wrong->setVisible(!problem.isEmpty());
}

std::optional<std::vector<double>> PreprocessingSection::parsed(const Numbers& numbers, QString& problem) const
{
    static const QRegularExpression between(QStringLiteral("[,;\\s]+"));
    const auto before = m_value ? forChannels((*m_value).*numbers.member, m_channels) : std::vector<double>();
    std::vector<double> out;
    for (const QString& part : numbers.line->text().split(between, Qt::SkipEmptyParts)) {
        bool ok = false;
        double value = part.toDouble(&ok);
        if (!ok || !std::isfinite(value)) {
            problem = tr("\u201c%1\u201d is no number. Write numbers with a point, separated by commas.").arg(part);
            return std::nullopt;
        }
        if (value < numbers.least || value > kLargestDeviation) {
            problem = numbers.least > 0 ? tr("%1 cannot be divided by: a deviation lies above 0, from %2 to %3.")
                                              .arg(part, shown(numbers.least), shown(kLargestDeviation))
                                        : tr("%1 is out of range: a mean lies from %2 to %3.")
                                              .arg(part, shown(numbers.least), shown(kLargestDeviation));
            return std::nullopt;
        }
        // Digits that are not shown stay where nobody typed over them.
        const std::size_t i = out.size();
        if (i < before.size() && shown(before[i]) == part) value = before[i];
        out.push_back(value);
    }
    if (out.size() != 1 && out.size() != static_cast<std::size_t>(m_channels)) {
        problem = m_channels == 1
                      ? tr("There are %1 values, but the input has 1 channel: write one value.").arg(out.size())
                      : tr("There are %1 values, but the input has %2 channels: write one for each, or one "
                           "for all.")
                            .arg(out.size())
                            .arg(m_channels);
        return std::nullopt;
    }
    return forChannels(std::move(out), m_channels);
}

}  // namespace fovea::studio
