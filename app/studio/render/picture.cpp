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
// What a PNG may have: Qt paints images of up to 32,767 pixels a side, and these take 400 MB while they are painted.
constexpr qreal kLongestEdge = 30'000, kMostPixels = 100e6;
// The small text of a box is 10 pixels high; below 7 it cannot be read.
constexpr qreal kLeastScale = 0.7;
constexpr qreal kLongestPage = 14'400;  // points: what PDF viewers take (PDF 32000-1, annex C)

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

// A page may be smaller than the picture: what is drawn stays sharp when it is enlarged.
QByteArray pdf(const QSize& size, const Draw& draw)
{
    const QSizeF points = QSizeF(size) * 72.0 / 96.0;
    const qreal scale = std::min<qreal>(1, kLongestPage / std::max(points.width(), points.height()));
    QByteArray out;
    QBuffer buffer(&out);
    buffer.open(QIODevice::WriteOnly);
    QPdfWriter writer(&buffer);
    writer.setResolution(96);
    writer.setPageMargins(QMarginsF());
    writer.setPageSize(QPageSize(points * scale, QPageSize::Point, QString(), QPageSize::ExactMatch));
    QPainter painter(&writer);
    painter.scale(scale, scale);
    draw(painter);
    if (painter.isActive()) painter.end();
    return out;
}

// Twice its size, for screens of many pixels, or as large as a PNG can be. Error(Usage) where its text could not be read.
QByteArray png(const QSize& size, const QColor& background, const Draw& draw)
{
    const qreal longest = std::max(size.width(), size.height()), pixels = qreal(size.width()) * size.height();
    const qreal scale = std::min({qreal(2), kLongestEdge / longest, std::sqrt(kMostPixels / pixels)});
    if (scale < kLeastScale)
        throw Error(ErrorCode::Usage, "The picture is " + std::to_string(size.width()) + " x " + std::to_string(size.height()) +
                                          " px; as a PNG it would be so small that its text cannot be read: write it as .svg or .pdf, which have any size.");
    QImage image((QSizeF(size) * scale).toSize().expandedTo({1, 1}), QImage::Format_RGB32);
    if (image.isNull()) throw Error(ErrorCode::Limit, "There is not enough memory for a PNG of this size: write the picture as .svg or .pdf.");
    image.setDevicePixelRatio(scale);
    image.fill(background);
    QPainter painter(&image);
    draw(painter);
    if (painter.isActive()) painter.end();
    QByteArray out;
    QBuffer buffer(&out);
    if (!image.save(&buffer, "PNG")) throw Error(ErrorCode::Limit, "The picture could not be made a PNG: write it as .svg or .pdf.");
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
