// What is shown without a network: where to begin.
#pragma once

#include <QWidget>

namespace fovea::studio {

class WelcomePage : public QWidget {
    Q_OBJECT
public:
    explicit WelcomePage(QWidget* parent = nullptr);

signals:
    void openRequested();
    void modelRequested(const QString& name);
};

}  // namespace fovea::studio
