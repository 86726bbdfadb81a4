// Pictures of the canvas and of the chart, as SVG, PDF or PNG by the file's ending.
#pragma once

#include "app/studio/look/theme.h"

#include <QSize>
#include <QStringList>



namespace fovea::studio {

class DrawingPainter;
class FieldChart;

// The whole drawing. Error(File | Usage | Limit); Usage where it is so large that as a PNG its text could not be read.
void writeDrawing(const DrawingPainter& drawing, const Colors& colors, const QString& path);
void writeChart(FieldChart& chart, const QSize& size, const QString& path);

QStringList pictureEndings();  // "svg", "pdf", "png"

}  // namespace fovea::studio
