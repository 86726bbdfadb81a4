#include "app/studio/render/render.h"

#include "app/studio/canvas/layout.h"
#include "app/studio/canvas/drawing_painter.h"
#include "app/studio/charts/field_chart.h"
#include "app/studio/document/stage.h"
#include "app/studio/render/picture.h"
#include "core/io/model/model.h"

#include <QApplication>
#include <QFileInfo>

#include <algorithm>

namespace fovea::studio {

namespace {

void refuseToOverwriteInput(const RenderRequest& request)
{
    const QFileInfo in(request.model), out(request.out);
    if (in.exists() && out.exists() && in.canonicalFilePath() == out.canonicalFilePath())
        throw Error(ErrorCode::Usage, "The picture would overwrite the model '" + request.model.toStdString() + "'; give another name after -o.");
}

void renderGraph(const Stage& stage, const QString& out)
{
    // Nothing is folded: a figure shows everything.
    auto drawing = std::make_shared<Drawing>(describe(*stage.graph(), {}));
    layOut(*drawing);
    DrawingPainter painting;
    const Colors colors = colorsFor(QApplication::palette());
    painting.setColors(colors);
    painting.setContent(std::move(drawing), stage.graph(), stage.report());
    writeDrawing(painting, colors, out);
}

void renderChart(Stage& stage, const QString& out)
{
    FieldChart chart(stage);
    const int bars = static_cast<int>(std::count_if(stage.report()->layers.begin(), stage.report()->layers.end(), [](const LayerReport& l) { return l.window; }));
    const QSize size(std::clamp(120 + 26 * bars, 900, 4'000), 480);
    chart.resize(size);
    writeChart(chart, size, out);
}

}  // namespace

void renderPicture(const RenderRequest& request)
{
    if (request.view != QLatin1String("graph") && request.view != QLatin1String("chart"))
        throw Error(ErrorCode::Usage, "--view takes 'graph' or 'chart', not '" + request.view.toStdString() + "'.");
    if (!pictureEndings().contains(QFileInfo(request.out).suffix().toLower()))
        throw Error(ErrorCode::Usage, "A picture is written as .svg, .pdf or .png, not as '" + request.out.toStdString() + "'.");
    refuseToOverwriteInput(request);
    Model model = openModel(request.model.toStdString());
    if (request.side) model.graph = withSide(model.graph, request.side->h, request.side->w);
    Document document;
    Stage stage(document);
    document.adopt(std::move(model), request.model);
    if (request.view == QLatin1String("graph"))
        renderGraph(stage, request.out);
    else
        renderChart(stage, request.out);
}

}  // namespace fovea::studio
