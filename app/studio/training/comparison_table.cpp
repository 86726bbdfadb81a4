#include "app/studio/training/comparison_table.h"

#include <QHeaderView>

namespace fovea::studio {

ComparisonTable::ComparisonTable(const QStringList& rows, QWidget* parent)
    : QTableWidget(static_cast<int>(rows.size()), 2, parent)
{
    setHorizontalHeaderLabels({tr("Now"), tr("As opened")});
    setVerticalHeaderLabels(rows);
    setEditTriggers(QAbstractItemView::NoEditTriggers);
    setSelectionMode(QAbstractItemView::NoSelection);
    setTabKeyNavigation(false);
    setWordWrap(false);
    horizontalHeader()->setSectionResizeMode(QHeaderView::Stretch);
    horizontalHeader()->setDefaultAlignment(Qt::AlignRight | Qt::AlignVCenter);
    verticalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
    setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    for (int row = 0; row < rowCount(); ++row)
        for (int column = 0; column < columnCount(); ++column) {
            auto* item = new QTableWidgetItem;
            item->setTextAlignment(Qt::AlignRight | Qt::AlignVCenter);
            setItem(row, column, item);
        }
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setFixedHeight(horizontalHeader()->sizeHint().height() + verticalHeader()->length() + 4);
}

void ComparisonTable::setValue(int row, int column, const QString& value)
{
    item(row, column)->setText(value.isEmpty() ? QStringLiteral("\u2013") : value);
}

}  // namespace fovea::studio
