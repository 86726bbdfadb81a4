#include "app/studio/refine/moves_page.h"

#include "app/studio/look/words.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QListView>
#include <QMouseEvent>
#include <QScopedValueRollback>
#include <QStandardItemModel>
#include <QStyledItemDelegate>
#include <QVBoxLayout>

#include <algorithm>

namespace fovea::studio {

namespace {

constexpr int kId = Qt::UserRole + 1;

class BoxDelegate : public QStyledItemDelegate {
public:
    using QStyledItemDelegate::QStyledItemDelegate;

    // A click anywhere in the row checks it.
    bool editorEvent(QEvent* event, QAbstractItemModel* model, const QStyleOptionViewItem& option,
                     const QModelIndex& index) override
    {
        if (event->type() == QEvent::KeyPress) return QStyledItemDelegate::editorEvent(event, model, option, index);
        if (event->type() != QEvent::MouseButtonRelease || static_cast<QMouseEvent*>(event)->button() != Qt::LeftButton)
            return false;
        const bool on = index.data(Qt::CheckStateRole).toInt() == Qt::Checked;
        return model->setData(index, on ? Qt::Unchecked : Qt::Checked, Qt::CheckStateRole);
    }
};

QStandardItem* itemOf(const Plan& move)
{
    auto* item = new QStandardItem(text(move.title) + QLatin1Char('\n') + planEffect(move, true));
    item->setData(text(move.id), kId);
    item->setCheckable(true);
    item->setEditable(false);
    item->setToolTip(QStringLiteral("<b>%1</b><br>%2<br>%3")
                         .arg(text(move.title).toHtmlEscaped(), text(move.reason).toHtmlEscaped(), planEffect(move)));
    return item;
}

}  // namespace

MovesPage::MovesPage(Proposals& proposals, QWidget* parent)
    : QWidget(parent), m_proposals(proposals), m_message(new QLabel), m_filter(new QLineEdit), m_list(new QListView),
      m_model(new QStandardItemModel(this))
{
    m_filter->setObjectName(QStringLiteral("movesFilter"));
    m_filter->setAccessibleName(tr("Filter single moves"));
    m_filter->setPlaceholderText(tr("Filter, as in: stride layer3"));
    m_filter->setClearButtonEnabled(true);
    m_message->setObjectName(QStringLiteral("movesMessage"));
    m_message->setWordWrap(true);
    m_message->setContentsMargins(10, 6, 10, 2);
    m_list->setObjectName(QStringLiteral("moves"));
    m_list->setAccessibleName(tr("Single moves"));
    m_list->setModel(m_model);
    m_list->setItemDelegate(new BoxDelegate(m_list));
    m_list->setUniformItemSizes(true);
    m_list->setTextElideMode(Qt::ElideMiddle);
    m_list->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_list->setSpacing(2);
    m_list->setFrameShape(QFrame::NoFrame);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(2);
    layout->addWidget(m_message);
    auto* filterRow = new QHBoxLayout;
    filterRow->setContentsMargins(8, 0, 8, 2);
    filterRow->addWidget(m_filter);
    layout->addLayout(filterRow);
    layout->addWidget(m_list, 1);
    connect(m_filter, &QLineEdit::textChanged, this, &MovesPage::refresh);
    connect(m_model, &QStandardItemModel::itemChanged, this, &MovesPage::onChecked);
    connect(&proposals, &Proposals::changed, this, &MovesPage::refresh);
    connect(&proposals, &Proposals::notCombined, this, &MovesPage::onNotCombined);
    connect(&proposals.stage(), &Stage::previewChanged, this, &MovesPage::onPreview);
    refresh();
}

// What was checked while the page was hidden could not be scrolled to.
void MovesPage::showEvent(QShowEvent* event)
{
    QWidget::showEvent(event);
    for (int row = 0; row < m_model->rowCount(); ++row)
        if (m_model->item(row)->checkState() == Qt::Checked)
            m_list->scrollTo(m_model->item(row)->index(), QAbstractItemView::PositionAtCenter);
}

void MovesPage::say(const QString& message) { m_message->setText(message); }

void MovesPage::refresh()
{
    if (m_proposals.moves() != m_shown) {
        const QScopedValueRollback loading(m_loading, true);
        m_shown = m_proposals.moves();
        m_checked.clear();
        m_model->clear();
        for (const auto& move : m_shown) m_model->appendRow(itemOf(*move));
    }
    const int found = filter();
    m_filter->setVisible(!m_shown.empty());
    if (!m_checked.empty()) return;
    if (m_proposals.state() == Proposals::State::Empty) say({});
    else if (!m_proposals.movesListed())
        say(m_proposals.state() == Proposals::State::Cancelled ? tr("The moves are not listed yet: search again.")
                                                               : tr("Listing the moves\u2026"));
    else if (found == 0 && !m_shown.empty())
        say(tr("None of %n moves has all these words in its title.", nullptr, static_cast<int>(m_shown.size())));
    else
        say(m_shown.empty() ? tr("There is nothing here that Fovea can change.")
                            : tr("Check moves to combine and preview them. %n can be made here.", nullptr,
                                 static_cast<int>(m_shown.size())));
}

// Shows the moves whose titles hold all words of the filter, and the checked ones; returns how many do hold them.
int MovesPage::filter()
{
    const QStringList words = m_filter->text().split(QLatin1Char(' '), Qt::SkipEmptyParts);
    int found = 0;
    for (int row = 0; row < m_model->rowCount(); ++row) {
        const QStandardItem& item = *m_model->item(row);
        const QString title = item.text().section(QLatin1Char('\n'), 0, 0);
        const bool holds =
            std::ranges::all_of(words, [&](const QString& word) { return title.contains(word, Qt::CaseInsensitive); });
        found += holds;
        m_list->setRowHidden(row, !holds && item.checkState() != Qt::Checked);
    }
    return found;
}

void MovesPage::onChecked()
{
    if (m_loading) return;
    std::vector<std::string> now;
    for (int row = 0; row < m_model->rowCount(); ++row)
        if (m_model->item(row)->checkState() == Qt::Checked)
            now.push_back(m_model->item(row)->data(kId).toString().toStdString());
    std::erase_if(m_checked, [&](const std::string& id) { return std::ranges::find(now, id) == now.end(); });
    for (const std::string& id : now)
        if (std::ranges::find(m_checked, id) == m_checked.end()) m_checked.push_back(id);
    refresh();
    if (!m_checked.empty())
        say(m_checked.size() == 1 ? tr("One move as a plan. Check more to combine them.")
                                  : tr("%1 moves as one plan, in the order of checking.").arg(m_checked.size()));
    // The preview of a combination comes later; that of one move comes from within this call.
    m_combining = true;
    m_proposals.combine(m_checked);
    m_combining = m_checked.size() > 1;
}

void MovesPage::onPreview()
{
    if (std::exchange(m_combining, false)) return;
    const auto& plan = m_proposals.stage().preview();
    const bool isMove = plan && std::ranges::any_of(m_shown, [&](const auto& move) { return isSamePlan(move, plan); });
    checkOnly(isMove ? plan->id : std::string());
}

void MovesPage::checkOnly(const std::string& id)
{
    const QScopedValueRollback loading(m_loading, true);
    m_checked.clear();
    for (int row = 0; row < m_model->rowCount(); ++row) {
        QStandardItem* item = m_model->item(row);
        const bool on = !id.empty() && item->data(kId).toString().toStdString() == id;
        item->setCheckState(on ? Qt::Checked : Qt::Unchecked);
        if (!on) continue;
        m_checked.push_back(id);
        m_list->scrollTo(item->index());
    }
    refresh();
}

// Those before the last one went together.
void MovesPage::onNotCombined()
{
    m_combining = false;
    const auto last = std::ranges::find_if(
        m_shown, [&](const auto& move) { return !m_checked.empty() && move->id == m_checked.back(); });
    if (last != m_shown.end())
        say(tr("\u201c%1\u201d cannot be made after the other checked moves; uncheck it or one of them.")
                .arg(text((*last)->title)));
}

}  // namespace fovea::studio
