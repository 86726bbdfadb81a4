// Curves of training runs over one another. Original networks are blue and solid, refined ones orange and dashed;
// further runs of a kind differ in their marks.
#pragma once

#include <QIcon>
#include <QPen>
#include <QPointF>
#include <QWidget>

#include <vector>

class QCustomPlot;

namespace fovea::studio {

struct CurveLook {
    bool refined = false;
    int rank = 0;  // among the curves of its kind
    bool operator==(const CurveLook&) const = default;
};

struct TrainingCurve {
    QString name;
    CurveLook look;
    std::vector<QPointF> points;  // ascending x
};

class TrainingChart : public QWidget {
    Q_OBJECT
public:
    explicit TrainingChart(QWidget* parent = nullptr);

    void setAxes(const QString& x, const QString& y, bool percent);
    // `smoothing`: weight of what came before, in [0, 1); what is smoothed stays visible behind.
    void setCurves(std::vector<TrainingCurve> curves, double smoothing);
    void setNote(const QString& note);  // shown where there is no curve

protected:
    void changeEvent(QEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void refresh();
    void draw(const TrainingCurve& curve);
    void scale();
    QString nearest(const QPointF& position) const;

    QCustomPlot* m_plot;
    std::vector<TrainingCurve> m_curves;
    double m_smoothing = 0;
    QString m_x, m_y, m_note;
    bool m_percent = false;
};

QPen curvePen(const CurveLook& look, const QPalette& palette);
QIcon curveIcon(const CurveLook& look, const QPalette& palette);
// Exponential moving average without the bias of its start (as Adam's; Kingma and Ba 2015, section 3).
std::vector<QPointF> smoothed(const std::vector<QPointF>& points, double smoothing);

}  // namespace fovea::studio
