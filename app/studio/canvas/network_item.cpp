#include "app/studio/canvas/network_item.h"

#include <QPainter>
#include <QStyleOptionGraphicsItem>

namespace fovea::studio {

QRectF NetworkItem::boundingRect() const
{
    const Drawing* drawing = m_painting.drawing();
    // Room for selection outlines and for the chips of a preview.
    return drawing ? drawing->bounds.adjusted(-20, -20, 260, 40) : QRectF();
}

void NetworkItem::paint(QPainter* painter, const QStyleOptionGraphicsItem* option, QWidget*)
{
    m_painting.paint(*painter, option->exposedRect, option->levelOfDetailFromTransform(painter->worldTransform()));
}

}  // namespace fovea::studio
