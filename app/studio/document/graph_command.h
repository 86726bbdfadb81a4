// The only undo command: the network before and after. Graphs share their nodes and weights their
// bytes, so a step is small.
#pragma once

#include "app/studio/document/document.h"

#include <QUndoCommand>

namespace fovea::studio {

class GraphCommand : public QUndoCommand {
public:
    // Steps with the same nonempty merge key that follow one another become one.
    GraphCommand(Document& document, const QString& text, QString mergeKey, Network before, Network after);

    void undo() override;
    void redo() override;
    int id() const override { return m_mergeKey.isEmpty() ? -1 : 1; }
    bool mergeWith(const QUndoCommand* other) override;

private:
    Document& m_document;
    QString m_mergeKey;
    Network m_before, m_after;
};

}  // namespace fovea::studio
