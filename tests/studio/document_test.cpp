// The document: one write path, one undo command.
#include "app/studio/document/document.h"
#include "core/ops/registry.h"
#include "tests/support/text_graph.h"

#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <QUndoStack>

namespace fovea::studio {

namespace {

Graph chain() { return test::graphOf("input 3x32x32 > conv2d:stem k=7 s=2 p=3 c=8 > relu:relu > conv2d:a k=3 p=1 c=8 > conv2d:b k=3 p=1 c=8"); }

void setStride(Document& document, const char* layer, std::int64_t stride, const QString& key = {})
{
    document.edit(QStringLiteral("stride"), key, [&](Graph& graph) {
        graph.update(graph.findByName(layer)->id, [&](Node& node) { node.attrs.set("stride", Ints{stride, stride}); });
    });
}

std::int64_t strideOf(const Document& document, const char* layer) { return attrAt(*document.graph()->findByName(layer), "stride", 0, 0); }

std::int64_t largestField(const Document& document, const char* layer)
{
    return document.report()->find(document.graph()->findByName(layer)->id)->field.h.rfMax;
}

}  // namespace

class DocumentTest : public QObject {
    Q_OBJECT
private slots:
    void otherWeightsComeAndGoWithTheirGraphAsOneUndoStep()
    {
        Document document;
        document.adopt(Model{chain(), {}, nullptr}, QStringLiteral("chain"));
        auto weights = std::make_shared<Weights>();
        weights->set("a.weight", Tensor::fromFloats({1}, {2}));
        auto graph = std::make_shared<Graph>(*document.graph());
        graph->update(graph->findByName("a")->id, [](Node& node) { node.attrs.set("stride", Ints{2, 2}); });
        document.replace(QStringLiteral("trained"), {graph, weights});
        QCOMPARE(document.undoStack()->count(), 1);
        QCOMPARE(strideOf(document, "a"), 2);
        QVERIFY(document.network().weights->find("a.weight"));
        QVERIFY(document.isModified());
        document.undoStack()->undo();
        QCOMPARE(strideOf(document, "a"), 1);
        QVERIFY(document.network().weights->empty());
        document.undoStack()->redo();
        QVERIFY(document.network().weights->find("a.weight"));
        QCOMPARE(document.original().weights->empty(), true);
    }

    void otherWeightsAloneAreAStepToo()
    {
        Document document;
        document.adopt(Model{chain(), {}, nullptr}, QStringLiteral("chain"));
        setStride(document, "stem", 1, QStringLiteral("stem"));
        auto weights = std::make_shared<Weights>();
        weights->set("a.weight", Tensor::fromFloats({1}, {2}));
        document.replace(QStringLiteral("trained"), {document.graph(), weights});
        QCOMPARE(document.undoStack()->count(), 2);
        document.undoStack()->undo();
        QVERIFY(document.network().weights->empty());
        QCOMPARE(strideOf(document, "stem"), 1);
    }

    void init()
    {
        m_document = std::make_unique<Document>();
        m_document->adopt(Model{chain(), {}, nullptr}, QStringLiteral("chain"));
    }

    void anEditIsAnalysedAndToldToTheViews()
    {
        QSignalSpy changed(m_document.get(), &Document::changed);
        QCOMPARE(largestField(*m_document, "b"), 15);  // 7 + 2*2 + 2*2
        setStride(*m_document, "stem", 1);
        QCOMPARE(largestField(*m_document, "b"), 11);  // 7 + 2 + 2
        QCOMPARE(changed.count(), 1);
        const auto change = changed.front().front().value<Change>();
        QVERIFY(!change.reset);
        QCOMPARE(change.diff.changed.size(), std::size_t{1});
        QVERIFY(m_document->isModified());
    }

    void undoAndRedoBringTheNetworkAndItsReportBack()
    {
        setStride(*m_document, "stem", 4);
        m_document->undoStack()->undo();
        QCOMPARE(strideOf(*m_document, "stem"), 2);
        QCOMPARE(largestField(*m_document, "b"), 15);
        QVERIFY(!m_document->isModified());
        m_document->undoStack()->redo();
        QCOMPARE(strideOf(*m_document, "stem"), 4);
        QCOMPARE(largestField(*m_document, "b"), 23);  // 7 + 2*4 + 2*4
    }

    void editsOfOneGestureAreOneUndoStep()
    {
        for (const std::int64_t side : {33, 40, 64, 96}) m_document->setSide(side, side, QStringLiteral("drag#1"));
        QCOMPARE(m_document->undoStack()->count(), 1);
        QCOMPARE(m_document->report()->side.h, 96);
        m_document->undoStack()->undo();
        QCOMPARE(m_document->report()->side.h, 32);
    }

    void anotherGestureIsAnotherStep()
    {
        m_document->setSide(64, 64, QStringLiteral("drag#1"));
        m_document->setSide(96, 96, QStringLiteral("drag#2"));
        QCOMPARE(m_document->undoStack()->count(), 2);
    }

    void aGestureThatEndsWhereItBeganLeavesNoStep()
    {
        m_document->setSide(64, 64, QStringLiteral("drag#1"));
        m_document->setSide(32, 32, QStringLiteral("drag#1"));
        QCOMPARE(m_document->undoStack()->count(), 0);
        QVERIFY(!m_document->isModified());
    }

    void anEditThatChangesNothingIsDropped()
    {
        QSignalSpy changed(m_document.get(), &Document::changed);
        setStride(*m_document, "stem", 2);
        QCOMPARE(m_document->undoStack()->count(), 0);
        QCOMPARE(changed.count(), 0);
    }

    void anExceptionLeavesTheDocumentUntouched()
    {
        const GraphPtr before = m_document->graph();
        QVERIFY_EXCEPTION_THROWN(m_document->edit(QStringLiteral("broken"), {},
                                                  [](Graph& graph) {
                                                      graph.remove(graph.findByName("relu")->id);
                                                      throw Error(ErrorCode::Usage, "no");
                                                  }),
                                 Error);
        QCOMPARE(m_document->graph(), before);
        QCOMPARE(m_document->undoStack()->count(), 0);
        QVERIFY_EXCEPTION_THROWN(m_document->setSide(0, 0, {}), Error);
        QCOMPARE(m_document->graph(), before);
    }

    void aSavedDocumentOpensAgainAsItWas()
    {
        QTemporaryDir folder;
        const QString path = folder.filePath(QStringLiteral("chain.fovea"));
        setStride(*m_document, "a", 2);
        QSignalSpy saved(m_document.get(), &Document::saved);
        m_document->saveTo(path);
        QVERIFY(saved.wait(20'000));
        QVERIFY(!m_document->isModified());
        QCOMPARE(m_document->path(), path);

        Document other;
        QSignalSpy opened(&other, &Document::opened);
        other.open(path);
        QVERIFY(opened.wait(20'000));
        QVERIFY(diff(*m_document->graph(), *other.graph()).empty());
        QCOMPARE(strideOf(other, "a"), 2);
    }

    void aFileThatCannotBeOpenedIsReportedAndTheNetworkStays()
    {
        const GraphPtr before = m_document->graph();
        QSignalSpy failed(m_document.get(), &Document::failed);
        m_document->open(QStringLiteral("no/such/file.onnx"));
        QVERIFY(failed.wait(20'000));
        QVERIFY(failed.front().at(1).toString().contains(QStringLiteral("no/such/file.onnx")));
        QCOMPARE(m_document->graph(), before);
    }

    void aCancelledOpeningChangesNothing()
    {
        const GraphPtr before = m_document->graph();
        QSignalSpy opened(m_document.get(), &Document::opened);
        m_document->open(QStringLiteral("zoo:example"));
        m_document->cancelOpen();
        QVERIFY(!m_document->isBusy());
        QVERIFY(!opened.wait(1'500));
        QCOMPARE(m_document->graph(), before);
    }

private:
    std::unique_ptr<Document> m_document;
};

}  // namespace fovea::studio

QTEST_GUILESS_MAIN(fovea::studio::DocumentTest)
#include "document_test.moc"
