#include "app/studio/look/verdict_look.h"

#include <QCoreApplication>
#include <QPainter>
#include <QPainterPath>
#include <QPixmap>

namespace fovea::studio {

QColor verdictColor(Verdict verdict)
{
    switch (verdict) {
    case Verdict::Productive: return {0x00, 0x72, 0xB2};
    case Verdict::Partial: return {0x56, 0xB4, 0xE9};
    case Verdict::Critical: return {0xE6, 0x9F, 0x00};
    case Verdict::Unproductive: return {0xD5, 0x5E, 0x00};
    case Verdict::Unknown: return {0x80, 0x70, 0x90};
    case Verdict::NotApplicable: break;
    }
    return {0xA8, 0xAE, 0xB6};
}

QString verdictWord(Verdict verdict)
{
    const auto tr = [](const char* text) { return QCoreApplication::translate("Verdict", text); };
    switch (verdict) {
    case Verdict::Productive: return tr("productive");
    case Verdict::Partial: return tr("partial");
    case Verdict::Critical: return tr("critical");
    case Verdict::Unproductive: return tr("unproductive");
    case Verdict::Unknown: return tr("unknown");
    case Verdict::NotApplicable: break;
    }
    return tr("not judged");
}

int verdictRank(Verdict verdict)
{
    switch (verdict) {
    case Verdict::Unproductive: return 0;
    case Verdict::Partial: return 1;
    case Verdict::Critical: return 2;
    case Verdict::Unknown: return 3;
    case Verdict::Productive: return 4;
    case Verdict::NotApplicable: break;
    }
    return 5;
}

void drawVerdictSign(QPainter& painter, const QRectF& area, Verdict verdict)
{
    const QColor color = verdictColor(verdict);
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(color);
    const qreal line = area.width() * 0.2;
    const QRectF inner = area.adjusted(line / 2, line / 2, -line / 2, -line / 2);
    switch (verdict) {
    case Verdict::Productive: painter.drawEllipse(area); break;
    case Verdict::Partial:
        painter.drawPie(inner, 90 * 16, 180 * 16);
        painter.setBrush(Qt::NoBrush);
        painter.setPen(QPen(color, line * 0.7));
        painter.drawEllipse(inner);
        break;
    case Verdict::Critical: {
        QPainterPath path;
        path.moveTo(area.center().x(), area.top());
        path.lineTo(area.bottomRight());
        path.lineTo(area.bottomLeft());
        path.closeSubpath();
        painter.drawPath(path);
        break;
    }
    case Verdict::Unproductive:
        painter.setPen(QPen(color, line * 1.2, Qt::SolidLine, Qt::RoundCap));
        painter.drawLine(inner.topLeft(), inner.bottomRight());
        painter.drawLine(inner.topRight(), inner.bottomLeft());
        break;
    case Verdict::Unknown:
        painter.setBrush(Qt::NoBrush);
        painter.setPen(QPen(color, line * 0.8, Qt::DotLine));
        painter.drawEllipse(inner);
        break;
    case Verdict::NotApplicable: break;
    }
    painter.restore();
}

void fillVerdict(QPainter& painter, const QRectF& area, Verdict verdict)
{
    painter.fillRect(area, verdictColor(verdict));
    if (verdict == Verdict::Unproductive || verdict == Verdict::Partial)
        painter.fillRect(area, QBrush(QColor(255, 255, 255, 150), Qt::BDiagPattern));
}

QPixmap verdictPixmap(Verdict verdict, int size)
{
    QPixmap pixmap(size, size);
    pixmap.fill(Qt::transparent);
    QPainter painter(&pixmap);
    drawVerdictSign(painter, QRectF(1, 1, size - 2, size - 2), verdict);
    return pixmap;
}

QIcon verdictIcon(Verdict verdict)
{
    QIcon icon;
    for (const int size : {12, 16, 24, 32}) icon.addPixmap(verdictPixmap(verdict, size));
    return icon;
}

}  // namespace fovea::studio
