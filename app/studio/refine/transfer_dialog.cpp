#include "app/studio/refine/transfer_dialog.h"

#include "app/studio/look/words.h"

#include <QDialogButtonBox>
#include <QHeaderView>
#include <QLabel>
#include <QTreeWidget>
#include <QVBoxLayout>

namespace fovea::studio {

namespace {

QString dimsText(const Ints& dims)
{
    QStringList parts;
    for (const std::int64_t dim : dims) parts << QString::number(dim);
    return parts.isEmpty() ? QStringLiteral("\u2013") : parts.join(QLatin1Char('x'));
}

}  // namespace

QString transferWord(Transfer transfer)
{
    switch (transfer) {
    case Transfer::Copied: return TransferDialog::tr("copied");
    case Transfer::Sliced: return TransferDialog::tr("sliced");
    case Transfer::Padded: return TransferDialog::tr("padded");
    case Transfer::Fresh: return TransferDialog::tr("new");
    case Transfer::Dropped: break;
    }
    return TransferDialog::tr("dropped");
}

TransferDialog::TransferDialog(const Stage::PlanPtr& plan, QWidget* parent) : QDialog(parent)
{
    setObjectName(QStringLiteral("transferDialog"));
    setWindowTitle(tr("Tensors: %1").arg(text(plan->title)));
    resize(560, 360);
    auto* note = new QLabel(
        tr("%1 tensors are copied as they are. These are not:").arg(plan->weights.total(Transfer::Copied).tensors));
    auto* table = new QTreeWidget;
    table->setObjectName(QStringLiteral("transferRows"));
    table->setHeaderLabels({tr("Tensor"), tr("Becomes"), tr("From"), tr("To")});
    table->setRootIsDecorated(false);
    table->setUniformRowHeights(true);
    table->setAllColumnsShowFocus(true);
    QList<QTreeWidgetItem*> rows;
    for (const TransferRow& row : plan->weights.rows) {
        rows << new QTreeWidgetItem({text(row.tensor), transferWord(row.action), dimsText(row.from), dimsText(row.to)});
        rows.back()->setToolTip(0, text(row.tensor));
    }
    table->addTopLevelItems(rows);
    table->header()->setStretchLastSection(false);
    table->header()->setSectionResizeMode(QHeaderView::ResizeToContents);
    table->header()->setSectionResizeMode(0, QHeaderView::Stretch);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    auto* layout = new QVBoxLayout(this);
    layout->addWidget(note);
    layout->addWidget(table, 1);
    layout->addWidget(buttons);
}

}  // namespace fovea::studio
