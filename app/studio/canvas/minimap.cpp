#include "app/studio/canvas/minimap.h"

#include "app/studio/canvas/canvas_view.h"

#include <QMouseEvent>
#include <QPainter>

namespace fovea::studio {

Minimap::Minimap(CanvasView& view) : QWidget(&view), m_view(view)
{
    setObjectName(QStringLiteral("minimap"));
    setAccessibleName(tr("Overview of the network"));
    setCursor(Qt::PointingHandCursor);
}

void Minimap::placeInCorner()
{
    const Drawing* drawing = m_view.painting().drawing();
    if (!drawing || drawing->bounds.isEmpty()) {
        hide();
        return;
    }
    const QSize room = m_view.viewport()->size();
    const QSizeF most(std::min(110, room.width() / 5), room.height() - 40);
    const QSizeF wanted = drawing->bounds.size().scaled(most, Qt::KeepAspectRatio);
    const QSize size(std::max(26, static_cast<int>(wanted.width()) + 8), std::max(26, static_cast<int>(wanted.height()) + 8));
    if (size != this->size()) {
        resize(size);
        refresh();
    }
    move(room.width() - width() - 10, 10);
    // Where everything is in view already there is nothing to find one's way in.
    setVisible(!m_view.mapToScene(m_view.viewport()->rect()).boundingRect().contains(drawing->bounds));
}

QTransform Minimap::fromScene() const
{
    const QRectF bounds = m_view.painting().drawing()->bounds;
    const qreal scale = std::min((width() - 8) / std::max<qreal>(1, bounds.width()), (height() - 8) / std::max<qreal>(1, bounds.height()));
    return QTransform::fromTranslate(-bounds.center().x(), -bounds.center().y()) * QTransform::fromScale(scale, scale) *
           QTransform::fromTranslate(width() / 2.0, height() / 2.0);
}

void Minimap::refresh()
{
    if (!m_view.painting().drawing()) return;
    const qreal ratio = devicePixelRatioF();
    m_picture = QPixmap(size() * ratio);
    m_picture.setDevicePixelRatio(ratio);
    m_picture.fill(Qt::transparent);
    QPainter painter(&m_picture);
    painter.setTransform(fromScene());
    m_view.painting().paintOverview(painter);
    update();
}

void Minimap::paintEvent(QPaintEvent*)
{
    if (!m_view.painting().drawing()) return;
    QPainter painter(this);
    const Colors colors = colorsFor(palette());
    QColor page = colors.page;
    page.setAlpha(225);
    painter.setBrush(page);
    painter.setPen(colors.boxBorder);
    painter.drawRect(rect().adjusted(0, 0, -1, -1));
    painter.drawPixmap(0, 0, m_picture);
    const QRectF seen = fromScene().mapRect(m_view.mapToScene(m_view.viewport()->rect()).boundingRect());
    QColor fill = colors.accent;
    fill.setAlpha(40);
    painter.setBrush(fill);
    painter.setPen(QPen(colors.accent, 1.5));
    painter.drawRect(seen.intersected(QRectF(rect()).adjusted(1, 1, -2, -2)));
}

void Minimap::mousePressEvent(QMouseEvent* event)
{
    if (m_view.painting().drawing()) m_view.centerOn(fromScene().inverted().map(event->position()));
    update();
}

void Minimap::mouseMoveEvent(QMouseEvent* event) { mousePressEvent(event); }

}  // namespace fovea::studio
