// What is wrong or worth knowing about the network; a click jumps to the layer.
#pragma once

#include "app/studio/document/stage.h"

#include <QWidget>

class QLabel;
class QTreeWidget;
class QTreeWidgetItem;

namespace fovea::studio {

class FindingsPanel : public QWidget {
    Q_OBJECT
public:
    explicit FindingsPanel(Stage& stage, QWidget* parent = nullptr);

signals:
    void countChanged(int count);

protected:
    void changeEvent(QEvent* event) override;

private:
    void refresh();
    void onCurrent(const QTreeWidgetItem* item);
    void jumpTo(const QTreeWidgetItem* item);

    Stage& m_stage;
    QTreeWidget* m_list;
    QLabel *m_empty, *m_detail;
};

}  // namespace fovea::studio
