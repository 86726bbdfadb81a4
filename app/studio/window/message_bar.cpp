#include "app/studio/window/message_bar.h"

#include "app/studio/look/theme.h"
#include "app/studio/look/words.h"

#include <QEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QTimer>
#include <QToolButton>

namespace fovea::studio {

MessageBar::MessageBar(QWidget* parent) : QFrame(parent), m_icon(new QLabel), m_text(new QLabel), m_action(new QPushButton), m_close(new QToolButton), m_timer(new QTimer(this))
{
    setObjectName(QStringLiteral("messageBar"));
    setAutoFillBackground(true);
    m_text->setObjectName(QStringLiteral("messageText"));
    m_text->setWordWrap(true);
    m_text->setTextFormat(Qt::PlainText);
    m_text->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_close->setObjectName(QStringLiteral("messageClose"));
    m_close->setAutoRaise(true);
    m_close->setToolTip(tr("Close this message"));
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(10, 5, 6, 5);
    layout->addWidget(m_icon);
    layout->addWidget(m_text, 1);
    layout->addWidget(m_action);
    layout->addWidget(m_close);
    m_action->setObjectName(QStringLiteral("messageAction"));
    m_action->hide();
    connect(m_action, &QPushButton::clicked, this, [this] {
        hide();
        if (const auto action = std::exchange(m_do, nullptr)) action();
    });
    m_timer->setSingleShot(true);
    connect(m_close, &QToolButton::clicked, this, &QWidget::hide);
    connect(m_timer, &QTimer::timeout, this, &QWidget::hide);
    hide();
}

void MessageBar::showError(const QString& what, const QString& why) { present(text(QStringLiteral("%1: %2").arg(what, why).toStdString()), QStringLiteral("error"), true); }

void MessageBar::offer(const QString& what, const QString& why, const QString& button, std::function<void()> action)
{
    showError(what, why);
    m_action->setText(button);
    m_action->show();
    m_do = std::move(action);
}

void MessageBar::withdrawOffer()
{
    if (std::exchange(m_do, nullptr)) hide();
}

void MessageBar::showNote(const QString& note)
{
    present(note, QStringLiteral("info"), false);
    m_timer->start(8'000);
}

void MessageBar::present(const QString& text, const QString& icon, bool error)
{
    m_timer->stop();
    m_action->hide();
    m_do = nullptr;
    m_error = error;
    m_iconName = icon;
    m_text->setText(text);
    applyColors();
    show();
}

void MessageBar::applyColors()
{
    const bool dark = isDark(parentWidget() ? parentWidget()->palette() : palette());
    QPalette colors = parentWidget() ? parentWidget()->palette() : palette();
    colors.setColor(QPalette::Window, QColor(QLatin1String(m_error ? (dark ? "#5a2a12" : "#fde8dc") : (dark ? "#12384f" : "#e1f0fa"))));
    setPalette(colors);
    m_icon->setPixmap(lineIcon(m_iconName, colors).pixmap(20, 20));
    m_close->setIcon(lineIcon(QStringLiteral("close"), colors));
}

void MessageBar::changeEvent(QEvent* event)
{
    QFrame::changeEvent(event);
    if (event->type() == QEvent::ParentChange && isVisible()) applyColors();
}

}  // namespace fovea::studio
