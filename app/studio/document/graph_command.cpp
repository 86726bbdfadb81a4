#include "app/studio/document/graph_command.h"

namespace fovea::studio {

GraphCommand::GraphCommand(Document& document, const QString& text, QString mergeKey, Network before, Network after)
    : QUndoCommand(text), m_document(document), m_mergeKey(std::move(mergeKey)), m_before(std::move(before)), m_after(std::move(after))
{
}

void GraphCommand::undo() { m_document.show(m_before); }

void GraphCommand::redo() { m_document.show(m_after); }

bool GraphCommand::mergeWith(const QUndoCommand* other)
{
    const auto& next = static_cast<const GraphCommand&>(*other);
    if (next.m_mergeKey != m_mergeKey) return false;
    m_after = next.m_after;
    if (m_before.weights == m_after.weights && diff(*m_before.graph, *m_after.graph).empty()) setObsolete(true);
    return true;
}

}  // namespace fovea::studio
