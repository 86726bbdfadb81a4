// How a verdict looks: a colour that holds for colour-blind people, and always a sign as second channel.
#pragma once

#include "core/analysis/report.h"

#include <QColor>
#include <QIcon>
#include <QRectF>
#include <QString>

class QPainter;

namespace fovea::studio {

QColor verdictColor(Verdict verdict);
QString verdictWord(Verdict verdict);  // translated
// Worst first for a group of layers: unproductive, partial, critical, unknown, productive, not judged.
int verdictRank(Verdict verdict);

// A disc (productive), a half disc (partial), a triangle (critical), a cross (unproductive), a ring (unknown).
// Nothing for layers that are not judged.
void drawVerdictSign(QPainter& painter, const QRectF& area, Verdict verdict);
// A filled bar, hatched where the layer is unproductive or partial.
void fillVerdict(QPainter& painter, const QRectF& area, Verdict verdict);
QIcon verdictIcon(Verdict verdict);
QPixmap verdictPixmap(Verdict verdict, int size);

}  // namespace fovea::studio
