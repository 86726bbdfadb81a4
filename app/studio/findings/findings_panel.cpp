#include "app/studio/findings/findings_panel.h"

#include "app/studio/look/theme.h"
#include "app/studio/look/words.h"

#include <QEvent>
#include <QHeaderView>
#include <QLabel>
#include <QTreeWidget>
#include <QVBoxLayout>

#include <algorithm>

namespace fovea::studio {

namespace {

QString iconName(Severity severity)
{
    switch (severity) {
    case Severity::Error: return QStringLiteral("error");
    case Severity::Warning: return QStringLiteral("warning");
    case Severity::Info: break;
    }
    return QStringLiteral("info");
}

QString severityWord(Severity severity)
{
    switch (severity) {
    case Severity::Error: return FindingsPanel::tr("Error");
    case Severity::Warning: return FindingsPanel::tr("Warning");
    case Severity::Info: break;
    }
    return FindingsPanel::tr("Note");
}

}  // namespace

FindingsPanel::FindingsPanel(Stage& stage, QWidget* parent)
    : QWidget(parent), m_stage(stage), m_list(new QTreeWidget), m_empty(new QLabel(tr("No findings: nothing about this network needs attention."))), m_detail(new QLabel)
{
    m_list->setObjectName(QStringLiteral("findings"));
    m_list->setAccessibleName(tr("Findings"));
    m_list->setHeaderLabels({tr("Severity"), tr("Layer"), tr("Finding"), tr("What to do")});
    m_list->setRootIsDecorated(false);
    m_list->setUniformRowHeights(true);
    m_list->setAlternatingRowColors(true);
    m_list->setFrameShape(QFrame::NoFrame);
    m_list->header()->setSectionResizeMode(2, QHeaderView::Stretch);
    m_list->header()->setSectionResizeMode(3, QHeaderView::Stretch);
    m_list->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_empty->setAlignment(Qt::AlignCenter);
    m_empty->setForegroundRole(QPalette::PlaceholderText);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    // Sentences are longer than a column; the selected one is shown whole.
    m_detail->setObjectName(QStringLiteral("findingDetail"));
    m_detail->setWordWrap(true);
    m_detail->setMargin(6);
    m_detail->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_detail->hide();
    layout->addWidget(m_list);
    layout->addWidget(m_detail);
    layout->addWidget(m_empty);
    connect(m_list, &QTreeWidget::currentItemChanged, this, [this](const QTreeWidgetItem* item) { onCurrent(item); });
    connect(m_list, &QTreeWidget::itemActivated, this, [this](const QTreeWidgetItem* item) { jumpTo(item); });
    connect(&stage, &Stage::shown, this, &FindingsPanel::refresh);
    refresh();
}

void FindingsPanel::refresh()
{
    std::vector<Issue> issues = m_stage.report()->issues;
    std::stable_sort(issues.begin(), issues.end(), [](const Issue& a, const Issue& b) { return a.severity > b.severity; });
    const QSignalBlocker quiet(m_list);
    m_list->clear();
    m_detail->hide();
    QList<QTreeWidgetItem*> items;
    for (const Issue& issue : issues) {
        auto* item = new QTreeWidgetItem({severityWord(issue.severity), moduleName(issue.layer), text(issue.message), text(issue.hint)});
        item->setIcon(0, lineIcon(iconName(issue.severity), palette()));
        item->setData(1, Qt::UserRole, QString::fromStdString(issue.layer));
        item->setToolTip(1, text(issue.layer));
        item->setToolTip(2, text(issue.message));
        item->setToolTip(3, text(issue.hint));
        items << item;
    }
    m_list->addTopLevelItems(items);
    m_list->setColumnWidth(0, 92);
    m_list->setColumnWidth(1, 128);
    m_list->setVisible(!items.isEmpty());
    m_empty->setVisible(items.isEmpty());
    emit countChanged(static_cast<int>(items.size()));
}

void FindingsPanel::onCurrent(const QTreeWidgetItem* item)
{
    m_detail->setVisible(item != nullptr);
    if (item) m_detail->setText(item->text(2) + QLatin1Char(' ') + item->text(3));
    jumpTo(item);
}

void FindingsPanel::jumpTo(const QTreeWidgetItem* item)
{
    const QString layer = item ? item->data(1, Qt::UserRole).toString() : QString();
    if (layer.isEmpty()) return;
    if (const Node* node = m_stage.graph()->findByName(layer.toStdString())) m_stage.reveal(node->id);
}

void FindingsPanel::changeEvent(QEvent* event)
{
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange && m_list) refresh();
}

}  // namespace fovea::studio
