// Which classes a network takes for which: a table a network, beside one another.
#pragma once

#include "core/io/engine/jobs.h"

#include <QAbstractTableModel>
#include <QDialog>

class QHBoxLayout;

namespace fovea::studio {

// Rows: true classes; columns: predicted ones. Cells are coloured by their share of the row, in cividis.
class ConfusionModel : public QAbstractTableModel {
    Q_OBJECT
public:
    explicit ConfusionModel(EvaluateReply reply, QObject* parent = nullptr);

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override { return rowCount(parent); }
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    QString className(int index) const;

    EvaluateReply m_reply;
    std::vector<std::int64_t> m_totals;  // of each row
};

class ConfusionDialog : public QDialog {
    Q_OBJECT
public:
    explicit ConfusionDialog(QWidget* parent = nullptr);
    void add(const QString& title, const EvaluateReply& reply);

private:
    QHBoxLayout* m_tables;
};

}  // namespace fovea::studio
