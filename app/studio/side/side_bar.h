// The input side: a slider for squares, and fields for height and width.
#pragma once

#include "app/studio/document/stage.h"

#include <QElapsedTimer>
#include <QWidget>

class QCheckBox;
class QLabel;
class QSpinBox;
class QToolButton;

namespace fovea::studio {

class SideSlider;

class SideBar : public QWidget {
    Q_OBJECT
public:
    explicit SideBar(Stage& stage, QWidget* parent = nullptr);

signals:
    void failed(const QString& what, const QString& why);

protected:
    void changeEvent(QEvent* event) override;

private:
    void refresh();
    void setSide(std::int64_t height, std::int64_t width);
    void newGesture() { ++m_gesture; }

    Stage& m_stage;
    SideSlider* m_slider;
    QSpinBox *m_height, *m_width;
    QLabel *m_times, *m_range;
    QToolButton* m_square;
    int m_gesture = 0;
    QElapsedTimer m_sinceEdit;
    bool m_loading = false;
};

}  // namespace fovea::studio
