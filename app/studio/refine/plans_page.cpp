#include "app/studio/refine/plans_page.h"

#include "app/studio/refine/plan_card.h"

#include <QScrollBar>
#include <QVBoxLayout>

#include <algorithm>

namespace fovea::studio {

PlanCard* makeCard(Proposals& proposals, const Proposals::PlanPtr& plan, const QString& key)
{
    auto* card = new PlanCard(plan, proposals.stage().document().report(), proposals.request().memory,
                              proposals.latencies(), key);
    card->setPreviewed(isSamePlan(plan, proposals.stage().preview()));
    QObject::connect(card, &PlanCard::previewToggled, &proposals,
                     [&proposals, plan](bool on) { proposals.stage().showPreview(on ? plan : nullptr); });
    QObject::connect(card, &PlanCard::applied, &proposals, [&proposals, plan] { proposals.apply(plan); });
    return card;
}

PlansPage::PlansPage(Proposals& proposals, QWidget* parent)
    : QScrollArea(parent), m_proposals(proposals), m_layout(new QVBoxLayout)
{
    setObjectName(QStringLiteral("planList"));
    auto* list = new QWidget;
    m_layout->setContentsMargins(8, 6, 8, 8);
    m_layout->setSpacing(8);
    m_layout->addStretch();
    list->setLayout(m_layout);
    setWidget(list);
    setWidgetResizable(true);
    setFrameShape(QFrame::NoFrame);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setFocusPolicy(Qt::NoFocus);
    connect(&proposals, &Proposals::changed, this, &PlansPage::refresh);
    connect(&proposals.stage(), &Stage::previewChanged, this, &PlansPage::showPreviewed);
}

void PlansPage::refresh()
{
    if (m_shown == m_proposals.plans()) return;
    const std::vector<Proposals::PlanPtr>& plans = m_proposals.plans();
    // Where some are only left out, the others stay in their place, for who reads them.
    const auto isKept = [&](const PlanCard* card) { return std::ranges::find(plans, card->plan()) != plans.end(); };
    const auto kept = static_cast<std::size_t>(std::ranges::count_if(m_cards, isKept));
    const bool isPart = kept > 0 && kept == plans.size();
    std::erase_if(m_cards, [&](PlanCard* card) {
        if (isPart && isKept(card)) return false;
        card->hide();
        card->deleteLater();
        return true;
    });
    m_shown = plans;
    if (isPart) return;
    for (std::size_t i = 0; i < m_shown.size(); ++i) {
        m_cards.push_back(makeCard(m_proposals, m_shown[i], QString::number(i)));
        m_layout->insertWidget(m_layout->count() - 1, m_cards.back());
    }
    verticalScrollBar()->setValue(0);
}

void PlansPage::showPreviewed()
{
    for (PlanCard* card : m_cards) {
        const bool previewed = isSamePlan(card->plan(), m_proposals.stage().preview());
        card->setPreviewed(previewed);
        if (previewed) ensureWidgetVisible(card, 0, 8);
    }
}

}  // namespace fovea::studio
