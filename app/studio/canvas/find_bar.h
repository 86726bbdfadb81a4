// Finds a layer by a part of its name or kind.
#pragma once

#include "app/studio/document/stage.h"

#include <QFrame>

class QLabel;
class QLineEdit;

namespace fovea::studio {

class FindBar : public QFrame {
    Q_OBJECT
public:
    FindBar(Stage& stage, QWidget* parent);
    void open();

protected:
    void keyPressEvent(QKeyEvent* event) override;

private:
    void search(int step);

    Stage& m_stage;
    QLineEdit* m_text;
    QLabel* m_count;
    int m_at = -1;
};

}  // namespace fovea::studio
