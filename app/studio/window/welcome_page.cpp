#include "app/studio/window/welcome_page.h"

#include "app/studio/window/recent_files.h"
#include "core/zoo/zoo.h"

#include <QFileInfo>
#include <QLabel>
#include <QPushButton>
#include <QVBoxLayout>

namespace fovea::studio {

WelcomePage::WelcomePage(QWidget* parent) : QWidget(parent)
{
    setObjectName(QStringLiteral("welcome"));
    setAutoFillBackground(true);
    setBackgroundRole(QPalette::Base);
    auto* logo = new QLabel;
    logo->setPixmap(QIcon(QStringLiteral(":/icons/fovea.svg")).pixmap(64, 64));
    auto* title = new QLabel(tr("See which layers of a network help at your image size"));
    QFont font = title->font();
    font.setPointSizeF(font.pointSizeF() * 1.4);
    title->setFont(font);
    title->setWordWrap(true);
    title->setAlignment(Qt::AlignCenter);
    auto* hint = new QLabel(tr("Drop an .onnx or .fovea file anywhere on this window, or begin here:"));
    hint->setWordWrap(true);
    hint->setAlignment(Qt::AlignCenter);
    auto* open = new QPushButton(tr("Open a network\u2026"));
    open->setObjectName(QStringLiteral("welcomeOpen"));
    auto* example = new QPushButton(tr("Open the built-in example"));
    example->setObjectName(QStringLiteral("welcomeExample"));

    auto* column = new QVBoxLayout;
    column->setSpacing(10);
    column->addWidget(logo, 0, Qt::AlignHCenter);
    column->addWidget(title);
    column->addWidget(hint);
    column->addWidget(open, 0, Qt::AlignHCenter);
    column->addWidget(example, 0, Qt::AlignHCenter);
    for (const QString& path : recentFiles().mid(0, 5)) {
        auto* link = new QPushButton(QFileInfo(path).fileName());
        link->setFlat(true);
        link->setToolTip(path);
        column->addWidget(link, 0, Qt::AlignHCenter);
        connect(link, &QPushButton::clicked, this, [this, path] { emit modelRequested(path); });
    }
    auto* layout = new QVBoxLayout(this);
    layout->addStretch();
    layout->addLayout(column);
    layout->addStretch();
    connect(open, &QPushButton::clicked, this, &WelcomePage::openRequested);
    connect(example, &QPushButton::clicked, this, [this] { emit modelRequested(QStringLiteral("zoo:") + QLatin1String(kExampleSpec)); });
}

}  // namespace fovea::studio
