#include "app/studio/side/side_bar.h"

#include "app/studio/look/theme.h"
#include "app/studio/look/words.h"
#include "app/studio/side/side_slider.h"

#include <QEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QSpinBox>
#include <QToolButton>

namespace fovea::studio {

namespace {

constexpr qint64 kGestureMs = 1'200;  // steps with keys or wheel this close together are one undo step

QSpinBox* spin(const QString& name, const QString& accessible)
{
    auto* out = new QSpinBox;
    out->setObjectName(name);
    out->setAccessibleName(accessible);
    out->setRange(1, 1'000'000);
    out->setKeyboardTracking(false);
    out->setSuffix(QStringLiteral(" px"));
    out->setFixedWidth(92);
    return out;
}

}  // namespace

SideBar::SideBar(Stage& stage, QWidget* parent)
    : QWidget(parent), m_stage(stage), m_slider(new SideSlider), m_height(spin(QStringLiteral("sideHeight"), tr("Height of the input in pixels"))),
      m_width(spin(QStringLiteral("sideWidth"), tr("Width of the input in pixels"))), m_times(new QLabel(QStringLiteral("\u00d7"))), m_range(new QLabel),
      m_square(new QToolButton)
{
    setObjectName(QStringLiteral("sideBar"));
    m_range->setObjectName(QStringLiteral("sideRange"));
    m_square->setObjectName(QStringLiteral("sideSquare"));
    m_square->setCheckable(true);
    m_square->setChecked(true);
    m_square->setAutoRaise(true);
    m_square->setToolTip(tr("Square images: height and width change together"));
    auto* label = new QLabel(tr("Input side"));
    label->setBuddy(m_height);
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(8, 0, 8, 0);
    layout->setSpacing(6);
    layout->addWidget(label);
    layout->addWidget(m_slider, 20);
    layout->addWidget(m_height);
    layout->addWidget(m_times);
    layout->addWidget(m_width);
    layout->addWidget(m_square);
    layout->addWidget(m_range);
    layout->addStretch(1);
    m_slider->setMaximumWidth(420);

    connect(m_slider, &QSlider::sliderPressed, this, &SideBar::newGesture);
    connect(m_slider, &QSlider::sliderReleased, this, [this] {
        newGesture();
        m_sinceEdit.invalidate();
    });
    connect(m_slider, &SideSlider::sideChosen, this, [this](qint64 side) { setSide(side, side); });
    connect(m_height, &QSpinBox::valueChanged, this, [this](int value) {
        if (!m_loading) setSide(value, m_square->isChecked() ? value : m_width->value());
    });
    connect(m_width, &QSpinBox::valueChanged, this, [this](int value) {
        if (!m_loading) setSide(m_height->value(), value);
    });
    connect(m_square, &QToolButton::toggled, this, [this](bool square) {
        if (square && m_height->value() != m_width->value()) setSide(m_height->value(), m_height->value());
        refresh();
    });
    connect(&stage, &Stage::shown, this, [this](const Change& change) {
        if (change.reset) {
            const auto side = m_stage.report()->side;
            m_square->setChecked(side.h == side.w);
        }
        refresh();
    });
    refresh();
}

void SideBar::refresh()
{
    const auto report = m_stage.report();
    const auto side = report->side;
    const bool possible = report->input != kNoNode;
    setEnabled(possible);
    if (side.h != side.w) m_square->setChecked(false);
    const bool square = m_square->isChecked();
    m_width->setVisible(!square);
    m_times->setVisible(!square);
    m_square->setIcon(lineIcon(QStringLiteral("link"), palette()));
    m_loading = true;
    m_height->setValue(static_cast<int>(side.h));
    m_width->setValue(static_cast<int>(side.w));
    m_slider->setSide(side.h);
    if (!possible) m_height->clear();
    m_loading = false;
    const auto &low = report->summary.iMin, &high = report->summary.iMax;
    // A layer of unknown reach may move both, so no range follows.
    const bool bounded = report->summary.bounded;
    m_slider->setFeasible(low && bounded ? std::optional(std::max(low->h, low->w)) : std::nullopt, high && bounded ? std::optional(std::min(high->h, high->w)) : std::nullopt);
    if (low && high && !bounded) {
        m_range->setText(tr("i_min at least %1 px, i_max at least %2 px").arg(axisText(low->h, low->w), axisText(high->h, high->w)));
        m_range->setToolTip(tr("These are the bounds of the layers that Fovea can read; one that it cannot read lies on the way to others."));
        m_slider->setToolTip(m_range->toolTip());
    } else if (low && high) {
        m_range->setText(tr("feasible %1\u2013%2 px").arg(axisText(low->h, low->w), axisText(high->h, high->w)));
        m_range->setToolTip(tr("i_min %1 px: below it part of the network's field expansion is wasted.\ni_max %2 px: above it, patterns larger than any field cannot be extracted.")
                                .arg(axisText(low->h, low->w), axisText(high->h, high->w)));
        m_slider->setToolTip(m_range->toolTip());
    } else {
        m_range->setText(possible ? tr("no feasible range") : QString());
    }
}

void SideBar::setSide(std::int64_t height, std::int64_t width)
{
    if (!m_slider->isSliderDown() && (!m_sinceEdit.isValid() || m_sinceEdit.elapsed() > kGestureMs)) newGesture();
    m_sinceEdit.start();
    try {
        m_stage.document().setSide(height, width, QStringLiteral("side#%1").arg(m_gesture));
    } catch (const std::exception& error) {
        emit failed(tr("The side could not be set"), QString::fromUtf8(error.what()));
        refresh();
    }
}

void SideBar::changeEvent(QEvent* event)
{
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange && m_square) m_square->setIcon(lineIcon(QStringLiteral("link"), palette()));
}

}  // namespace fovea::studio
