// The canvas' context menu: what can be done about one layer or a folded group.
#include "app/studio/canvas/canvas_view.h"

#include "app/studio/look/words.h"

#include <QContextMenuEvent>
#include <QMenu>

#include <algorithm>

namespace fovea::studio {

namespace {

constexpr std::size_t kMostOffered = 8;
constexpr int kTitleWidth = 420;

bool isJudged(const LayerReport& layer) { return layer.window && layer.finite && layer.verdict != Verdict::Unknown; }

}  // namespace

void CanvasView::contextMenuEvent(QContextMenuEvent* event)
{
    const bool byKey = event->reason() == QContextMenuEvent::Keyboard;
    const Drawing* drawing = painting().drawing();
    if (!drawing) return;
    const int index = byKey ? drawing->boxOf(m_stage.current()) : boxAt(mapToScene(event->pos()));
    if (index < 0) return;
    const auto& box = drawing->boxes[static_cast<std::size_t>(index)];
    const std::vector<NodeId> layers = box.node != kNoNode ? std::vector<NodeId>{box.node} : box.members;
    if (!std::ranges::all_of(layers, [&](NodeId id) { return m_stage.isSelected(id); })) m_stage.select(layers);
    auto* menu = new QMenu(this);
    menu->setObjectName(QStringLiteral("layerMenu"));
    menu->setAttribute(Qt::WA_DeleteOnClose);
    menu->setToolTipsVisible(true);
    offerPlans(menu, layers);
    const Node* node = m_stage.graph()->find(box.node);
    offerKeeping(menu, node ? node->name : box.group.toStdString(), node == nullptr);
    menu->popup(byKey ? viewport()->mapToGlobal(mapFromScene(box.rect.center())) : event->globalPos());
}

// Why there is nothing to offer; empty where there may be.
QString CanvasView::whyNoPlans(const std::vector<NodeId>& layers) const
{
    const Report& report = *m_stage.document().report();
    bool judged = false, wasted = false;
    for (const NodeId id : layers)
        if (const LayerReport* layer = report.find(id); layer && isJudged(*layer)) {
            judged = true;
            wasted = wasted || layer->verdict != Verdict::Productive;
        }
    if (!judged) return tr("not judged");
    if (!wasted) return tr("it is already");
    return {};
}

void CanvasView::offerPlans(QMenu* menu, const std::vector<NodeId>& layers)
{
    const QString title =
        layers.size() == 1 ? tr("Make this layer productive") : tr("Make layers of this group productive");
    const std::vector<Proposals::PlanPtr> plans = m_proposals.plansFor(layers);
    QString why = whyNoPlans(layers);
    if (why.isEmpty() && plans.empty()) {
        const bool searching = m_proposals.state() == Proposals::State::Searching ||
                               (m_proposals.state() == Proposals::State::Done && !m_proposals.movesListed());
        why = searching ? tr("still searching") : tr("no plan does");
    }
    if (!why.isEmpty()) {
        QAction* none = menu->addAction(QStringLiteral("%1 (%2)").arg(title, why));
        none->setObjectName(QStringLiteral("makeProductive"));
        none->setEnabled(false);
        return;
    }
    QMenu* offers = menu->addMenu(title);
    offers->setObjectName(QStringLiteral("makeProductive"));
    offers->setToolTipsVisible(true);
    for (std::size_t i = 0; i < std::min(plans.size(), kMostOffered); ++i) {
        const auto plan = plans[i];
        const QString name = offers->fontMetrics().elidedText(text(plan->title), Qt::ElideMiddle, kTitleWidth);
        QAction* offer = offers->addAction(
            QStringLiteral("%1\t%2").arg(name.isEmpty() ? text(plan->id) : name,
                                         tr("%1 MACs").arg(factorText(plan->after.macs, plan->before.macs))));
        offer->setToolTip(text(plan->title) + QLatin1Char('\n') + planEffect(*plan));
        connect(offer, &QAction::triggered, this, [this, plan] { m_stage.showPreview(plan); });
    }
}

void CanvasView::offerKeeping(QMenu* menu, const std::string& name, bool group)
{
    QAction* keep = menu->addAction(group ? tr("Keep this group as it is") : tr("Keep this layer as it is"));
    keep->setObjectName(QStringLiteral("keepLayer"));
    keep->setCheckable(true);
    keep->setChecked(m_proposals.keeps(name));
    keep->setToolTip(tr("Plans leave it alone until it is released, here or among the limits."));
    connect(keep, &QAction::toggled, this, [this, name](bool on) { m_proposals.setKept(name, on); });
}

}  // namespace fovea::studio
