// What the canvas draws: boxes, folds, places and wires.
#include "app/studio/canvas/drawing.h"
#include "app/studio/canvas/layout.h"
#include "core/ops/registry.h"
#include "core/zoo/zoo.h"

#include <QTest>

#include <algorithm>

namespace fovea::studio {

namespace {

NodeId add(Graph& graph, const char* kind, std::vector<NodeId> from, const char* group = "")
{
    std::vector<Port> ports;
    for (const NodeId id : from) ports.push_back({id, 0});
    Node node = makeNode(kind, {}, std::move(ports));
    node.group = group;
    return graph.add(std::move(node));
}

// input > conv > [block: conv > relu > conv] + skip > add
Graph residual()
{
    Graph graph;
    const NodeId input = add(graph, "Input", {});
    const NodeId stem = add(graph, "Conv2d", {input});
    const NodeId a = add(graph, "Conv2d", {stem}, "stage.block");
    const NodeId relu = add(graph, "ReLU", {a}, "stage.block");
    const NodeId b = add(graph, "Conv2d", {relu}, "stage.block");
    add(graph, "Add", {b, stem}, "stage");
    return graph;
}

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
        const Drawing drawing = describe(residual(), {QStringLiteral("stage.block")});
        QCOMPARE(drawing.boxes.size(), std::size_t{4});
        QCOMPARE(drawing.wires.size(), std::size_t{4});  // input-stem, stem-block, block-add, stem-add
        QCOMPARE(drawing.boxOf(3), drawing.boxOf(5));
        const Box& box = drawing.boxes[static_cast<std::size_t>(drawing.boxOf(3))];
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
        NodeId last = add(graph, "Input", {});
        for (int i = 0; i < 9'999; ++i) last = add(graph, i % 2 ? "ReLU" : "Conv2d", {last});
        Drawing drawing = describe(graph, {});
        layOut(drawing);
        QCOMPARE(drawing.boxes.size(), std::size_t{10'000});
        QVERIFY(flowsDown(drawing));
    }
};

}  // namespace fovea::studio

QTEST_GUILESS_MAIN(fovea::studio::CanvasTest)
#include "canvas_test.moc"
