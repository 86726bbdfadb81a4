// The canvas: shows the stage's network, lets people pan, zoom, fold, find and select. It writes nothing.
#pragma once

#include "app/studio/canvas/drawing_painter.h"
#include "app/studio/document/proposals.h"

#include <QGraphicsView>
#include <QPointer>
#include <QSet>

class QLabel;
class QMenu;

namespace fovea::studio {

class FindBar;
class Minimap;
class NetworkItem;

class CanvasView : public QGraphicsView {
    Q_OBJECT
public:
    explicit CanvasView(Proposals& proposals, QWidget* parent = nullptr);
    ~CanvasView() override;

    void fitAll();
    void zoomBy(qreal factor, QPointF viewPosition);
    void openFind();
    void foldAll();
    void unfoldAll();

    const DrawingPainter& painting() const;
    // Whether what is shown has its places already.
    bool isLaidOut() const { return m_requested == m_arrived; }

signals:
    void laidOut();

protected:
    void wheelEvent(QWheelEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void keyReleaseEvent(QKeyEvent* event) override;
    void contextMenuEvent(QContextMenuEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void drawForeground(QPainter* painter, const QRectF& rect) override;
    void changeEvent(QEvent* event) override;
    bool viewportEvent(QEvent* event) override;

private:
    void onShown(const Change& change);
    void onPreview();
    void placeBanner();
    void onSelection();
    void reveal(NodeId id);
    void rebuild(bool reset, NodeId anchor = kNoNode);
    void place(std::shared_ptr<const Drawing> drawing, bool reset, NodeId anchor);
    void firstView();
    void toggleFold(const QString& path);
    void stepSelection(int step);
    void applyColors();
    int boxAt(QPointF scenePosition) const;
    int frameHeaderAt(QPointF scenePosition) const;
    void selectInside(const QRectF& area, bool add);
    void viewMoved();
    QString whyNoPlans(const std::vector<NodeId>& layers) const;
    void offerPlans(QMenu* menu, const std::vector<NodeId>& layers);
    void offerKeeping(QMenu* menu, const std::string& name, bool group);

    Proposals& m_proposals;
    Stage& m_stage;
    NetworkItem* m_item;
    Minimap* m_minimap;
    FindBar* m_find;
    QLabel* m_banner;
    QLabel* m_hint;
    QSet<QString> m_folded;
    GraphPtr m_drawnGraph;
    int m_requested = 0, m_arrived = 0;
    NodeId m_revealWhenPlaced = kNoNode;
    bool m_spaceHeld = false;
    bool m_panning = false;
    bool m_banding = false;
    bool m_fresh = true;  // the person has not moved the view yet
    QPoint m_panFrom;
    QPointF m_bandFrom;
    QRectF m_band;
};

}  // namespace fovea::studio
