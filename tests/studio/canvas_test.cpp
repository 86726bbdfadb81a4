// What the canvas draws: boxes, folds, places and wires.
#include "app/studio/canvas/drawing.h"
#include "app/studio/canvas/drawing_painter.h"
#include "app/studio/canvas/layout.h"
#include "app/studio/look/theme.h"
#include "app/studio/render/picture.h"
#include "core/analysis/report.h"
#include "core/base/error.h"
#include "core/ops/registry.h"
#include "core/zoo/zoo.h"
#include "tests/support/text_graph.h"

#include <QImage>
#include <QTemporaryDir>
#include <QTest>

#include <algorithm>

namespace fovea::studio {

namespace {

Graph residual()
{
    return test::graphOf("input 3x32x32 > conv2d:stem k=3 p=1 c=8 > conv2d:a k=3 p=1 c=8 group=stage.block > relu:r group=stage.block"
                         " > conv2d:b k=3 p=1 c=8 group=stage.block > add @stem group=stage");
}

int boxOf(const Drawing& drawing, const Graph& graph, const char* layer) { return drawing.boxOf(test::layer(graph, layer).id); }

bool overlap(const Drawing& drawing)
{
    for (std::size_t i = 0; i < drawing.boxes.size(); ++i)
        for (std::size_t k = i + 1; k < drawing.boxes.size(); ++k)
            if (drawing.boxes[i].rect.intersects(drawing.boxes[k].rect)) return true;
    return false;
}

bool flowsDown(const Drawing& drawing)
{
    return std::all_of(drawing.wires.begin(), drawing.wires.end(), [&](const Wire& wire) {
        return drawing.boxes[static_cast<std::size_t>(wire.from)].rect.bottom() <= drawing.boxes[static_cast<std::size_t>(wire.to)].rect.top();
    });
}

// A chain of so many layers, as it is drawn.
DrawingPainter painterOfChain(int layers)
{
    Graph graph;
    NodeId last = graph.add(makeNode("Input"));
    for (int i = 1; i < layers; ++i) last = graph.add(makeNode("Conv2d", "conv" + std::to_string(i), {Port{last, 0}}));
    auto drawing = std::make_shared<Drawing>(describe(graph, {}));
    layOutInRanks(*drawing);
    routeWires(*drawing);
    for (const Box& box : drawing->boxes) drawing->bounds |= box.rect;
    DrawingPainter out;
    out.setColors(colorsFor(QPalette()));
    const auto shared = std::make_shared<const Graph>(graph);
    out.setContent(drawing, shared, std::make_shared<const Report>(analyze(*shared)));
    return out;
}

// Whether anything is drawn in the part of the picture's height from `from` to `to`.
bool hasInk(const QImage& image, double from, double to)
{
    const QRgb page = image.pixel(0, 0);
    for (int y = static_cast<int>(from * image.height()); y < static_cast<int>(to * image.height()); ++y)
        for (int x = 0; x < image.width(); ++x)
            if (image.pixel(x, y) != page) return true;
    return false;
}

}  // namespace

class CanvasTest : public QObject {
    Q_OBJECT
private slots:
    void everyLayerIsABoxAndEveryConnectionAWire()
    {
        const Drawing drawing = describe(residual(), {});
        QCOMPARE(drawing.boxes.size(), std::size_t{6});
        QCOMPARE(drawing.wires.size(), std::size_t{6});
        QCOMPARE(drawing.frames.size(), std::size_t{2});
        QCOMPARE(drawing.frames[1].path, QStringLiteral("stage.block"));
        QCOMPARE(drawing.frames[1].parent, 0);
        QCOMPARE(drawing.frames[0].members, 4);
    }

    void aFoldedGroupIsOneBoxThatStandsForItsLayers()
    {
        const Graph graph = residual();
        const Drawing drawing = describe(graph, {QStringLiteral("stage.block")});
        QCOMPARE(drawing.boxes.size(), std::size_t{4});
        QCOMPARE(drawing.wires.size(), std::size_t{4});  // input-stem, stem-block, block-add, stem-add
        QCOMPARE(boxOf(drawing, graph, "a"), boxOf(drawing, graph, "b"));
        const Box& box = drawing.boxes[static_cast<std::size_t>(boxOf(drawing, graph, "a"))];
        QCOMPARE(box.type, BoxType::Group);
        QCOMPARE(box.members.size(), std::size_t{3});
    }

    void bothLayoutsPutReadersBelowAndNothingOnTopOfOneAnother()
    {
        for (const auto lay : {+[](Drawing& d) { QVERIFY(layOutWithGraphviz(d)); }, +[](Drawing& d) { layOutInRanks(d); }}) {
            Drawing drawing = describe(residual(), {});
            lay(drawing);
            QVERIFY(!overlap(drawing));
            QVERIFY(flowsDown(drawing));
        }
    }

    void framesHoldTheirBoxes()
    {
        Drawing drawing = describe(buildZoo("resnet18"), {});
        layOut(drawing);
        QVERIFY(!overlap(drawing));
        for (const Box& box : drawing.boxes)
            if (box.frame >= 0) QVERIFY(drawing.frames[static_cast<std::size_t>(box.frame)].rect.contains(box.rect));
        for (const Frame& frame : drawing.frames)
            if (frame.parent >= 0) QVERIFY(drawing.frames[static_cast<std::size_t>(frame.parent)].rect.contains(frame.rect));
    }

    void skipWiresAreLedAroundTheBoxesBetween()
    {
        Drawing drawing = describe(buildZoo("resnet18"), {});
        layOut(drawing);
        int routed = 0;
        for (const Wire& wire : drawing.wires) {
            routed += wire.routed ? 1 : 0;
            for (std::size_t i = 0; i < drawing.boxes.size(); ++i) {
                if (static_cast<int>(i) == wire.from || static_cast<int>(i) == wire.to) continue;
                for (std::size_t k = 0; k + 1 < wire.knots.size(); ++k) {
                    const QPointF middle = (wire.knots[k] + wire.knots[k + 1]) / 2;
                    QVERIFY2(!drawing.boxes[i].rect.contains(middle), "a wire runs through a box");
                }
            }
        }
        QVERIFY(routed >= 5);  // the identity skips at least
    }

    void aLargeNetworkStartsFoldedAndASmallOneDoesNot()
    {
        QVERIFY(initialFolds(residual(), 130).isEmpty());
        const Graph large = buildZoo("resnet50");
        const auto folded = initialFolds(large, 60);
        QVERIFY(!folded.isEmpty());
        const Drawing drawing = describe(large, folded);
        QVERIFY(drawing.boxes.size() <= 60);
        QCOMPARE(drawing.index.size(), large.nodes().size());
    }

    void aChainOfManyThousandLayersIsLaidOutWithoutGraphviz()
    {
        Graph graph;
        NodeId last = graph.add(makeNode("Input"));
        for (int i = 1; i < 5'000; ++i) last = graph.add(makeNode(i % 2 ? "ReLU" : "Conv2d", std::to_string(i), {Port{last, 0}}));
        Drawing drawing = describe(graph, {});
        layOut(drawing);
        QCOMPARE(drawing.boxes.size(), std::size_t{5'000});
        QVERIFY(flowsDown(drawing));
    }

    void aTallPictureIsWrittenWholeAtASmallerScale()
    {
        const QTemporaryDir folder;
        const QString path = folder.filePath(QStringLiteral("tall.png"));
        // 450 layers of 84 px are 37,800 px.
        writeDrawing(painterOfChain(450), colorsFor(QPalette()), path);
        const QImage image(path);
        QVERIFY(image.height() > 25'000 && image.height() <= 30'000);
        QVERIFY(image.width() > 150);
        QVERIFY(hasInk(image, 0, 0.005));
        QVERIFY(hasInk(image, 0.5, 0.505));
        QVERIFY(hasInk(image, 0.995, 1));
    }

    void aPictureWhoseTextCouldNotBeReadIsRefusedAndOthersAreOffered()
    {
        const QTemporaryDir folder;
        const DrawingPainter huge = painterOfChain(1'000);
        const QString path = folder.filePath(QStringLiteral("huge.png"));
        try {
            writeDrawing(huge, colorsFor(QPalette()), path);
            QFAIL("it was written");
        } catch (const Error& error) {
            QCOMPARE(error.code(), ErrorCode::Usage);
            QVERIFY2(QString::fromUtf8(error.what()).endsWith(QStringLiteral("its text cannot be read: write it as .svg or .pdf, which have any size.")), error.what());
        }
        QVERIFY(!QFile::exists(path));
        for (const QString& ending : {QStringLiteral("huge.svg"), QStringLiteral("huge.pdf")}) {
            writeDrawing(huge, colorsFor(QPalette()), folder.filePath(ending));
            QVERIFY(QFile(folder.filePath(ending)).size() > 100'000);
        }
    }

    void aNameThatWouldBreakALineIsShownAsEscapes()
    {
        Graph graph = residual();
        graph.rename(test::layer(graph, "a").id, "two\nlines");
        auto drawing = std::make_shared<Drawing>(describe(graph, {}));
        layOut(*drawing);
        DrawingPainter painter;
        const auto shared = std::make_shared<const Graph>(graph);
        painter.setContent(drawing, shared, std::make_shared<const Report>(analyze(*shared)));
        QVERIFY(painter.toolTip(boxOf(*drawing, graph, "two\nlines")).contains(QStringLiteral("two\\nlines")));
    }
};

}  // namespace fovea::studio

QTEST_MAIN(fovea::studio::CanvasTest)
#include "canvas_test.moc"
