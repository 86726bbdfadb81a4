// The main job on the real window, by mouse and keyboard events alone: widgets are found by name and asked
// only for what a person reads on the screen.
#include "core/io/onnx/onnx.h"
#include "tests/studio/window_driver.h"
#include "tests/support/text_graph.h"

#include <QComboBox>
#include <QMenu>
#include <QTabBar>

#include <algorithm>

namespace fovea::studio {

namespace {

QString exportPath()
{
    const QString folder = qEnvironmentVariable("FOVEA_TEST_OUT", QStringLiteral(FOVEA_BINARY_DIR));
    return QDir(folder).filePath(QStringLiteral("studio_export.onnx"));
}

// What the window showed of the exported network, for the test that holds it against the command line.
void writeShown(const std::array<int, 4>& counts)
{
    QFile file(exportPath() + QStringLiteral(".shown.json"));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(QStringLiteral("{\"productive\": %1, \"partial\": %2, \"critical\": %3, \"unproductive\": %4}\n")
                   .arg(counts[0])
                   .arg(counts[1])
                   .arg(counts[2])
                   .arg(counts[3])
                   .toUtf8());
}

}  // namespace

class MainWindowTest : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { prepare(m_folder, m_model); }

    // Before any other: they leave a size behind.
    void aFirstWindowFitsASmallScreen()
    {
        MainWindow window;
        showWindow(window);
        QCOMPARE(window.size(), QSize(1280, 720));
    }

    void theMainJobGoesByMouseAndKeyboard()
    {
        const QString document = m_folder.filePath(QStringLiteral("refined.fovea"));
        QFile::remove(exportPath());
        std::array<int, 4> saved{};
        {
            MainWindow window;
            showWindow(window);
            dropFile(window, m_model);
            QTRY_COMPARE_WITH_TIMEOUT(shownText(window, "status.parameters"), QStringLiteral("11.68 M parameters"),
                                      kWaitMs);
            QCOMPARE(shownCount(window, Verdict::Unproductive), 0);

            typeNumber(named<QSpinBox>(window, QStringLiteral("sideHeight")), 32);
            const auto at32 = shownCounts(window);
            QVERIFY(at32[3] > 0);

            clickRedBar(window);
            QVERIFY(shownText(window, "layerReason")
                        .startsWith(QStringLiteral("Unproductive: every path into this layer has already seen")));

            click(window, "planPreview.0");
            QTRY_VERIFY(named<QLabel>(window, QStringLiteral("previewBanner"))->isVisible());
            const auto predicted = shownCounts(window);
            QVERIFY(predicted[3] < at32[3]);
            click(window, "planApply.0");
            QVERIFY(!named<QLabel>(window, QStringLiteral("previewBanner"))->isVisible());
            QCOMPARE(shownCounts(window), predicted);
            press(window, Qt::Key_Z);
            QCOMPARE(shownCounts(window), at32);
            press(window, Qt::Key_Z, Qt::ControlModifier | Qt::ShiftModifier);
            QCOMPARE(shownCounts(window), predicted);

            editStride(window);
            saved = shownCounts(window);
            QVERIFY(window.isWindowModified());
            typePath(window, Qt::Key_S, document);
            QTRY_VERIFY_WITH_TIMEOUT(!window.isWindowModified() && QFileInfo::exists(document), kWaitMs);
            press(window, Qt::Key_Q);
            QTRY_VERIFY(!window.isVisible());
        }
        MainWindow window;
        showWindow(window);
        typePath(window, Qt::Key_O, document);
        QTRY_COMPARE_WITH_TIMEOUT(shownCounts(window), saved, kWaitMs);
        typePath(window, Qt::Key_E, exportPath());
        QTRY_VERIFY_WITH_TIMEOUT(shownText(window, "messageText").startsWith(QStringLiteral("Exported")), kWaitMs);

        const Model exported = readOnnx(exportPath().toStdString());
        const Report report = analyze(exported.graph);
        QCOMPARE(report.side.h, 32);
        QCOMPARE(countsOf(report), saved);
        writeShown(saved);
    }

    void anUnsavedChangeIsAskedAboutAndCancelKeepsTheWindow()
    {
        MainWindow window;
        showWindow(window);
        click(window, "welcomeExample");
        auto* side = named<QSpinBox>(window, QStringLiteral("sideHeight"));
        QTRY_VERIFY_WITH_TIMEOUT(side->isEnabled(), kWaitMs);
        typeNumber(side, 48);
        QVERIFY(window.isWindowModified());
        answerQuestion(QMessageBox::Cancel, [&] { press(window, Qt::Key_Q); });
        QVERIFY(window.isVisible());
        answerQuestion(QMessageBox::Discard, [&] { press(window, Qt::Key_Q); });
        QVERIFY(!window.isVisible());
    }

    void aBuiltInNetworkIsFoundUnderItsFamily()
    {
        MainWindow window;
        showWindow(window);
        QMenu* family = nullptr;
        for (QMenu* menu : window.findChildren<QMenu*>())
            if (menu->title() == QLatin1String("DenseNet")) family = menu;
        QVERIFY(family);
        QCOMPARE(family->actions().size(), 4);
        QCOMPARE(family->actions().constFirst()->text(), QStringLiteral("densenet121  (224 px)"));
        family->actions().constFirst()->trigger();
        QTRY_COMPARE_WITH_TIMEOUT(shownText(window, "status.parameters"), QStringLiteral("7.98 M parameters"), kWaitMs);
    }

    void aFileThatIsNoNetworkGivesOneSentence()
    {
        const QString path = m_folder.filePath(QStringLiteral("notes.onnx"));
        QFile file(path);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write("this is no network");
        file.close();
        MainWindow window;
        showWindow(window);
        dropFile(window, path);
        auto* message = named<QLabel>(window, QStringLiteral("messageText"));
        QTRY_VERIFY_WITH_TIMEOUT(message->isVisible(), kWaitMs);
        QVERIFY2(message->text().startsWith(QStringLiteral("notes.onnx could not be opened: ")),
                 qPrintable(message->text()));
    }

    void aSliderDragIsOneUndoStep()
    {
        MainWindow window;
        showWindow(window);
        click(window, "welcomeExample");
        auto* side = named<QSpinBox>(window, QStringLiteral("sideHeight"));
        QTRY_VERIFY_WITH_TIMEOUT(side->isEnabled(), kWaitMs);
        const int before = side->value();
        auto* slider = named<QWidget>(window, QStringLiteral("sideSlider"));
        const int y = 12;
        QTest::mousePress(slider, Qt::LeftButton, {}, {60, y});
        for (int x = 64; x <= 120; x += 4) QTest::mouseMove(slider, {x, y});
        QTest::mouseRelease(slider, Qt::LeftButton, {}, {120, y});
        QVERIFY(side->value() != before);
        press(window, Qt::Key_Z);
        QCOMPARE(side->value(), before);
        QVERIFY(!window.isWindowModified());
    }

    void aSideIsPickedFromTheChartOfSides()
    {
        MainWindow window;
        showWindow(window);
        click(window, "welcomeExample");
        auto* side = named<QSpinBox>(window, QStringLiteral("sideHeight"));
        QTRY_VERIFY_WITH_TIMEOUT(side->isEnabled(), kWaitMs);
        for (auto* tabs : window.findChildren<QTabBar*>())
            for (int i = 0; i < tabs->count(); ++i)
                if (tabs->tabText(i) == QStringLiteral("Input sides"))
                    QTest::mouseClick(tabs, Qt::LeftButton, {}, tabs->tabRect(i).center());
        auto* sizes = named<QLineEdit>(window, QStringLiteral("sizesList"));
        QTRY_VERIFY(sizes && !sizes->visibleRegion().isEmpty());
        QTest::mouseClick(sizes, Qt::LeftButton);
        QTest::keyClick(sizes, Qt::Key_A, Qt::ControlModifier);
        QTest::keyClicks(sizes, QStringLiteral("160, 96"));
        QTest::keyClick(sizes, Qt::Key_Return);
        auto* plot = named<QWidget>(window, QStringLiteral("sizesPlot"));
        // Points that all lie in the first of two bars, but not all in bars where there are thirteen.
        const auto shows = [&] {
            const QImage image = plot->grab().toImage();
            return std::ranges::all_of(std::array{19, 25, 31, 38}, [&](int x) {
                return image.pixelColor(image.width() * x / 100, image.height() * 7 / 10) == QColor(0x00, 0x72, 0xB2);
            });
        };
        QTRY_VERIFY_WITH_TIMEOUT(shows(), kWaitMs);
        QTest::mouseClick(plot, Qt::LeftButton, {}, {plot->width() * 25 / 100, plot->height() * 7 / 10});
        QTRY_COMPARE(side->value(), 96);
        press(window, Qt::Key_Z);
        QCOMPARE(side->value(), 32);
    }

    void theReachOfAnUnknownLayerIsStatedInTheInspectorAndSaved()
    {
        const QString path = m_folder.filePath(QStringLiteral("opaque.fovea"));
        Graph graph = test::graphOf("input 3x64x64 > opaque:strange > conv2d:behind k=3 p=1 c=8");
        saveModel({.graph = graph}, path.toStdString());
        {
            MainWindow window;
            showWindow(window);
            dropFile(window, path);
            QTRY_VERIFY_WITH_TIMEOUT(window.windowTitle().contains(QStringLiteral("opaque")), kWaitMs);
            QCOMPARE(shownCount(window, Verdict::Productive), 0);
            find(window, QStringLiteral("strange"));
            auto* reach = named<QLineEdit>(window, QStringLiteral("opaqueReach"));
            QTRY_VERIFY(reach && !reach->visibleRegion().isEmpty());
            QTest::mouseClick(reach, Qt::LeftButton);
            QTest::keyClicks(reach, QStringLiteral("k5s2p2"));
            QTest::keyClick(reach, Qt::Key_Return);
            QTRY_COMPARE(shownCount(window, Verdict::Productive), 1);
            press(window, Qt::Key_S);
            QTRY_VERIFY_WITH_TIMEOUT(!window.isWindowModified(), kWaitMs);
        }
        const Report report = analyze(openModel(path.toStdString()).graph);
        QCOMPARE(report.layers.back().field.h.rfMin, 9);
    }

    void undoInAFieldTakesTheNetworkBackWhereNothingIsHalfTyped()
    {
        MainWindow window;
        showWindow(window);
        dropFile(window, m_model);
        QTRY_VERIFY_WITH_TIMEOUT(window.windowTitle().contains(QStringLiteral("resnet18")), kWaitMs);
        find(window, QStringLiteral("conv1"));
        auto* stride = named<QSpinBox>(window, QStringLiteral("attr.stride.0"));
        auto* name = named<QLineEdit>(window, QStringLiteral("layerName"));
        QTRY_VERIFY(stride && !stride->visibleRegion().isEmpty());
        typeNumber(stride, 1);
        QVERIFY(window.isWindowModified());
        QTest::keyClick(stride, Qt::Key_Z, Qt::ControlModifier);
        QCOMPARE(stride->value(), 2);
        QVERIFY(!window.isWindowModified());
        QTest::keyClick(stride, Qt::Key_Z, Qt::ControlModifier | Qt::ShiftModifier);
        QCOMPARE(stride->value(), 1);

        const QString before = name->text();
        typeWords(name, QStringLiteral("first"));
        QTest::keyClick(name, Qt::Key_Z, Qt::ControlModifier);
        QVERIFY(name->text() != QStringLiteral("first"));
        QCOMPARE(stride->value(), 1);
        typeWords(name, QStringLiteral("first"));
        QTest::keyClick(name, Qt::Key_Return);
        QTest::keyClick(name, Qt::Key_Z, Qt::ControlModifier);
        QCOMPARE(name->text(), before);
        QCOMPARE(stride->value(), 1);
        press(window, Qt::Key_Z);
        QVERIFY(!window.isWindowModified());
    }

    void thePreprocessingOfAnImageInputIsEditedUndoneSavedAndExported()
    {
        const QString path = m_folder.filePath(QStringLiteral("prepared.fovea")),
                      exported = m_folder.filePath(QStringLiteral("prepared.onnx"));
        saveModel({.graph = test::graphOf("input:image 3x64x64 > conv2d:stem k=3 p=1 c=8")}, path.toStdString());
        const Preprocessing wanted{72, ChannelOrder::Bgr, {0.5, 0.25, 0.125}, {0.2, 0.2, 0.2}};
        {
            MainWindow window;
            showWindow(window);
            dropFile(window, path);
            QTRY_VERIFY_WITH_TIMEOUT(window.windowTitle().contains(QStringLiteral("prepared")), kWaitMs);
            auto* section = named<QWidget>(window, QStringLiteral("preprocessing"));
            find(window, QStringLiteral("stem"));
            QVERIFY(!section->isVisible());
            find(window, QStringLiteral("image"));
            QTRY_VERIFY(section->isVisible());
            auto* values = named<QComboBox>(window, QStringLiteral("preprocessing.values"));
            auto* mean = named<QLineEdit>(window, QStringLiteral("preprocessing.mean"));
            auto* deviation = named<QLineEdit>(window, QStringLiteral("preprocessing.deviation"));
            QCOMPARE(values->currentText(), QStringLiteral("none"));
            QVERIFY(!mean->isVisible());
            QVERIFY(named<QLabel>(window, QStringLiteral("preprocessing.none"))->isVisible());

            QTest::keyClick(values, Qt::Key_Down);
            QCOMPARE(values->currentText(), QStringLiteral("ImageNet (RGB)"));
            QCOMPARE(mean->text(), QStringLiteral("0.485, 0.456, 0.406"));
            typeWords(mean, QStringLiteral("0.5, 0.25"));
            const auto wrong = [&](const char* field) {
                const auto* label = named<QLabel>(window, QLatin1String(field));
                return label->isVisible() ? label->text() : QString();
            };
            QCOMPARE(wrong("preprocessing.mean.wrong"),
                     QStringLiteral("There are 2 values, but the input has 3 channels: write one for each, or one for "
                                    "all."));
            QTest::keyClicks(mean, QStringLiteral(" 0.125"));
            QCOMPARE(wrong("preprocessing.mean.wrong"), QString());
            QTest::keyClick(mean, Qt::Key_Return);
            QCOMPARE(values->currentText(), QStringLiteral("values of its own"));
            QTest::keyClick(mean, Qt::Key_Z, Qt::ControlModifier);
            QCOMPARE(mean->text(), QStringLiteral("0.485, 0.456, 0.406"));
            QCOMPARE(values->currentText(), QStringLiteral("ImageNet (RGB)"));
            press(window, Qt::Key_Z);
            QCOMPARE(values->currentText(), QStringLiteral("none"));
            QVERIFY(!window.isWindowModified());
            for (int i = 0; i < 2; ++i) press(window, Qt::Key_Z, Qt::ControlModifier | Qt::ShiftModifier);
            QCOMPARE(mean->text(), QStringLiteral("0.5, 0.25, 0.125"));

            typeWords(deviation, QStringLiteral("0"));
            QVERIFY2(wrong("preprocessing.deviation.wrong").startsWith(QStringLiteral("0 cannot be divided by")),
                     qPrintable(wrong("preprocessing.deviation.wrong")));
            typeWords(deviation, QStringLiteral("0,2"));
            QVERIFY(!wrong("preprocessing.deviation.wrong").isEmpty());
            typeWords(deviation, QStringLiteral("half"));
            QVERIFY(
                wrong("preprocessing.deviation.wrong").startsWith(QStringLiteral("\u201chalf\u201d is no number.")));
            typeWords(deviation, QStringLiteral("0.2"));
            QCOMPARE(wrong("preprocessing.deviation.wrong"), QString());
            QTest::keyClick(deviation, Qt::Key_Return);
            QTest::keyClick(named<QComboBox>(window, QStringLiteral("preprocessing.order")), Qt::Key_Down);
            typeNumber(named<QSpinBox>(window, QStringLiteral("preprocessing.resize")), 72);
            press(window, Qt::Key_S);
            QTRY_VERIFY_WITH_TIMEOUT(!window.isWindowModified(), kWaitMs);
            typePath(window, Qt::Key_E, exported);
            QTRY_VERIFY_WITH_TIMEOUT(shownText(window, "messageText").startsWith(QStringLiteral("Exported")), kWaitMs);
            QVERIFY(readOnnx(exported.toStdString()).graph.preprocessing() == wanted);
        }
        QVERIFY(openModel(path.toStdString()).graph.preprocessing() == wanted);
        MainWindow window;
        showWindow(window);
        dropFile(window, path);
        QTRY_VERIFY_WITH_TIMEOUT(window.windowTitle().contains(QStringLiteral("prepared")), kWaitMs);
        find(window, QStringLiteral("image"));
        auto* values = named<QComboBox>(window, QStringLiteral("preprocessing.values"));
        QTRY_VERIFY(values->isVisible());
        QCOMPARE(named<QLineEdit>(window, QStringLiteral("preprocessing.mean"))->text(),
                 QStringLiteral("0.5, 0.25, 0.125"));
        QTest::keyClick(values, Qt::Key_Home);
        press(window, Qt::Key_S);
        QTRY_VERIFY_WITH_TIMEOUT(!window.isWindowModified(), kWaitMs);
        QVERIFY(!openModel(path.toStdString()).graph.preprocessing());
    }

private:
    static void typeWords(QLineEdit* line, const QString& words)
    {
        QTest::mouseClick(line, Qt::LeftButton);
        QTest::keyClick(line, Qt::Key_A, Qt::ControlModifier);
        QTest::keyClicks(line, words);
    }

    static void clickRedBar(MainWindow& window)
    {
        auto* plot = named<QWidget>(window, QStringLiteral("fieldPlot"));
        QVERIFY(plot);
        std::optional<QPoint> bar;
        QTRY_VERIFY((bar = pointOfColor(plot, QColor(0xD5, 0x5E, 0x00))));
        QTest::mouseClick(plot, Qt::LeftButton, {}, *bar);
    }

    // The stem's stride, found by name: every other layer follows, so the network stays whole.
    static void editStride(MainWindow& window)
    {
        find(window, QStringLiteral("conv1"));
        auto* stride = named<QSpinBox>(window, QStringLiteral("attr.stride.0"));
        QVERIFY(stride);
        const QString macs = shownText(window, "status.macs");
        for (const char* axis : {"attr.stride.0", "attr.stride.1"}) {
            auto* spin = named<QSpinBox>(window, QLatin1String(axis));
            typeNumber(spin, spin->value() == 1 ? 2 : 1);
        }
        QVERIFY(shownText(window, "status.macs") != macs);
    }

    template <typename Trigger>
    static void answerQuestion(QMessageBox::StandardButton answer, Trigger trigger)
    {
        bool asked = false;
        QTimer timer;
        connect(&timer, &QTimer::timeout, &timer, [&] {
            auto* box = qobject_cast<QMessageBox*>(QApplication::activeModalWidget());
            if (!box || asked) return;
            asked = true;
            QTest::mouseClick(box->button(answer), Qt::LeftButton);
        });
        timer.start(50);
        trigger();
        QVERIFY2(asked, "nothing was asked");
    }

    QTemporaryDir m_folder;
    QString m_model;
};

}  // namespace fovea::studio

int main(int argc, char** argv) { return fovea::studio::runWindowTest<fovea::studio::MainWindowTest>(argc, argv); }
#include "main_window_test.moc"
