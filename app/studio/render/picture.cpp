#include "app/studio/render/picture.h"

#include "app/studio/canvas/drawing_painter.h"
#include "app/studio/charts/field_chart.h"
#include "core/base/error.h"
#include "core/base/files.h"

#include <QBuffer>
#include <QFileInfo>
#include <QImage>
#include <QPainter>
#include <QPdfWriter>
#include <QSvgGenerator>

#include <algorithm>
#include <cmath>
#include <functional>

namespace fovea::studio {

namespace {

constexpr int kMargin = 24;
constexpr qreal kMostPixels = 12'000;  // a PNG's longer edge

// `draw` paints on the device at `size` pixels; it may end the painter.
using Draw = std::function<void(QPainter&)>;

QByteArray svg(const QSize& size, const Draw& draw)
{
    QByteArray out;
    QBuffer buffer(&out);
    QSvgGenerator generator;
    generator.setOutputDevice(&buffer);
    generator.setSize(size);
    generator.setViewBox(QRect(QPoint(0, 0), size));
    generator.setResolution(96);
    QPainter painter(&generator);
    draw(painter);
    if (painter.isActive()) painter.end();
    return out;
}

QByteArray pdf(const QSize& size, const Draw& draw)
{
    QByteArray out;
    QBuffer buffer(&out);
    buffer.open(QIODevice::WriteOnly);
    QPdfWriter writer(&buffer);
    writer.setResolution(96);
    writer.setPageMargins(QMarginsF());
    writer.setPageSize(QPageSize(QSizeF(size) * 72.0 / 96.0, QPageSize::Point, QString(), QPageSize::ExactMatch));
    QPainter painter(&writer);
    draw(painter);
    if (painter.isActive()) painter.end();
    return out;
}

QByteArray png(const QSize& size, const QColor& background, const Draw& draw)
{
    const qreal scale = std::min<qreal>(2, kMostPixels / std::max(size.width(), size.height()));
    QImage image((QSizeF(size) * scale).toSize().expandedTo({1, 1}), QImage::Format_RGB32);
    image.setDevicePixelRatio(scale);
    image.fill(background);
    QPainter painter(&image);
    draw(painter);
    if (painter.isActive()) painter.end();
    QByteArray out;
    QBuffer buffer(&out);
    image.save(&buffer, "PNG");
    return out;
}

void write(const QString& path, const QSize& size, const QColor& background, const Draw& draw)
{
    const QString ending = QFileInfo(path).suffix().toLower();
    QByteArray bytes;
    if (ending == QLatin1String("svg"))
        bytes = svg(size, draw);
    else if (ending == QLatin1String("pdf"))
        bytes = pdf(size, draw);
    else if (ending == QLatin1String("png"))
        bytes = png(size, background, draw);
    else
        throw Error(ErrorCode::Usage, "A picture is written as .svg, .pdf or .png, not as '" + path.toStdString() + "'.");
    writeAtomically(path.toStdString(), std::string_view(bytes.constData(), static_cast<std::size_t>(bytes.size())));
}

}  // namespace

QStringList pictureEndings() { return {QStringLiteral("svg"), QStringLiteral("pdf"), QStringLiteral("png")}; }

void writeDrawing(const DrawingPainter& drawing, const Colors& colors, const QString& path)
{
    const QRectF bounds = drawing.drawing() ? drawing.drawing()->bounds : QRectF(0, 0, 100, 100);
    const QSize size(static_cast<int>(std::ceil(bounds.width())) + 2 * kMargin, static_cast<int>(std::ceil(bounds.height())) + 2 * kMargin);
    write(path, size, colors.page, [&](QPainter& painter) {
        painter.fillRect(QRect(QPoint(0, 0), size), colors.page);
        painter.translate(kMargin - bounds.left(), kMargin - bounds.top());
        drawing.paint(painter, bounds, 1);
    });
}

void writeChart(FieldChart& chart, const QSize& size, const QString& path)
{
    write(path, size, chart.palette().color(QPalette::Base), [&](QPainter& painter) { chart.draw(painter, size); });
}

}  // namespace fovea::studio
