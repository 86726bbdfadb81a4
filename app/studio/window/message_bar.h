// One sentence above the canvas: what went wrong and what to do, or that something is done.
#pragma once

#include <QFrame>

class QLabel;
class QTimer;
class QToolButton;

namespace fovea::studio {

class MessageBar : public QFrame {
    Q_OBJECT
public:
    explicit MessageBar(QWidget* parent = nullptr);
    void showError(const QString& what, const QString& why);
    void showNote(const QString& note);  // goes away by itself

protected:
    void changeEvent(QEvent* event) override;

private:
    void present(const QString& text, const QString& icon, bool error);
    void applyColors();

    QLabel *m_icon, *m_text;
    QToolButton* m_close;
    QTimer* m_timer;
    QString m_iconName;
    bool m_error = false;
};

}  // namespace fovea::studio
