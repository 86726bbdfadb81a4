#include "app/studio/canvas/find_bar.h"

#include "app/studio/look/words.h"

#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>

namespace fovea::studio {

FindBar::FindBar(Stage& stage, QWidget* parent) : QFrame(parent), m_stage(stage), m_text(new QLineEdit), m_count(new QLabel)
{
    setObjectName(QStringLiteral("findBar"));
    setFrameShape(QFrame::StyledPanel);
    setAutoFillBackground(true);
    m_text->setObjectName(QStringLiteral("findText"));
    m_text->setPlaceholderText(tr("Find a layer by name or kind"));
    m_text->setAccessibleName(tr("Find a layer"));
    m_text->setMinimumWidth(220);
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(6, 4, 8, 4);
    layout->addWidget(m_text);
    layout->addWidget(m_count);
    connect(m_text, &QLineEdit::textChanged, this, [this] {
        m_at = -1;
        search(1);
    });
    hide();
}

void FindBar::open()
{
    show();
    raise();
    adjustSize();
    m_text->setFocus();
    m_text->selectAll();
}

void FindBar::keyPressEvent(QKeyEvent* event)
{
    switch (event->key()) {
    case Qt::Key_Escape:
        hide();
        parentWidget()->setFocus();
        break;
    case Qt::Key_Return:
    case Qt::Key_Enter: search(event->modifiers() & Qt::ShiftModifier ? -1 : 1); break;
    default: QFrame::keyPressEvent(event);
    }
}

void FindBar::search(int step)
{
    std::vector<NodeId> hits;
    const QString wanted = m_text->text().trimmed();
    if (!wanted.isEmpty())
        for (const auto& node : m_stage.graph()->nodes())
            if (text(node->name).contains(wanted, Qt::CaseInsensitive) || text(node->kind).contains(wanted, Qt::CaseInsensitive)) hits.push_back(node->id);
    const int count = static_cast<int>(hits.size());
    if (count == 0) {
        m_count->setText(wanted.isEmpty() ? QString() : tr("none"));
        adjustSize();
        return;
    }
    m_at = m_at < 0 ? 0 : (m_at + step + count) % count;
    m_count->setText(tr("%1 of %2").arg(m_at + 1).arg(count));
    adjustSize();
    m_stage.reveal(hits[static_cast<std::size_t>(m_at)]);
}

}  // namespace fovea::studio
