// Plans as dots, what they cost against what they leave wasted; a click or an arrow key previews one.
#pragma once

#include "app/studio/document/proposals.h"

#include <QWidget>

class QCPGraph;
class QCustomPlot;

namespace fovea::studio {

class ParetoChart : public QWidget {
    Q_OBJECT
public:
    enum class Goal { Wasted, IMin };

    explicit ParetoChart(Proposals& proposals, QWidget* parent = nullptr);
    void setGoal(Goal goal);

protected:
    void changeEvent(QEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    struct Dot {
        Proposals::PlanPtr plan;
        double x, y;
        bool single;  // a move that is no plan
    };

    void refresh();
    void collect();
    void drawDots();
    void drawNow();
    void drawChosen();
    void drawNote();
    void scaleAxes();
    void applyColors();
    QCPGraph* addDots(const QColor& line, const QBrush& fill, double size);
    double goalOf(const Summary& summary) const;
    QPointF pixelOf(const Dot& dot) const;
    std::vector<std::size_t> dotsAt(const QPointF& position) const;  // nearest first
    void choose(const QPointF& position);
    void step(int count);

    Proposals& m_proposals;
    QCustomPlot* m_plot;
    std::vector<Dot> m_dots;
    Goal m_goal = Goal::Wasted;
};

}  // namespace fovea::studio
