// The whole network as one graphics item: it paints only what is visible, so ten thousand layers stay fluid.
#pragma once

#include "app/studio/canvas/drawing_painter.h"

#include <QGraphicsItem>

namespace fovea::studio {

class NetworkItem : public QGraphicsItem {
public:
    NetworkItem() { setFlag(ItemUsesExtendedStyleOption); }
    DrawingPainter& painting() { return m_painting; }
    const DrawingPainter& painting() const { return m_painting; }
    void boundsChanged() { prepareGeometryChange(); }

    QRectF boundingRect() const override;
    void paint(QPainter* painter, const QStyleOptionGraphicsItem* option, QWidget* widget) override;

private:
    DrawingPainter m_painting;
};

}  // namespace fovea::studio
