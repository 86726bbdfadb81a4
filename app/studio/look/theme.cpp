#include "app/studio/look/theme.h"

#include <QApplication>
#include <QFile>
#include <QPainter>
#include <QProxyStyle>
#include <QStyle>
#include <QStyleOption>
#include <QSvgRenderer>
#include <QToolTip>

#include <algorithm>
#include <iterator>

// The icons live in a static library, where nothing else would pull them in. Has to stand outside namespaces.
static void loadResources() { Q_INIT_RESOURCE(studio); }

namespace fovea::studio {

namespace {

QPalette paletteOf(bool dark)
{
    struct Entry {
        QPalette::ColorRole role;
        const char* light;
        const char* dark;
    };
    static constexpr Entry kEntries[] = {
        {QPalette::Window, "#f3f4f6", "#23262b"},        {QPalette::WindowText, "#1b1f24", "#e6e8eb"},
        {QPalette::Base, "#ffffff", "#1a1c20"},          {QPalette::AlternateBase, "#f3f4f6", "#23262b"},
        {QPalette::Text, "#1b1f24", "#e6e8eb"},          {QPalette::Button, "#f9fafb", "#2e3238"},
        {QPalette::ButtonText, "#1b1f24", "#e6e8eb"},    {QPalette::BrightText, "#ffffff", "#ffffff"},
        {QPalette::Highlight, "#1f6feb", "#3b82f6"},     {QPalette::HighlightedText, "#ffffff", "#ffffff"},
        {QPalette::ToolTipBase, "#ffffff", "#2e3238"},   {QPalette::ToolTipText, "#1b1f24", "#e6e8eb"},
        {QPalette::PlaceholderText, "#6b7280", "#9aa1ab"}, {QPalette::Link, "#0a5cc2", "#7db3ff"},
        {QPalette::Light, "#ffffff", "#3a3f46"},         {QPalette::Midlight, "#e5e7eb", "#33373d"},
        {QPalette::Mid, "#c4c9d0", "#454b53"},           {QPalette::Dark, "#9aa1ab", "#15171a"},
        {QPalette::Shadow, "#6b7280", "#000000"},
    };
    QPalette palette;
    for (const Entry& entry : kEntries) palette.setColor(entry.role, QColor(QLatin1String(dark ? entry.dark : entry.light)));
    const QColor disabled(QLatin1String(dark ? "#777d86" : "#9aa1ab"));
    for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText}) palette.setColor(QPalette::Disabled, role, disabled);
    palette.setColor(QPalette::Disabled, QPalette::Highlight, QColor(QLatin1String(dark ? "#454b53" : "#c4c9d0")));
    return palette;
}

bool systemIsDark()
{
    // Read once, before our own palette hides the desktop's.
    static const bool dark = isDark(QApplication::style()->standardPalette()) || isDark(QApplication::palette());
    return dark;
}

// Fusion outlines its check boxes darker than the window, which cannot be seen on a dark one: there they get a lighter
// ground, in dialogs, lists and menus alike.
class BoxStyle : public QProxyStyle {
public:
    BoxStyle() : QProxyStyle(QStringLiteral("Fusion")) {}

    void drawPrimitive(PrimitiveElement element, const QStyleOption* option, QPainter* painter,
                       const QWidget* widget) const override
    {
        const auto* box = qstyleoption_cast<const QStyleOptionButton*>(option);
        if (element != PE_IndicatorCheckBox || !box || !isDark(box->palette))
            return QProxyStyle::drawPrimitive(element, option, painter, widget);
        QStyleOptionButton lighter = *box;
        lighter.palette.setColor(QPalette::Base, QColor(0x50, 0x57, 0x61));
        QProxyStyle::drawPrimitive(element, &lighter, painter, widget);
    }
};

}  // namespace

bool isDark(const QPalette& palette) { return palette.color(QPalette::Window).lightness() < 128; }

void applyTheme(Theme theme)
{
    loadResources();
    const bool dark = theme == Theme::Dark || (systemIsDark() && theme == Theme::System);
    QApplication::setStyle(new BoxStyle);
    const QPalette palette = paletteOf(dark);
    QApplication::setPalette(palette);
    QToolTip::setPalette(palette);
}

Theme themeFromText(const QString& text)
{
    if (text == QLatin1String("light")) return Theme::Light;
    return text == QLatin1String("dark") ? Theme::Dark : Theme::System;
}

QString toText(Theme theme)
{
    if (theme == Theme::Light) return QStringLiteral("light");
    return theme == Theme::Dark ? QStringLiteral("dark") : QStringLiteral("system");
}

Colors colorsFor(const QPalette& palette)
{
    const auto c = [](const char* name) { return QColor(QLatin1String(name)); };
    if (isDark(palette))
        return {c("#1a1c20"), c("#2b2f35"), c("#4a515a"), c("#24272c"), c("#202328"), c("#3c424a"), c("#e6e8eb"),
                c("#a7aeb8"), c("#737b86"), c("#5b8fd1"), c("#3b82f6"), c("#3fb950"), c("#d2a8ff"), c("#33373d")};
    return {c("#fbfbfc"), c("#ffffff"), c("#bcc2ca"), c("#f3f4f6"), c("#f5f6f8"), c("#d5d9df"), c("#1b1f24"),
            c("#59616c"), c("#8a929d"), c("#4f81bd"), c("#1f6feb"), c("#1a7f37"), c("#8250df"), c("#e2e5e9")};
}

QColor sequentialColor(double share)
{
    static constexpr int kSteps[][3] = {{0, 34, 78},     {35, 62, 108},   {87, 93, 109},
                                        {124, 123, 120}, {165, 156, 116}, {209, 193, 97}, {254, 232, 56}};
    constexpr int kLast = static_cast<int>(std::size(kSteps)) - 1;
    const double at = std::clamp(share, 0.0, 1.0) * kLast;
    const int low = std::min(static_cast<int>(at), kLast - 1);
    const auto mix = [&](int channel) {
        return static_cast<int>(kSteps[low][channel] + (at - low) * (kSteps[low + 1][channel] - kSteps[low][channel]));
    };
    return {mix(0), mix(1), mix(2)};
}

QIcon lineIcon(const QString& name, const QPalette& palette)
{
    QFile file(QStringLiteral(":/icons/%1.svg").arg(name));
    if (!file.open(QIODevice::ReadOnly)) return {};
    const QByteArray source = file.readAll();
    QIcon icon;
    const auto addMode = [&](QIcon::Mode mode, const QColor& color) {
        QByteArray svg = source;
        svg.replace("currentColor", color.name().toLatin1());
        QSvgRenderer renderer(svg);
        for (const int size : {16, 20, 24, 32, 48}) {
            QPixmap pixmap(size, size);
            pixmap.fill(Qt::transparent);
            QPainter painter(&pixmap);
            renderer.render(&painter);
            painter.end();
            icon.addPixmap(pixmap, mode);
        }
    };
    addMode(QIcon::Normal, palette.color(QPalette::Active, QPalette::ButtonText));
    addMode(QIcon::Disabled, palette.color(QPalette::Disabled, QPalette::ButtonText));
    return icon;
}

}  // namespace fovea::studio
