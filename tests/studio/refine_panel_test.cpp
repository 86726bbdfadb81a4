// Refinement on the real window, by mouse and keyboard events alone.
#include "app/studio/canvas/canvas_view.h"
#include "core/io/onnx/onnx.h"
#include "tests/studio/refine_driver.h"

#include <QComboBox>
#include <QLineEdit>
#include <QMenu>
#include <QSlider>
#include <QTreeWidget>
#include <QWindow>

#include <algorithm>

namespace fovea::studio {

namespace {

const QColor kPlanDot(0x1f, 0x6f, 0xeb);

QList<int> shownMoves(const QWidget& window)
{
    const auto* list = named<QListView>(window, QStringLiteral("moves"));
    QList<int> out;
    for (int row = 0; row < list->model()->rowCount(); ++row)
        if (!list->isRowHidden(row)) out << row;
    return out;
}

}  // namespace

class RefinePanelTest : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { prepare(m_folder, m_model); }

    void aPlanOfTheParetoChartIsPreviewedAppliedUndoneAndExported()
    {
        MainWindow window;
        openAt32(window, m_model);
        const auto at32 = shownCounts(window);
        openTab(window, QStringLiteral("Pareto"));
        auto* plot = named<QWidget>(window, QStringLiteral("paretoPlot"));
        std::optional<QPoint> dot;
        QTRY_VERIFY((dot = pointOfColor(plot, kPlanDot)));
        // The lowest dot wastes least.
        QTest::mouseClick(plot, Qt::LeftButton, {}, *dot);
        QVERIFY(isPreviewing(window));
        const auto predicted = shownCounts(window);
        QVERIFY(predicted[3] < at32[3]);
        click(window, "planApply.chosen");
        QVERIFY(!isPreviewing(window));
        QCOMPARE(shownCounts(window), predicted);
        press(window, Qt::Key_Z);
        QCOMPARE(shownCounts(window), at32);
        press(window, Qt::Key_Z, Qt::ControlModifier | Qt::ShiftModifier);
        QCOMPARE(shownCounts(window), predicted);

        const QString path = m_folder.filePath(QStringLiteral("pareto.onnx"));
        typePath(window, Qt::Key_E, path);
        QTRY_VERIFY_WITH_TIMEOUT(shownText(window, "messageText").startsWith(QStringLiteral("Exported")), kWaitMs);
        QCOMPARE(countsOf(analyze(readOnnx(path.toStdString()).graph)), predicted);
        discard(window);
    }

    void theArrowKeysWalkAlongThePlansOfTheParetoChart()
    {
        MainWindow window;
        openAt32(window, m_model);
        openTab(window, QStringLiteral("Pareto"));
        auto* plot = named<QWidget>(window, QStringLiteral("paretoPlot"));
        QTRY_VERIFY(pointOfColor(plot, kPlanDot));
        QTest::keyClick(plot, Qt::Key_Right);
        QVERIFY(isPreviewing(window));
        const QString cheapest = shownText(window, "previewBanner");
        QTest::keyClick(plot, Qt::Key_Right);
        QVERIFY(shownText(window, "previewBanner") != cheapest);
        QTest::keyClick(plot, Qt::Key_Left);
        QCOMPARE(shownText(window, "previewBanner"), cheapest);
    }

    void aTighterLimitLeavesFewerPlansAndLooseningItBringsOneBack()
    {
        MainWindow window;
        openAt32(window, m_model);
        const int all = shownCards(window);
        click(window, "limitsFold");
        auto* macs = named<QSlider>(window, QStringLiteral("limitMacs"));
        QVERIFY(macs && macs->isVisible());
        QCOMPARE(shownText(window, "limitMacsValue"), QStringLiteral("no limit"));
        macs->setFocus();
        QTest::keyClick(macs, Qt::Key_Home);
        QVERIFY2(shownText(window, "limitMacsValue").startsWith(QStringLiteral("\u2264 0.25x (")),
                 qPrintable(shownText(window, "limitMacsValue")));
        const auto* state = named<QLabel>(window, QStringLiteral("refineState"));
        QTRY_VERIFY_WITH_TIMEOUT(state->text().startsWith(QStringLiteral("No plan meets the limits.")), kWaitMs);
        QCOMPARE(shownCards(window), 0);
        click(window, "refineLoosen");
        QTRY_VERIFY_WITH_TIMEOUT(state->text().startsWith(QStringLiteral("Proposals")), kWaitMs);
        const int some = shownCards(window);
        QVERIFY2(some > 0 && some < all, qPrintable(QStringLiteral("%1 of %2").arg(some).arg(all)));
        QTest::keyClick(macs, Qt::Key_End);
        QTRY_COMPARE_WITH_TIMEOUT(shownCards(window), all, kWaitMs);
        click(window, "limitsFold");
    }

    void checkedMovesAreOnePlanAndOneUndoStep()
    {
        MainWindow window;
        openAt32(window, m_model);
        const auto at32 = shownCounts(window);
        openTab(window, QStringLiteral("Single moves"));
        QTRY_VERIFY_WITH_TIMEOUT(movesOf(window)->rowCount() > 3, kWaitMs);
        const int stem = rowOfMove(window, QStringLiteral("Stride of 'conv1' from 2 to 1"));
        const int pooling = rowOfMove(window, QStringLiteral("Pooling 'maxpool' removed"));
        QVERIFY(stem >= 0 && pooling >= 0);
        check(window, stem);
        QTRY_COMPARE(shownText(window, "planTitle.chosen"), QStringLiteral("<b>Stride of 'conv1' from 2 to 1</b>"));
        const auto one = shownCounts(window);
        QVERIFY(one[3] < at32[3]);
        check(window, pooling);
        QTRY_VERIFY_WITH_TIMEOUT(shownCounts(window) != one && isPreviewing(window), kWaitMs);
        const auto both = shownCounts(window);
        QVERIFY(both[3] < one[3]);
        click(window, "planApply.chosen");
        QCOMPARE(shownCounts(window), both);
        press(window, Qt::Key_Z);
        QCOMPARE(shownCounts(window), at32);
        QVERIFY(named<QSpinBox>(window, QStringLiteral("sideHeight"))->value() == 32);
    }

    void theFilterShowsMovesWithAllItsWordsAndThoseThatAreChecked()
    {
        MainWindow window;
        openAt32(window, m_model);
        openTab(window, QStringLiteral("Single moves"));
        QTRY_VERIFY_WITH_TIMEOUT(movesOf(window)->rowCount() > 3, kWaitMs);
        const int stem = rowOfMove(window, QStringLiteral("Stride of 'conv1' from 2 to 1"));
        const int pooling = rowOfMove(window, QStringLiteral("Pooling 'maxpool' removed"));
        const int all = movesOf(window)->rowCount();
        QCOMPARE(shownMoves(window).size(), all);
        auto* field = named<QLineEdit>(window, QStringLiteral("movesFilter"));
        QTest::mouseClick(field, Qt::LeftButton);
        QTest::keyClicks(field, QStringLiteral("MAXPOOL removed"));
        // The stem for small images goes without the pooling, too.
        const int small = rowOfMove(window, QStringLiteral("Stem 'conv1' for small images: kernel from 7 to 3, stride "
                                                           "from 2 to 1; pooling 'maxpool' removed"));
        QCOMPARE(shownMoves(window), (QList<int>{std::min(small, pooling), std::max(small, pooling)}));
        check(window, pooling);
        QVERIFY(isPreviewing(window));
        QTest::keyClick(field, Qt::Key_A, Qt::ControlModifier);
        QTest::keyClicks(field, QStringLiteral("stride conv1"));
        QVERIFY(shownMoves(window).contains(stem));
        QVERIFY2(shownMoves(window).contains(pooling), "a checked move is hidden");
        QVERIFY(shownMoves(window).size() < all);
        check(window, pooling);
        QVERIFY(!shownMoves(window).contains(pooling));
        QTest::keyClicks(field, QStringLiteral(" nothing"));
        QVERIFY(shownMoves(window).isEmpty());
        QCOMPARE(shownText(window, "movesMessage"),
                 QStringLiteral("None of %1 moves has all these words in its title.").arg(all));
        QTest::keyClick(field, Qt::Key_A, Qt::ControlModifier);
        QTest::keyClick(field, Qt::Key_Delete);
        QCOMPARE(shownMoves(window).size(), all);
    }

    void movesThatExcludeOneAnotherSaySoAndShowNoPreview()
    {
        MainWindow window;
        openAt32(window, m_model);
        openTab(window, QStringLiteral("Single moves"));
        QTRY_VERIFY_WITH_TIMEOUT(movesOf(window)->rowCount() > 3, kWaitMs);
        const int removed = rowOfMove(window, QStringLiteral("Pooling 'maxpool' removed"));
        const int stride = rowOfMove(window, QStringLiteral("Stride of 'maxpool' from 2 to 1"));
        QVERIFY(removed >= 0 && stride >= 0);
        check(window, removed);
        QVERIFY(isPreviewing(window));
        check(window, stride);
        QTRY_VERIFY_WITH_TIMEOUT(
            shownText(window, "movesMessage")
                .startsWith(QStringLiteral("\u201cStride of 'maxpool' from 2 to 1\u201d cannot be made")),
            kWaitMs);
        QVERIFY(!isPreviewing(window));
        check(window, removed);
        QVERIFY(isPreviewing(window));
    }

    void theTensorsThatAPlanDoesNotCopyAreListed()
    {
        MainWindow window;
        openAt32(window, m_model);
        openTab(window, QStringLiteral("Single moves"));
        QTRY_VERIFY_WITH_TIMEOUT(movesOf(window)->rowCount() > 3, kWaitMs);
        check(window, rowOfMove(window, QStringLiteral("Kernel of 'conv1' from 7 to 5")));
        QVERIFY(shownText(window, "planTensors.chosen").contains(QStringLiteral("1 sliced")));
        const QTreeWidget* rows = openTransfer(window);
        QVERIFY(rows);
        QCOMPARE(rows->topLevelItemCount(), 1);
        const QTreeWidgetItem* row = rows->topLevelItem(0);
        QVERIFY(!row->text(0).isEmpty());
        QCOMPARE(row->text(1), QStringLiteral("sliced"));
        QCOMPARE(row->text(2), QStringLiteral("64x3x7x7"));
        QCOMPARE(row->text(3), QStringLiteral("64x3x5x5"));
    }

    void theMenuSaysWhyALayerCannotBeMadeProductive()
    {
        MainWindow window;
        openAt32(window, m_model);
        QMenu* menu = openMenu(window, QStringLiteral("conv1"));
        QVERIFY(menu);
        const QAction* none = menu->actions().constFirst();
        QCOMPARE(none->text(), QStringLiteral("Make this layer productive (it is already)"));
        QVERIFY(!none->isEnabled());
    }

    void theMenuOfALayerMakesItProductive()
    {
        MainWindow window;
        openAt32(window, m_model);
        const auto at32 = shownCounts(window);
        QMenu* menu = openMenu(window, QStringLiteral("layer4.0.conv2"));
        QVERIFY(menu);
        auto* offers = menu->findChild<QMenu*>(QStringLiteral("makeProductive"));
        QVERIFY2(offers, "nothing is offered");
        QVERIFY(!offers->actions().isEmpty() && offers->actions().size() <= 8);
        QTest::keyClick(menu, Qt::Key_Down);
        QTest::keyClick(menu, Qt::Key_Right);
        QTRY_VERIFY(offers->isVisible());
        QTest::keyClick(offers, Qt::Key_Return);
        QTRY_VERIFY(isPreviewing(window));
        QVERIFY(shownCounts(window)[0] > at32[0]);
        QVERIFY2(shownText(window, "layerReason").startsWith(QStringLiteral("Productive")),
                 qPrintable(shownText(window, "layerReason")));
    }

    void aKeptLayerIsLeftAloneUntilItIsReleased()
    {
        MainWindow window;
        openAt32(window, m_model);
        openTab(window, QStringLiteral("Single moves"));
        QTRY_VERIFY_WITH_TIMEOUT(movesOf(window)->rowCount() > 3, kWaitMs);
        const QString stride = QStringLiteral("Stride of 'conv1' from 2 to 1");
        QVERIFY(rowOfMove(window, stride) >= 0);
        QMenu* menu = openMenu(window, QStringLiteral("conv1"));
        QVERIFY(menu);
        QTest::keyClick(menu, Qt::Key_Up);
        QTest::keyClick(menu, Qt::Key_Return);
        QTRY_VERIFY_WITH_TIMEOUT(movesOf(window)->rowCount() > 3 && rowOfMove(window, stride) < 0, kWaitMs);
        click(window, "limitsFold");
        QAbstractButton* release = nullptr;
        for (auto* button : window.findChildren<QAbstractButton*>())
            if (button->objectName().startsWith(QStringLiteral("release."))) release = button;
        QVERIFY(release && release->text().contains(QStringLiteral("conv1")));
        QTest::mouseClick(release, Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(rowOfMove(window, stride) >= 0, kWaitMs);
        click(window, "limitsFold");
    }

private:
    // Right click on a layer that Ctrl+F has brought into view.
    static QMenu* openMenu(MainWindow& window, const QString& layer)
    {
        find(window, layer);
        auto* canvas = named<CanvasView>(window, QStringLiteral("canvas"));
        const QString name = QStringLiteral("<b>%1</b>")
                                 .arg(named<QLineEdit>(window, QStringLiteral("layerName"))->text().toHtmlEscaped());
        const auto boxRect = [&] {
            for (std::size_t i = 0; canvas->isLaidOut() && i < canvas->painting().drawing()->boxes.size(); ++i)
                if (canvas->painting().toolTip(static_cast<int>(i)).contains(name))
                    return canvas->painting().drawing()->boxes[i].rect;
            return QRectF();
        };
        if (!QTest::qWaitFor(
                [&] {
                    return canvas->mapToScene(canvas->viewport()->rect()).boundingRect().contains(boxRect()) &&
                           !boxRect().isEmpty();
                },
                kWaitMs))
            return nullptr;
        const QPoint at = canvas->viewport()->mapTo(&window, canvas->mapFromScene(boxRect().center()));
        QTest::mouseClick(window.windowHandle(), Qt::RightButton, {}, at);
        QMenu* menu = nullptr;
        const auto isOpen = [&] {
            return (menu = named<QMenu>(window, QStringLiteral("layerMenu"))) && menu->isVisible();
        };
        return QTest::qWaitFor(isOpen, 5'000) ? menu : nullptr;
    }

    QTemporaryDir m_folder;
    QString m_model;
};

}  // namespace fovea::studio

int main(int argc, char** argv) { return fovea::studio::runWindowTest<fovea::studio::RefinePanelTest>(argc, argv); }
#include "refine_panel_test.moc"
