// A slider over image sides, spaced logarithmically, with the feasible range marked.
#pragma once

#include <QSlider>

#include <cstdint>
#include <optional>

namespace fovea::studio {

class SideSlider : public QSlider {
    Q_OBJECT
public:
    static constexpr std::int64_t kLeast = 8, kMost = 2'048;

    explicit SideSlider(QWidget* parent = nullptr);
    void setSide(std::int64_t side);  // does not emit sideChosen()
    // Below `low` field expansion is wasted, above `high` patterns are larger than any field.
    void setFeasible(std::optional<std::int64_t> low, std::optional<std::int64_t> high);

signals:
    void sideChosen(qint64 side);

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;

private:
    int positionOf(std::int64_t side) const;
    std::int64_t sideAt(int position) const;
    int pixelOf(std::int64_t side) const;
    void follow(const QPointF& position);
    void step(int count);

    std::int64_t m_side = kLeast;
    std::optional<std::int64_t> m_low, m_high;
    bool m_loading = false;
};

}  // namespace fovea::studio
