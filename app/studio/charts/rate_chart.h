// The loss over rising learning rates (Smith 2017), with the rate that is suggested.
#pragma once

#include <QPointF>
#include <QWidget>

#include <optional>
#include <vector>

class QCustomPlot;

namespace fovea::studio {

class RateChart : public QWidget {
    Q_OBJECT
public:
    explicit RateChart(QWidget* parent = nullptr);

    // Rates, which are drawn on a logarithmic axis, with the loss at each; ascending.
    void setCurve(std::vector<QPointF> points, std::optional<double> suggested);
    QSize sizeHint() const override { return {480, 280}; }

protected:
    void changeEvent(QEvent* event) override;

private:
    void refresh();
    void mark(double rate);

    QCustomPlot* m_plot;
    std::vector<QPointF> m_points;
    std::optional<double> m_suggested;
};

// As it is shown and used: three digits are more than the search can tell.
QString rateText(double rate);

}  // namespace fovea::studio
