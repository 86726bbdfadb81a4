// What the canvas draws: boxes, folds, places and wires.
#include "app/studio/canvas/drawing.h"
#include "app/studio/canvas/layout.h"
#include "core/ops/registry.h"
#include "core/zoo/zoo.h"
#include "tests/support/text_graph.h"

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
};

}  // namespace fovea::studio

QTEST_GUILESS_MAIN(fovea::studio::CanvasTest)
#include "canvas_test.moc"
