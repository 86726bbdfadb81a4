#include "app/studio/side/side_slider.h"

#include "app/studio/look/theme.h"
#include "app/studio/look/verdict_look.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QStyle>
#include <QWheelEvent>

#include <algorithm>
#include <cmath>

namespace fovea::studio {

namespace {

constexpr int kSteps = 1'000;
constexpr int kHandle = 14;

// Whole pixels when small, multiples of 2, 4 and 8 further up: what people type.
std::int64_t grainAt(std::int64_t side) { return side < 64 ? 1 : side < 256 ? 2 : side < 1'024 ? 4 : 8; }

}  // namespace

SideSlider::SideSlider(QWidget* parent) : QSlider(Qt::Horizontal, parent)
{
    setObjectName(QStringLiteral("sideSlider"));
    setAccessibleName(tr("Side of the input image in pixels"));
    setRange(0, kSteps);
    setPageStep(100);
    setSingleStep(4);
    setMinimumSize(180, 34);
    connect(this, &QSlider::valueChanged, this, [this](int position) {
        if (!m_loading) emit sideChosen(sideAt(position));
    });
}

int SideSlider::positionOf(std::int64_t side) const
{
    const double span = std::log2(static_cast<double>(kMost) / kLeast);
    const double at = std::log2(std::clamp(static_cast<double>(side), double(kLeast), double(kMost)) / kLeast) / span;
    return static_cast<int>(std::lround(at * kSteps));
}

std::int64_t SideSlider::sideAt(int position) const
{
    const double span = std::log2(static_cast<double>(kMost) / kLeast);
    const double side = kLeast * std::exp2(span * position / kSteps);
    const auto grain = grainAt(static_cast<std::int64_t>(side));
    return std::lround(side / static_cast<double>(grain)) * grain;
}

int SideSlider::pixelOf(std::int64_t side) const { return kHandle / 2 + positionOf(side) * (width() - kHandle) / kSteps; }

void SideSlider::setSide(std::int64_t side)
{
    m_side = side;
    if (isSliderDown()) return;
    m_loading = true;
    setValue(positionOf(side));
    m_loading = false;
}

void SideSlider::setFeasible(std::optional<std::int64_t> low, std::optional<std::int64_t> high)
{
    m_low = low;
    m_high = high;
    update();
}

void SideSlider::follow(const QPointF& position)
{
    setSliderPosition(QStyle::sliderValueFromPosition(minimum(), maximum(), static_cast<int>(position.x()) - kHandle / 2, width() - kHandle));
}

// A press anywhere takes the handle there, and the drag goes on from it.
void SideSlider::mousePressEvent(QMouseEvent* event)
{
    if (event->button() != Qt::LeftButton) return;
    setFocus();
    setSliderDown(true);
    follow(event->position());
}

void SideSlider::mouseMoveEvent(QMouseEvent* event)
{
    if (isSliderDown()) follow(event->position());
}

void SideSlider::mouseReleaseEvent(QMouseEvent* event)
{
    if (event->button() == Qt::LeftButton) setSliderDown(false);
}

// Steps go by what can be typed, not by pixels of the slider: near 8 px those are finer than one pixel.
void SideSlider::step(int count)
{
    const std::int64_t side = std::clamp(m_side + count * grainAt(m_side), kLeast, kMost);
    if (side != m_side) emit sideChosen(side);
}

void SideSlider::keyPressEvent(QKeyEvent* event)
{
    switch (event->key()) {
    case Qt::Key_Right:
    case Qt::Key_Up: step(1); break;
    case Qt::Key_Left:
    case Qt::Key_Down: step(-1); break;
    case Qt::Key_PageUp: step(16); break;
    case Qt::Key_PageDown: step(-16); break;
    default: event->ignore();
    }
}

void SideSlider::wheelEvent(QWheelEvent* event)
{
    if (event->angleDelta().y() != 0) step(event->angleDelta().y() > 0 ? 1 : -1);
    event->accept();
}

void SideSlider::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const Colors colors = colorsFor(palette());
    const int y = 12;
    const QRectF groove(kHandle / 2.0, y - 3, width() - kHandle, 6);
    painter.setPen(Qt::NoPen);
    painter.setBrush(palette().color(QPalette::Mid));
    painter.drawRoundedRect(groove, 3, 3);
    if (m_low && m_high && *m_low <= *m_high && isEnabled()) {
        painter.setBrush(verdictColor(Verdict::Productive));
        painter.drawRoundedRect(QRectF(QPointF(pixelOf(*m_low), y - 4), QPointF(std::max(pixelOf(*m_high), pixelOf(*m_low) + 3), y + 4)), 2, 2);
    }
    QFont font = this->font();
    font.setPixelSize(9);
    painter.setFont(font);
    painter.setPen(colors.dimText);
    for (const std::int64_t mark : {16, 32, 64, 128, 256, 512, 1024}) {
        const int x = pixelOf(mark);
        painter.drawLine(x, y + 7, x, y + 10);
        painter.drawText(QRect(x - 20, y + 10, 40, 12), Qt::AlignHCenter | Qt::AlignTop, QString::number(mark));
    }
    const int x = kHandle / 2 + sliderPosition() * (width() - kHandle) / kSteps;
    painter.setPen(QPen(hasFocus() ? colors.accent : colors.dimText, hasFocus() ? 2 : 1.2));
    painter.setBrush(isEnabled() ? palette().color(QPalette::Base) : palette().color(QPalette::Window));
    painter.drawEllipse(QPointF(x, y), kHandle / 2.0 - 1, kHandle / 2.0 - 1);
}

}  // namespace fovea::studio
