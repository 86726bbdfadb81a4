// The receptive-field chart: one bar a layer in execution order, from the smallest to the largest field,
// coloured by verdict, with a line at the input side. The only room that knows QCustomPlot.
#pragma once

#include "app/studio/document/stage.h"

#include <QWidget>

#include <map>

class QCPGraph;
class QCustomPlot;
class QPainter;

namespace fovea::studio {

class FieldBars;

class FieldChart : public QWidget {
    Q_OBJECT
public:
    enum class Axis { Height, Width };

    explicit FieldChart(Stage& stage, QWidget* parent = nullptr);
    ~FieldChart() override;

    void setAllLayers(bool all);    // else only the judged ones
    void setLogarithmic(bool log);
    void setAxis(Axis axis);
    void showEverything();
    // Shares of images that a classifier on each layer's output gets right, by the layer's name; empty: not drawn.
    void setAccuracies(std::map<std::string, double> accuracies);

    // Draws the chart at a size in pixels; vector painters stay vector.
    void draw(QPainter& painter, const QSize& size);
    bool isEmpty() const { return m_layers.empty(); }

protected:
    void changeEvent(QEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void refresh(bool keepRange);
    void collectLayers();
    void drawBars();
    void drawSide();
    void drawAccuracies();
    void drawSelection();
    void scaleAxes(bool keepRange);
    void labelLayers();
    void applyColors();
    int layerAt(const QPoint& position) const;
    const FieldReport& field(const LayerReport& layer) const { return m_axis == Axis::Height ? layer.field.h : layer.field.w; }

    Stage& m_stage;
    QCustomPlot* m_plot;
    FieldBars* m_bars = nullptr;
    ReportPtr m_report;  // keeps m_layers alive
    std::vector<const LayerReport*> m_layers;
    std::map<std::string, double> m_accuracies;
    QCPGraph* m_line;
    bool m_all = false;
    bool m_log = true;
    Axis m_axis = Axis::Height;
    QPoint m_pressed;
};

}  // namespace fovea::studio
