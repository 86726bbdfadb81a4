// The refinement panel: the network's verdict in words, and proposals with their effect, to preview and apply.
#pragma once

#include "app/studio/document/stage.h"

#include <QWidget>

#include <atomic>

class QComboBox;
class QLabel;
class QProgressBar;
class QPushButton;
class QScrollArea;
class QTimer;
class QVBoxLayout;

namespace fovea::studio {

class PlanCard;

class RefinePanel : public QWidget {
    Q_OBJECT
public:
    explicit RefinePanel(Stage& stage, QWidget* parent = nullptr);
    ~RefinePanel() override;

signals:
    void failed(const QString& what, const QString& why);

private:
    void outdate();
    void search();
    void cancel();
    void showPlans(std::vector<Plan> plans);
    void clearCards();
    void showState(const QString& state, bool searching);
    void apply(const Stage::PlanPtr& plan);

    Stage& m_stage;
    QLabel *m_verdict, *m_state;
    QComboBox* m_want;
    QProgressBar* m_progress;
    QPushButton *m_cancel, *m_again;
    QVBoxLayout* m_cards;
    std::vector<PlanCard*> m_shown;
    QTimer* m_delay;
    std::shared_ptr<std::atomic<bool>> m_cancelled;
    GraphPtr m_searched;
};

}  // namespace fovea::studio
