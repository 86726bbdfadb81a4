#include "app/studio/refine/limit_slider.h"

#include <QMouseEvent>
#include <QSignalBlocker>
#include <QStyle>
#include <QStyleOptionSlider>

#include <cmath>

namespace fovea::studio {

LimitSlider::LimitSlider(std::vector<double> factors, QWidget* parent)
    : QSlider(Qt::Horizontal, parent), m_factors(std::move(factors))
{
    setRange(0, static_cast<int>(m_factors.size()));
    setPageStep(3);
    setMinimumWidth(60);
    connect(this, &QSlider::valueChanged, this, [this](int value) {
        if (value == maximum()) emit limitChosen(std::nullopt);
        else emit limitChosen(std::llround(m_factors[static_cast<std::size_t>(value)] * static_cast<double>(m_now)));
    });
}

void LimitSlider::show(std::int64_t now, const Limit& limit)
{
    const QSignalBlocker quiet(this);
    m_now = now;
    setValue(positionOf(limit));
}

int LimitSlider::positionOf(const Limit& limit) const
{
    if (!limit || m_now <= 0) return maximum();
    const double factor = std::max(static_cast<double>(*limit) / static_cast<double>(m_now), 1e-9);
    int nearest = 0;
    for (int i = 1; i < maximum(); ++i)
        if (std::abs(std::log(m_factors[static_cast<std::size_t>(i)] / factor)) <
            std::abs(std::log(m_factors[static_cast<std::size_t>(nearest)] / factor)))
            nearest = i;
    return nearest;
}

// A click on the groove goes there at once: with so few steps a page would often overshoot.
void LimitSlider::mousePressEvent(QMouseEvent* event)
{
    QStyleOptionSlider option;
    initStyleOption(&option);
    const QRect handle = style()->subControlRect(QStyle::CC_Slider, &option, QStyle::SC_SliderHandle, this);
    if (event->button() == Qt::LeftButton && !handle.contains(event->pos()))
        setValue(QStyle::sliderValueFromPosition(minimum(), maximum(), event->pos().x() - handle.width() / 2,
                                                 width() - handle.width()));
    QSlider::mousePressEvent(event);
}

}  // namespace fovea::studio
