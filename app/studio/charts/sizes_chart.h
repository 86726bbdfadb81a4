// Stacked bars of verdict counts, one a side, with a cost as a line over them and the feasible range behind.
#pragma once

#include "app/studio/charts/at_sizes.h"

#include <QWidget>

class QCPBars;
class QCPGraph;
class QCustomPlot;

namespace fovea::studio {

class SizesChart : public QWidget {
    Q_OBJECT
public:
    enum class Cost { Macs, Training, Inference };

    explicit SizesChart(QWidget* parent = nullptr);

    void setRows(std::vector<AtSize> rows);
    void setSide(const PerAxis<std::int64_t>& side);  // the one in use
    void setCost(Cost cost);
    void setNote(const QString& note);  // shown in place of the bars where there are none

signals:
    void sideChosen(qint64 height, qint64 width);

protected:
    void changeEvent(QEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void refresh();
    void drawBars();
    void drawCost();
    void drawRange();
    void drawSide();
    void label(const QString& text, double at, Qt::Alignment alignment);
    void applyColors();
    double costOf(const AtSize& row) const;
    QString toolTipFor(const AtSize& row) const;
    int rowAt(const QPoint& position) const;

    QCustomPlot* m_plot;
    std::vector<QCPBars*> m_bars;  // one a verdict, bottom first
    QCPGraph* m_line;
    std::vector<AtSize> m_rows;
    PerAxis<std::int64_t> m_side;
    Cost m_cost = Cost::Macs;
    QString m_note;
};

}  // namespace fovea::studio
