// One sentence above the canvas: what went wrong and what to do, or that something is done.
#pragma once

#include <QFrame>

#include <functional>

class QLabel;
class QPushButton;
class QTimer;
class QToolButton;

namespace fovea::studio {

class MessageBar : public QFrame {
    Q_OBJECT
public:
    explicit MessageBar(QWidget* parent = nullptr);
    void showError(const QString& what, const QString& why);
    // With a button that does something about it, and closes the message.
    void offer(const QString& what, const QString& why, const QString& button, std::function<void()> action);
    void withdrawOffer();  // where its button would do nothing any more; other messages stay
    void showNote(const QString& note);  // goes away by itself

protected:
    void changeEvent(QEvent* event) override;

private:
    void present(const QString& text, const QString& icon, bool error);
    void applyColors();

    QLabel *m_icon, *m_text;
    QPushButton* m_action;
    QToolButton* m_close;
    std::function<void()> m_do;
    QTimer* m_timer;
    QString m_iconName;
    bool m_error = false;
};

}  // namespace fovea::studio
