// The refinement panel: the network's verdict in words, what plans should serve and may cost, and three ways to
// pick one: cards, a chart that the window adds, and single moves.
#pragma once

#include "app/studio/document/proposals.h"

#include <QWidget>

class QComboBox;
class QLabel;
class QProgressBar;
class QPushButton;
class QScrollArea;
class QStackedWidget;
class QTabBar;
class QVBoxLayout;

namespace fovea::studio {

class PlanCard;

class RefinePanel : public QWidget {
    Q_OBJECT
public:
    explicit RefinePanel(Proposals& proposals, QWidget* parent = nullptr);

    // A further way to pick plans, before the single moves.
    void addPage(QWidget* page, const QString& title);

private:
    QVBoxLayout* buildHead();
    QWidget* buildPages();
    void refresh();
    void showState();
    void showChosen();
    QString stateText() const;

    Proposals& m_proposals;
    QLabel *m_verdict, *m_state;
    QComboBox* m_want;
    QProgressBar* m_progress;
    QPushButton *m_cancel, *m_again, *m_loosen;
    QTabBar* m_tabs;
    QStackedWidget* m_pages;
    QScrollArea* m_chosen;  // the previewed plan's card under the pages that show no cards
    Proposals::PlanPtr m_inChosen;
};

}  // namespace fovea::studio
