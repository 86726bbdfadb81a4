#include "app/studio/document/stage.h"

#include <algorithm>

namespace fovea::studio {

Stage::Stage(Document& document, QObject* parent) : QObject(parent), m_document(document)
{
    connect(&document, &Document::changed, this, &Stage::onDocumentChanged);
}

GraphPtr Stage::graph() const { return m_planGraph ? m_planGraph : m_document.graph(); }

ReportPtr Stage::report() const { return m_planReport ? m_planReport : m_document.report(); }

void Stage::showPreview(PlanPtr plan)
{
    if (plan == m_plan) return;
    const GraphPtr before = graph();
    m_plan = std::move(plan);
    m_planGraph = m_plan ? std::make_shared<const Graph>(m_plan->graph) : nullptr;
    m_planReport = m_plan ? std::make_shared<const Report>(analyze(*m_planGraph)) : nullptr;
    m_previewDiff = m_plan ? diff(*m_document.graph(), *m_planGraph) : GraphDiff{};
    emit previewChanged();
    emit shown(Change{false, diff(*before, *graph())});
}

bool Stage::isChanged(NodeId id) const
{
    const auto has = [id](const std::vector<NodeId>& ids) {
        return std::find(ids.begin(), ids.end(), id) != ids.end();
    };
    return has(m_previewDiff.added) || has(m_previewDiff.changed);
}

void Stage::clearPreview() { showPreview(nullptr); }

bool Stage::isSelected(NodeId id) const
{
    return std::find(m_selected.begin(), m_selected.end(), id) != m_selected.end();
}

void Stage::select(NodeId id) { select(id == kNoNode ? std::vector<NodeId>{} : std::vector<NodeId>{id}); }

void Stage::select(std::vector<NodeId> ids)
{
    if (ids == m_selected) return;
    m_selected = std::move(ids);
    emit selectionChanged();
}

void Stage::reveal(NodeId id)
{
    select(id);
    emit revealRequested(id);
}

void Stage::onDocumentChanged(const Change& change)
{
    // A preview is drawn over the graph it was made for; any edit outdates it.
    Change seen = change;
    if (m_plan && (change.reset || !change.diff.empty())) {
        const GraphPtr previewed = m_planGraph;
        m_plan.reset();
        m_planGraph.reset();
        m_planReport.reset();
        m_previewDiff = {};
        if (!change.reset) seen.diff = diff(*previewed, *m_document.graph());
        emit previewChanged();
    }
    emit shown(seen);
    std::vector<NodeId> kept;
    if (!change.reset)
        for (const NodeId id : m_selected)
            if (m_document.graph()->find(id)) kept.push_back(id);
    select(std::move(kept));
}

}  // namespace fovea::studio
