#include "app/studio/canvas/canvas_view.h"

#include "app/studio/canvas/find_bar.h"
#include "app/studio/canvas/layout.h"
#include "app/studio/canvas/minimap.h"
#include "app/studio/canvas/network_item.h"
#include "app/studio/canvas/preview_marks.h"
#include "app/studio/document/background.h"
#include "app/studio/look/words.h"

#include <QLabel>
#include <QScrollBar>
#include <QToolTip>

#include <algorithm>

namespace fovea::studio {

namespace {

bool keepsPlaces(const Change& change, const Graph* before, const Graph& after)
{
    if (change.reset || !before || !change.diff.added.empty() || !change.diff.removed.empty() ||
        !change.diff.rewired.empty())
        return false;
    return std::all_of(change.diff.changed.begin(), change.diff.changed.end(), [&](NodeId id) {
        const Node *a = before->find(id), *b = after.find(id);
        return a && b && a->group == b->group && a->kind == b->kind;
    });
}

}  // namespace

CanvasView::CanvasView(Proposals& proposals, QWidget* parent)
    : QGraphicsView(parent), m_proposals(proposals), m_stage(proposals.stage()), m_item(new NetworkItem)
{
    Stage& stage = m_stage;
    setObjectName(QStringLiteral("canvas"));
    setAccessibleName(tr("Network"));
    setScene(new QGraphicsScene(this));
    scene()->setItemIndexMethod(QGraphicsScene::NoIndex);
    scene()->addItem(m_item);
    setFrameShape(QFrame::NoFrame);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setTransformationAnchor(QGraphicsView::NoAnchor);
    setResizeAnchor(QGraphicsView::AnchorViewCenter);
    setViewportUpdateMode(QGraphicsView::FullViewportUpdate);
    setFocusPolicy(Qt::StrongFocus);
    setAcceptDrops(false);
    viewport()->setAcceptDrops(false);
    viewport()->setMouseTracking(true);
    m_minimap = new Minimap(*this);
    m_find = new FindBar(stage, this);
    m_find->move(10, 10);
    m_banner = new QLabel(this);
    m_banner->setObjectName(QStringLiteral("previewBanner"));
    m_banner->setMargin(6);
    m_banner->setAutoFillBackground(true);
    m_banner->setBackgroundRole(QPalette::Window);
    m_banner->setForegroundRole(QPalette::WindowText);
    m_banner->hide();
    m_hint = new QLabel(tr("Laying out\u2026"), this);
    m_hint->setMargin(6);
    m_hint->hide();
    applyColors();
    connect(&stage, &Stage::shown, this, &CanvasView::onShown);
    connect(&stage, &Stage::previewChanged, this, &CanvasView::onPreview);
    connect(&stage, &Stage::selectionChanged, this, &CanvasView::onSelection);
    connect(&stage, &Stage::revealRequested, this, &CanvasView::reveal);
    if (!stage.graph()->nodes().empty()) onShown(Change{true, {}});
}

CanvasView::~CanvasView() = default;

const DrawingPainter& CanvasView::painting() const { return m_item->painting(); }

void CanvasView::applyColors()
{
    const Colors colors = colorsFor(palette());
    m_item->painting().setColors(colors);
    setBackgroundBrush(colors.page);
    QPalette banner = palette();
    banner.setColor(QPalette::Window, colors.changed);
    banner.setColor(QPalette::WindowText, colors.changed.lightness() > 175 ? Qt::black : Qt::white);
    m_banner->setPalette(banner);
    m_minimap->refresh();
    viewport()->update();
}

void CanvasView::changeEvent(QEvent* event)
{
    QGraphicsView::changeEvent(event);
    if (event->type() == QEvent::PaletteChange && m_banner) applyColors();
}

void CanvasView::onShown(const Change& change)
{
    const GraphPtr graph = m_stage.graph();
    if (change.reset) m_folded = initialFolds(*graph);
    if (keepsPlaces(change, m_drawnGraph.get(), *graph)) {
        m_item->painting().setReport(graph, m_stage.report());
        m_drawnGraph = graph;
        m_minimap->refresh();
        viewport()->update();
        return;
    }
    rebuild(change.reset, m_stage.current());
}

void CanvasView::onPreview()
{
    m_item->painting().setMarks(marksOf(m_stage));
    const auto& plan = m_stage.preview();
    m_banner->setVisible(plan != nullptr);
    if (plan) {
        placeBanner();
        m_revealWhenPlaced = firstChange(m_stage);
    }
    viewport()->update();
    if (m_revealWhenPlaced != kNoNode && isLaidOut()) {
        // A change of attributes alone asks for no new layout, so nobody else would do it.
        QMetaObject::invokeMethod(
            this,
            [this] {
                if (isLaidOut() && m_revealWhenPlaced != kNoNode) reveal(std::exchange(m_revealWhenPlaced, kNoNode));
            },
            Qt::QueuedConnection);
    }
}

// Titles of long names would run out of the view.
void CanvasView::placeBanner()
{
    const auto& plan = m_stage.preview();
    if (!plan) return;
    const QString words = tr("Preview: %1").arg(text(plan->title));
    m_banner->setText(m_banner->fontMetrics().elidedText(words, Qt::ElideMiddle, std::max(80, width() - 40)));
    m_banner->setToolTip(words);
    m_banner->adjustSize();
    m_banner->move(10, height() - m_banner->height() - 10);
}

void CanvasView::onSelection()
{
    std::set<int> boxes;
    if (const Drawing* drawing = painting().drawing())
        for (const NodeId id : m_stage.selected())
            if (const int box = drawing->boxOf(id); box >= 0) boxes.insert(box);
    m_item->painting().setSelection(std::move(boxes));
    viewport()->update();
}

void CanvasView::rebuild(bool reset, NodeId anchor)
{
    const int request = ++m_requested;
    m_drawnGraph = m_stage.graph();
    auto drawing = std::make_shared<Drawing>(describe(*m_drawnGraph, m_folded));
    m_hint->setVisible(drawing->boxes.size() > 400);
    m_hint->move(10, 10);
    const auto work = [drawing] {
        layOut(*drawing);
        return std::shared_ptr<const Drawing>(drawing);
    };
    inBackground(this, work, [this, request, reset, anchor](const std::shared_ptr<const Drawing>& placed) {
        if (request == m_requested) place(placed, reset, anchor);
    });
}

void CanvasView::place(std::shared_ptr<const Drawing> drawing, bool reset, NodeId anchor)
{
    m_arrived = m_requested;
    m_hint->hide();
    // What the person looks at stays where it was on the screen.
    const Drawing* old = painting().drawing();
    const int oldBox = old ? old->boxOf(anchor) : -1;
    const int newBox = drawing->boxOf(anchor);
    const bool keep = !reset && oldBox >= 0 && newBox >= 0;
    const QPointF shift = keep ? drawing->boxes[static_cast<std::size_t>(newBox)].rect.center() -
                                     old->boxes[static_cast<std::size_t>(oldBox)].rect.center()
                               : QPointF();
    const QPointF center = mapToScene(viewport()->rect().center());
    m_item->boundsChanged();
    m_item->painting().setContent(std::move(drawing), m_stage.graph(), m_stage.report());
    const QRectF bounds = m_item->boundingRect();
    const qreal room = std::max(bounds.width(), bounds.height()) + 4000;
    setSceneRect(bounds.adjusted(-room, -room, room, room));
    onSelection();
    if (reset || !old) firstView();
    else centerOn(center + shift);
    m_minimap->placeInCorner();
    m_minimap->refresh();
    viewMoved();
    if (m_revealWhenPlaced != kNoNode) reveal(std::exchange(m_revealWhenPlaced, kNoNode));
    emit laidOut();
}

// The whole network where it can be read whole, else its top at a size that can be read.
void CanvasView::firstView()
{
    m_fresh = true;
    const Drawing* drawing = painting().drawing();
    if (!drawing || drawing->bounds.isEmpty()) return;
    constexpr qreal kReadable = 0.62;
    const QRectF bounds = drawing->bounds;
    const QSizeF room = viewport()->size() - QSize(40, 30);
    const qreal whole = std::min(room.width() / bounds.width(), room.height() / bounds.height());
    const qreal scale = whole >= kReadable ? std::min<qreal>(whole, 1)
                                           : std::clamp<qreal>(room.width() / bounds.width(), kReadable, 0.85);
    resetTransform();
    QGraphicsView::scale(scale, scale);
    if (whole >= kReadable) {
        centerOn(bounds.center());
        return;
    }
    const QRectF top = drawing->boxes.front().rect;
    // The top should not lie under the overview in the corner.
    const qreal x =
        bounds.width() * scale <= room.width() - 2 * m_minimap->width() ? bounds.center().x() : top.center().x();
    centerOn(x, top.top() - 18 / scale + viewport()->height() / scale / 2);
}

void CanvasView::fitAll()
{
    const Drawing* drawing = painting().drawing();
    if (!drawing || drawing->bounds.isEmpty()) return;
    m_fresh = false;
    fitInView(drawing->bounds.adjusted(-20, -20, 20, 20), Qt::KeepAspectRatio);
    if (transform().m11() > 1.2) {
        resetTransform();
        scale(1.2, 1.2);
        centerOn(drawing->bounds.center());
    }
    viewMoved();
}

void CanvasView::zoomBy(qreal factor, QPointF viewPosition)
{
    const qreal scale = transform().m11();
    factor = std::clamp<qreal>(scale * factor, 0.01, 4) / scale;
    const QPointF fixed = mapToScene(viewPosition.toPoint());
    QGraphicsView::scale(factor, factor);
    const QPointF moved = mapToScene(viewPosition.toPoint());
    translate(moved.x() - fixed.x(), moved.y() - fixed.y());
    m_fresh = false;
    viewMoved();
}

void CanvasView::viewMoved()
{
    m_minimap->placeInCorner();
    m_minimap->update();
}

void CanvasView::openFind() { m_find->open(); }

void CanvasView::foldAll()
{
    m_folded = allGroups(*m_stage.graph());
    rebuild(true);
}

void CanvasView::unfoldAll()
{
    m_folded.clear();
    rebuild(true);
}

void CanvasView::toggleFold(const QString& path)
{
    NodeId anchor = kNoNode;
    for (const auto& box : painting().drawing()->boxes)
        if (box.group == path && !box.members.empty()) anchor = box.members.front();
    if (!m_folded.remove(path)) m_folded.insert(path);
    if (anchor == kNoNode)
        for (const auto& node : m_stage.graph()->nodes())
            if (const QString group = QString::fromStdString(node->group); group == path || group.startsWith(path + QLatin1Char('.'))) {
                anchor = node->id;
                break;
            }
    rebuild(false, anchor);
}

void CanvasView::reveal(NodeId id)
{
    const Drawing* drawing = painting().drawing();
    if (!drawing) return;
    bool hidden = false;
    for (const QString& path : groupsAround(*m_stage.graph(), id)) hidden = m_folded.remove(path) || hidden;
    if (hidden || !isLaidOut()) {
        m_revealWhenPlaced = id;
        if (hidden) rebuild(false, id);
        return;
    }
    const int box = drawing->boxOf(id);
    if (box < 0) return;
    const QRectF rect = drawing->boxes[static_cast<std::size_t>(box)].rect;
    if (transform().m11() < 0.6) {
        resetTransform();
        scale(0.8, 0.8);
        centerOn(rect.center());
    } else if (!mapToScene(viewport()->rect().adjusted(20, 20, -20, -20)).boundingRect().contains(rect)) {
        centerOn(rect.center());
    }
    m_fresh = false;
    viewMoved();
}

int CanvasView::boxAt(QPointF at) const
{
    const Drawing* drawing = painting().drawing();
    if (!drawing) return -1;
    for (std::size_t i = 0; i < drawing->boxes.size(); ++i)
        if (drawing->boxes[i].rect.contains(at)) return static_cast<int>(i);
    return -1;
}

int CanvasView::frameHeaderAt(QPointF at) const
{
    const Drawing* drawing = painting().drawing();
    if (!drawing || boxAt(at) >= 0) return -1;
    for (std::size_t i = drawing->frames.size(); i-- > 0;)
        if (drawing->frames[i].header().contains(at)) return static_cast<int>(i);
    return -1;
}

void CanvasView::selectInside(const QRectF& area, bool add)
{
    std::vector<NodeId> ids = add ? m_stage.selected() : std::vector<NodeId>{};
    for (const auto& box : painting().drawing()->boxes) {
        if (!area.intersects(box.rect)) continue;
        if (box.node != kNoNode && !(add && m_stage.isSelected(box.node))) ids.push_back(box.node);
        for (const NodeId member : box.members)
            if (!(add && m_stage.isSelected(member))) ids.push_back(member);
    }
    m_stage.select(std::move(ids));
}

void CanvasView::stepSelection(int step)
{
    const auto& layers = m_stage.report()->layers;
    if (layers.empty()) return;
    const auto it = std::find_if(layers.begin(), layers.end(),
                                 [&](const LayerReport& layer) { return layer.id == m_stage.current(); });
    const int at = it == layers.end() ? -1 : static_cast<int>(it - layers.begin());
    const int next = at < 0 ? 0 : std::clamp(at + step, 0, static_cast<int>(layers.size()) - 1);
    m_stage.reveal(layers[static_cast<std::size_t>(next)].id);
}

}  // namespace fovea::studio
