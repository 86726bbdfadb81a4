// Every single move with a check box, under a filter: what is checked is combined, in the order of checking, and
// previewed.
#pragma once

#include "app/studio/document/proposals.h"

#include <QWidget>

class QLabel;
class QLineEdit;
class QListView;
class QStandardItemModel;

namespace fovea::studio {

class MovesPage : public QWidget {
    Q_OBJECT
public:
    explicit MovesPage(Proposals& proposals, QWidget* parent = nullptr);

protected:
    void showEvent(QShowEvent* event) override;

private:
    void refresh();
    int filter();
    void say(const QString& message);
    void onChecked();
    void onPreview();
    void checkOnly(const std::string& id);
    void onNotCombined();

    Proposals& m_proposals;
    QLabel* m_message;
    QLineEdit* m_filter;
    QListView* m_list;
    QStandardItemModel* m_model;
    std::vector<Proposals::PlanPtr> m_shown;
    std::vector<std::string> m_checked;  // in the order of checking
    bool m_combining = false;
    bool m_loading = false;
};

}  // namespace fovea::studio
