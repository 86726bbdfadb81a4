// What the views show at the moment: the document, or a proposal previewed over it, and which layers are
// selected. Views read it and report clicks to it; they never talk to one another.
#pragma once

#include "app/studio/document/document.h"
#include "core/refine/plan.h"

#include <QObject>

#include <memory>
#include <vector>

namespace fovea::studio {

class Stage : public QObject {
    Q_OBJECT
public:
    using PlanPtr = std::shared_ptr<const Plan>;

    explicit Stage(Document& document, QObject* parent = nullptr);

    Document& document() const { return m_document; }
    // The previewed network and its predicted report while a preview is on, else the document's. Never null.
    GraphPtr graph() const;
    ReportPtr report() const;

    const PlanPtr& preview() const { return m_plan; }
    // What the preview changes; empty without one.
    const GraphDiff& previewDiff() const { return m_previewDiff; }
    bool isChanged(NodeId id) const;  // added or changed by the preview
    void showPreview(PlanPtr plan);
    void clearPreview();

    // kNoNode: nothing is selected.
    NodeId current() const { return m_selected.empty() ? kNoNode : m_selected.front(); }
    const std::vector<NodeId>& selected() const { return m_selected; }
    bool isSelected(NodeId id) const;
    void select(NodeId id);
    void select(std::vector<NodeId> ids);
    // Selects and asks the canvas to bring the layer into view.
    void reveal(NodeId id);

signals:
    void shown(const fovea::studio::Change& change);
    void previewChanged();
    void selectionChanged();
    void revealRequested(fovea::NodeId id);

private:
    void onDocumentChanged(const Change& change);

    Document& m_document;
    PlanPtr m_plan;
    GraphPtr m_planGraph;
    ReportPtr m_planReport;
    GraphDiff m_previewDiff;
    std::vector<NodeId> m_selected;
};

}  // namespace fovea::studio
