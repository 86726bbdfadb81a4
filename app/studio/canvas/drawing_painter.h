// Paints a drawing with a report's verdicts: for the window, for pictures and for the minimap alike.
#pragma once

#include "app/studio/canvas/drawing.h"
#include "app/studio/document/document.h"
#include "app/studio/look/theme.h"
#include "core/analysis/report.h"

#include <QHash>

#include <array>
#include <set>

class QPainter;

namespace fovea::studio {

// A layer that a previewed proposal touches.
struct Mark {
    bool added = false;
    QString text;  // "stride 2 -> 1"; may be empty
};

class DrawingPainter {
public:
    // The report may be older than the drawing; layers that it does not know are drawn as not judged.
    void setContent(std::shared_ptr<const Drawing> drawing, GraphPtr graph, ReportPtr report);
    void setReport(GraphPtr graph, ReportPtr report);
    void setColors(const Colors& colors) { m_colors = colors; }
    void setSelection(std::set<int> boxes) { m_selected = std::move(boxes); }
    void setMarks(QHash<NodeId, Mark> marks) { m_marks = std::move(marks); }

    const Drawing* drawing() const { return m_drawing.get(); }
    Verdict verdictOf(int box) const { return m_states[static_cast<std::size_t>(box)].verdict; }
    QString toolTip(int box) const;

    // `exposed` in scene pixels; `scale` in device pixels per scene pixel decides how much detail is drawn.
    void paint(QPainter& painter, const QRectF& exposed, qreal scale) const;
    void paintOverview(QPainter& painter) const;

private:
    struct State {
        const LayerReport* layer = nullptr;
        Verdict verdict = Verdict::NotApplicable;
        std::array<int, kVerdictCount> counts{};  // of a folded group
    };
    struct Texts {
        QString name, kind, detail, shape, field;
        bool made = false;
    };

    const Box& box(int index) const { return m_drawing->boxes[static_cast<std::size_t>(index)]; }
    const Texts& texts(int index) const;
    void makeTexts(const Box& box, const State& state, Texts& out) const;
    void paintFrames(QPainter& painter, const QRectF& exposed, qreal scale) const;
    void paintWires(QPainter& painter, const QRectF& exposed, qreal scale) const;
    void paintBlocks(QPainter& painter, const QRectF& exposed) const;
    void paintBox(QPainter& painter, int index, qreal scale) const;
    void paintLayer(QPainter& painter, int index) const;
    void paintCompact(QPainter& painter, int index) const;
    void paintGroup(QPainter& painter, int index) const;
    void paintMark(QPainter& painter, const QRectF& rect, const Mark& mark) const;

    std::shared_ptr<const Drawing> m_drawing;
    GraphPtr m_graph;
    ReportPtr m_report;
    Colors m_colors;
    std::set<int> m_selected;
    QHash<NodeId, Mark> m_marks;
    std::vector<State> m_states;
    mutable std::vector<Texts> m_texts;  // made when first seen
};

}  // namespace fovea::studio
