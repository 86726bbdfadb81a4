#include "app/studio/canvas/preview_marks.h"

#include "app/studio/look/words.h"

#include <QCoreApplication>

#include <algorithm>

namespace fovea::studio {

namespace {

QString tr(const char* sentence, int n = -1) { return QCoreApplication::translate("Canvas", sentence, nullptr, n); }

// "7x7" as "7": lists of one repeated number read as the number.
QString shortList(const std::string& list)
{
    const QStringList parts = text(list).split(QLatin1Char('x'));
    return std::all_of(parts.begin(), parts.end(), [&](const QString& part) { return part == parts.front(); })
               ? parts.front()
               : text(list);
}

// Padding follows from a kernel or a stride that is named already.
bool isImplied(const Edit& edit, const std::vector<Edit>& edits)
{
    return edit.attribute == "padding" && std::any_of(edits.begin(), edits.end(), [&](const Edit& other) {
               return other.op == Edit::Op::Set && other.layer == edit.layer && other.attribute != "padding";
           });
}

QString setText(const Edit& edit)
{
    const QString what = edit.attribute == "kernel_size" ? tr("kernel") : text(edit.attribute);
    return QStringLiteral("%1 %2 \u2192 %3").arg(what, shortList(edit.from), shortList(edit.to));
}

// The nearest layer before a removed one that is still there; kNoNode where its first input leads to none.
NodeId survivorBefore(const Graph& before, const Graph& after, NodeId removed)
{
    const Node* node = before.find(removed);
    while (node && !after.find(node->id))
        node = node->inputs.empty() ? nullptr : before.find(node->inputs.front().node);
    return node ? node->id : kNoNode;
}

void markRemoved(const Stage& stage, QHash<NodeId, Mark>& marks)
{
    const Graph &before = *stage.document().graph(), &after = *stage.graph();
    QHash<NodeId, QStringList> gone;
    for (const NodeId id : stage.previewDiff().removed)
        if (const NodeId last = survivorBefore(before, after, id); last != kNoNode)
            gone[last] << moduleName(before.at(id).name);
    for (auto it = gone.cbegin(); it != gone.cend(); ++it) {
        QString& chip = marks[it.key()].text;
        if (!chip.isEmpty()) chip += QStringLiteral(", ");
        chip += it->size() == 1 ? tr("%1 behind it removed").arg(it->front())
                                : tr("%n layers behind it removed", static_cast<int>(it->size()));
    }
}

}  // namespace

QHash<NodeId, Mark> marksOf(const Stage& stage)
{
    QHash<NodeId, Mark> marks;
    if (!stage.preview()) return marks;
    for (const NodeId id : stage.previewDiff().added) marks[id].added = true;
    for (const NodeId id : stage.previewDiff().changed) marks[id];
    for (const Edit& edit : stage.preview()->edits) {
        const Node* node = stage.graph()->findByName(edit.layer);
        if (!node || isImplied(edit, stage.preview()->edits)) continue;
        QString& chip = marks[node->id].text;
        if (!chip.isEmpty()) chip += QStringLiteral(", ");
        if (edit.op == Edit::Op::Set) chip += setText(edit);
        else if (edit.op == Edit::Op::Move) chip += tr("moved after %1").arg(text(edit.after));
        else if (edit.op == Edit::Op::Add) chip += tr("added");
    }
    markRemoved(stage, marks);
    return marks;
}

NodeId firstChange(const Stage& stage)
{
    for (const Edit& edit : stage.preview()->edits) {
        if (const Node* node = stage.graph()->findByName(edit.layer)) return node->id;
        const Node* gone = stage.document().graph()->findByName(edit.layer);
        const NodeId last = gone ? survivorBefore(*stage.document().graph(), *stage.graph(), gone->id) : kNoNode;
        if (last != kNoNode) return last;
    }
    return kNoNode;
}

}  // namespace fovea::studio
