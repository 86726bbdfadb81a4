#include "app/studio/training/confusion_dialog.h"

#include "app/studio/look/theme.h"
#include "app/studio/look/words.h"

#include <QDialogButtonBox>
#include <QHeaderView>
#include <QLabel>
#include <QTableView>
#include <QVBoxLayout>

#include <numeric>

namespace fovea::studio {

namespace {

constexpr int kCell = 40, kRow = 24, kNames = 110;  // pixels

}  // namespace

ConfusionModel::ConfusionModel(EvaluateReply reply, QObject* parent)
    : QAbstractTableModel(parent), m_reply(std::move(reply))
{
    const std::size_t classes = m_reply.confusion.size();
    for (auto& row : m_reply.confusion) {
        row.resize(classes);
        m_totals.push_back(std::accumulate(row.begin(), row.end(), std::int64_t(0)));
    }
}

int ConfusionModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_reply.confusion.size());
}

QString ConfusionModel::className(int index) const
{
    const auto at = static_cast<std::size_t>(index);
    return at < m_reply.classes.size() ? text(m_reply.classes[at]) : QString::number(index);
}

QVariant ConfusionModel::data(const QModelIndex& index, int role) const
{
    const auto row = static_cast<std::size_t>(index.row()), column = static_cast<std::size_t>(index.column());
    const std::int64_t count = m_reply.confusion[row][column];
    const double share = m_totals[row] > 0 ? static_cast<double>(count) / static_cast<double>(m_totals[row]) : 0;
    switch (role) {
    case Qt::DisplayRole: return QVariant::fromValue<qlonglong>(count);
    case Qt::TextAlignmentRole: return int(Qt::AlignCenter);
    case Qt::BackgroundRole: return sequentialColor(share);
    case Qt::ForegroundRole:
        if (count == 0) return QColor(255, 255, 255, 120);  // what is there stands out
        return sequentialColor(share).lightness() < 115 ? QColor(Qt::white) : QColor(Qt::black);
    case Qt::ToolTipRole:
    case Qt::AccessibleTextRole:
        return tr("%1 taken for %2: %3 images, %4 % of %1")
            .arg(className(index.row()), className(index.column()))
            .arg(count)
            .arg(share * 100, 0, 'f', 1);
    default: return {};
    }
}

QVariant ConfusionModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    // Room before the edge that names are aligned to.
    if (role == Qt::DisplayRole && orientation == Qt::Vertical) return className(section) + QLatin1Char(' ');
    if (role == Qt::DisplayRole || role == Qt::ToolTipRole) return className(section);
    if (role == Qt::TextAlignmentRole && orientation == Qt::Vertical) return int(Qt::AlignRight | Qt::AlignVCenter);
    return {};
}

ConfusionDialog::ConfusionDialog(QWidget* parent) : QDialog(parent), m_tables(new QHBoxLayout)
{
    setObjectName(QStringLiteral("confusionDialog"));
    setWindowTitle(tr("Confusion table"));
    resize(780, 460);
    auto* note =
        new QLabel(tr("Rows: what the images are. Columns: what the network takes them for. Brighter: a larger "
                      "share of the row."));
    note->setWordWrap(true);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    auto* layout = new QVBoxLayout(this);
    layout->addWidget(note);
    layout->addLayout(m_tables, 1);
    layout->addWidget(buttons);
}

void ConfusionDialog::add(const QString& title, const EvaluateReply& reply)
{
    auto* view = new QTableView;
    view->setObjectName(QStringLiteral("confusion.%1").arg(m_tables->count()));
    view->setAccessibleName(title);
    view->setModel(new ConfusionModel(reply, view));
    view->setTextElideMode(Qt::ElideMiddle);
    view->setEditTriggers(QAbstractItemView::NoEditTriggers);
    view->horizontalHeader()->setDefaultSectionSize(kCell);
    view->horizontalHeader()->setMinimumSectionSize(kCell);
    view->verticalHeader()->setDefaultSectionSize(kRow);
    view->verticalHeader()->setFixedWidth(kNames);
    view->setWordWrap(false);
    auto* heading = new QLabel(tr("<b>%1</b>, top-1 %2 %").arg(title.toHtmlEscaped()).arg(reply.top1 * 100, 0, 'f', 1));
    auto* column = new QVBoxLayout;
    column->addWidget(heading);
    column->addWidget(view, 1);
    m_tables->addLayout(column, 1);
}

}  // namespace fovea::studio
