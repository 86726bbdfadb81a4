// A limit as a multiple of what the network has now, on steps from a quarter to none at all.
#pragma once

#include <QSlider>

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace fovea::studio {

class LimitSlider : public QSlider {
    Q_OBJECT
public:
    using Limit = std::optional<std::int64_t>;

    // `factors` ascend; behind the last stands "no limit".
    explicit LimitSlider(std::vector<double> factors, QWidget* parent = nullptr);
    // What the network has now and what it may have at most; moves the slider without limitChosen().
    void show(std::int64_t now, const Limit& limit);

signals:
    void limitChosen(const std::optional<std::int64_t>& limit);

protected:
    void mousePressEvent(QMouseEvent* event) override;

private:
    int positionOf(const Limit& limit) const;

    std::vector<double> m_factors;
    std::int64_t m_now = 0;
};

}  // namespace fovea::studio
