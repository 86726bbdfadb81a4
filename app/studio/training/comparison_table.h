// A small table with a column for the network now and one for it as it was opened.
#pragma once

#include <QStringList>
#include <QTableWidget>

namespace fovea::studio {

class ComparisonTable : public QTableWidget {
    Q_OBJECT
public:
    explicit ComparisonTable(const QStringList& rows, QWidget* parent = nullptr);

    // An empty value is drawn as a dash.
    void setValue(int row, int column, const QString& value);
};

}  // namespace fovea::studio
