// The whole drawing in a corner, with the part that is in view; a press moves the view there.
#pragma once

#include <QPixmap>
#include <QWidget>

namespace fovea::studio {

class CanvasView;

class Minimap : public QWidget {
    Q_OBJECT
public:
    explicit Minimap(CanvasView& view);
    void refresh();  // the drawing changed
    void placeInCorner();

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;

private:
    QTransform fromScene() const;

    CanvasView& m_view;
    QPixmap m_picture;
};

}  // namespace fovea::studio
