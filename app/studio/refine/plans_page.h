// The plans as cards, best first; the one that is previewed stands out and is scrolled into view.
#pragma once

#include "app/studio/document/proposals.h"

#include <QScrollArea>

class QVBoxLayout;

namespace fovea::studio {

class PlanCard;

class PlansPage : public QScrollArea {
    Q_OBJECT
public:
    explicit PlansPage(Proposals& proposals, QWidget* parent = nullptr);

private:
    void refresh();
    void showPreviewed();

    Proposals& m_proposals;
    QVBoxLayout* m_layout;
    std::vector<PlanCard*> m_cards;
    std::vector<Proposals::PlanPtr> m_shown;
};

// A card whose buttons preview and apply its plan.
PlanCard* makeCard(Proposals& proposals, const Proposals::PlanPtr& plan, const QString& key);

}  // namespace fovea::studio
