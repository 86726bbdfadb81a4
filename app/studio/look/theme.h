// Colours and type of the studio, in a light and a dark variant.
#pragma once

#include <QColor>
#include <QFont>
#include <QIcon>
#include <QPalette>
#include <QString>

namespace fovea::studio {

enum class Theme { System, Light, Dark };

// Fusion with our own palette, so that both variants look the same on every desktop.
void applyTheme(Theme theme);
Theme themeFromText(const QString& text);  // "light", "dark", anything else: System
QString toText(Theme theme);
bool isDark(const QPalette& palette);

// Colours of drawn things (canvas, chart), which follow the widget's palette.
struct Colors {
    QColor page, box, boxBorder, compactBox, frame, frameBorder, text, dimText, wire, skipWire, accent, added, changed, grid;
};
Colors colorsFor(const QPalette& palette);

// A share in [0, 1] as a colour of cividis (Nunez et al. 2018), which colour-blind people read too.
QColor sequentialColor(double share);

// A line icon of resources/icons in the palette's text colour.
QIcon lineIcon(const QString& name, const QPalette& palette);

}  // namespace fovea::studio
