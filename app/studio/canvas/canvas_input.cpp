// Mouse, wheel and keys of the canvas.
#include "app/studio/canvas/canvas_view.h"

#include "app/studio/canvas/minimap.h"

#include <QHelpEvent>
#include <QKeyEvent>
#include <QLabel>
#include <QMouseEvent>
#include <QPainter>
#include <QScrollBar>
#include <QToolTip>
#include <QWheelEvent>

#include <cmath>

namespace fovea::studio {

void CanvasView::wheelEvent(QWheelEvent* event)
{
    const qreal steps = event->angleDelta().y() / 120.0;
    if (steps != 0) zoomBy(std::pow(1.2, steps), event->position());
    event->accept();
}

void CanvasView::mousePressEvent(QMouseEvent* event)
{
    setFocus();
    if (event->button() == Qt::MiddleButton || (event->button() == Qt::LeftButton && m_spaceHeld)) {
        m_panning = true;
        m_panFrom = event->pos();
        viewport()->setCursor(Qt::ClosedHandCursor);
        return;
    }
    if (event->button() != Qt::LeftButton || !painting().drawing()) return;
    const QPointF at = mapToScene(event->pos());
    const bool add = event->modifiers() & (Qt::ShiftModifier | Qt::ControlModifier);
    const int box = boxAt(at);
    if (box < 0) {
        m_banding = true;
        m_bandFrom = at;
        if (!add) m_stage.select(kNoNode);
        return;
    }
    const auto& hit = painting().drawing()->boxes[static_cast<std::size_t>(box)];
    std::vector<NodeId> ids = hit.node != kNoNode ? std::vector<NodeId>{hit.node} : hit.members;
    if (add && hit.node != kNoNode) {
        const bool remove = m_stage.isSelected(hit.node);
        ids = m_stage.selected();
        if (remove) std::erase(ids, hit.node);
        else ids.insert(ids.begin(), hit.node);
    }
    m_stage.select(std::move(ids));
}

void CanvasView::mouseMoveEvent(QMouseEvent* event)
{
    if (m_panning) {
        const QPoint step = event->pos() - m_panFrom;
        m_panFrom = event->pos();
        horizontalScrollBar()->setValue(horizontalScrollBar()->value() - step.x());
        verticalScrollBar()->setValue(verticalScrollBar()->value() - step.y());
        m_fresh = false;
        viewMoved();
        return;
    }
    if (m_banding) {
        m_band = QRectF(m_bandFrom, mapToScene(event->pos())).normalized();
        viewport()->update();
        return;
    }
    if (!m_spaceHeld)
        viewport()->setCursor(frameHeaderAt(mapToScene(event->pos())) >= 0 ? Qt::PointingHandCursor : Qt::ArrowCursor);
}

void CanvasView::mouseReleaseEvent(QMouseEvent* event)
{
    if (m_panning && (event->button() == Qt::MiddleButton || event->button() == Qt::LeftButton)) {
        m_panning = false;
        viewport()->setCursor(m_spaceHeld ? Qt::OpenHandCursor : Qt::ArrowCursor);
        return;
    }
    if (event->button() != Qt::LeftButton) return;
    const QRectF band = std::exchange(m_band, QRectF());
    m_banding = false;
    if (band.width() * transform().m11() > 4 || band.height() * transform().m11() > 4)
        selectInside(band, event->modifiers() & Qt::ShiftModifier);
    viewport()->update();
}

void CanvasView::mouseDoubleClickEvent(QMouseEvent* event)
{
    if (event->button() != Qt::LeftButton || !painting().drawing()) return;
    const QPointF at = mapToScene(event->pos());
    m_banding = false;
    if (const int header = frameHeaderAt(at); header >= 0) {
        toggleFold(painting().drawing()->frames[static_cast<std::size_t>(header)].path);
        return;
    }
    const int box = boxAt(at);
    if (box >= 0 && painting().drawing()->boxes[static_cast<std::size_t>(box)].type == BoxType::Group)
        toggleFold(painting().drawing()->boxes[static_cast<std::size_t>(box)].group);
}

void CanvasView::keyPressEvent(QKeyEvent* event)
{
    switch (event->key()) {
    case Qt::Key_Space:
        if (!event->isAutoRepeat()) {
            m_spaceHeld = true;
            viewport()->setCursor(Qt::OpenHandCursor);
        }
        return;
    case Qt::Key_F:
    case Qt::Key_Home:
        if (event->modifiers() == Qt::NoModifier) {
            fitAll();
            return;
        }
        break;
    case Qt::Key_Plus:
    case Qt::Key_Equal: zoomBy(1.2, viewport()->rect().center()); return;
    case Qt::Key_Minus: zoomBy(1 / 1.2, viewport()->rect().center()); return;
    case Qt::Key_Down:
    case Qt::Key_Right: stepSelection(1); return;
    case Qt::Key_Up:
    case Qt::Key_Left: stepSelection(-1); return;
    case Qt::Key_Escape:
        m_stage.select(kNoNode);
        event->ignore();
        return;
    default: break;
    }
    event->ignore();
}

void CanvasView::keyReleaseEvent(QKeyEvent* event)
{
    if (event->key() == Qt::Key_Space && !event->isAutoRepeat()) {
        m_spaceHeld = false;
        viewport()->setCursor(Qt::ArrowCursor);
    }
    event->ignore();
}

void CanvasView::resizeEvent(QResizeEvent* event)
{
    QGraphicsView::resizeEvent(event);
    if (m_fresh) firstView();
    placeBanner();
    viewMoved();
}

void CanvasView::drawForeground(QPainter* painter, const QRectF&)
{
    if (m_band.isEmpty()) return;
    const Colors colors = colorsFor(palette());
    QColor fill = colors.accent;
    fill.setAlpha(36);
    QPen pen(colors.accent, 1);
    pen.setCosmetic(true);
    painter->setPen(pen);
    painter->setBrush(fill);
    painter->drawRect(m_band);
}

bool CanvasView::viewportEvent(QEvent* event)
{
    if (event->type() == QEvent::ToolTip) {
        const auto* help = static_cast<QHelpEvent*>(event);
        const QPointF at = mapToScene(help->pos());
        if (const int box = boxAt(at); box >= 0)
            QToolTip::showText(help->globalPos(), painting().toolTip(box), viewport());
        else if (frameHeaderAt(at) >= 0)
            QToolTip::showText(help->globalPos(), tr("Double-click folds the group."), viewport());
        else QToolTip::hideText();
        return true;
    }
    return QGraphicsView::viewportEvent(event);
}

}  // namespace fovea::studio
