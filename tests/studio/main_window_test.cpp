// The main job on the real window, by mouse and keyboard events alone: widgets are found by name and asked
// only for what a person reads on the screen.
#include "app/studio/look/theme.h"
#include "app/studio/window/main_window.h"
#include "core/io/model/model.h"
#include "core/io/onnx/onnx.h"
#include "tests/support/text_graph.h"

#include <QAbstractButton>
#include <QApplication>
#include <QDir>
#include <QDropEvent>
#include <QFileDialog>
#include <QFileInfo>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QMessageBox>
#include <QMimeData>
#include <QSettings>
#include <QSpinBox>
#include <QTabBar>
#include <QTemporaryDir>
#include <QTest>
#include <QTimer>

#include <algorithm>
#include <array>

namespace fovea::studio {

namespace {

constexpr int kWaitMs = 30'000;

QString modelFolder() { return qEnvironmentVariable("FOVEA_TEST_MODELS"); }

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
                   .arg(counts[0]).arg(counts[1]).arg(counts[2]).arg(counts[3]).toUtf8());
}

template <typename T>
T* named(const QWidget& window, const QString& name)
{
    return window.findChild<T*>(name);
}

QString shownText(const QWidget& window, const char* label)
{
    const auto* found = named<QLabel>(window, QLatin1String(label));
    return found ? found->text() : QStringLiteral("(no label %1)").arg(QLatin1String(label));
}

// "11 unproductive" reads 11.
int shownCount(const QWidget& window, Verdict verdict)
{
    return shownText(window, qPrintable(QStringLiteral("status.%1").arg(QLatin1String(toString(verdict))))).section(QLatin1Char(' '), 0, 0).toInt();
}

std::array<int, 4> shownCounts(const QWidget& window)
{
    return {shownCount(window, Verdict::Productive), shownCount(window, Verdict::Partial), shownCount(window, Verdict::Critical), shownCount(window, Verdict::Unproductive)};
}

std::array<int, 4> countsOf(const Report& report)
{
    const Summary& s = report.summary;
    return {s.count(Verdict::Productive), s.count(Verdict::Partial), s.count(Verdict::Critical), s.count(Verdict::Unproductive)};
}

void dropFile(QWidget& window, const QString& path)
{
    QMimeData data;
    data.setUrls({QUrl::fromLocalFile(path)});
    const QPoint at = window.rect().center();
    QDragEnterEvent enter(at, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(&window, &enter);
    QVERIFY2(enter.isAccepted(), "the window refuses a file that is dragged over it");
    QDropEvent drop(at, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(&window, &drop);
}

void typeNumber(QSpinBox* spin, int value, Qt::Key finish = Qt::Key_Return)
{
    QVERIFY(spin);
    auto* line = spin->findChild<QLineEdit*>();
    QTest::mouseClick(line, Qt::LeftButton);
    QTest::keyClick(line, Qt::Key_A, Qt::ControlModifier);
    QTest::keyClicks(line, QString::number(value));
    QTest::keyClick(line, finish);
}

void click(QWidget& window, const char* button)
{
    QAbstractButton* found = nullptr;
    const auto isThere = [&] { return (found = named<QAbstractButton>(window, QLatin1String(button))) && !found->visibleRegion().isEmpty(); };
    QVERIFY2(QTest::qWaitFor(isThere, kWaitMs), button);
    QTest::mouseClick(found, Qt::LeftButton);
}

// A shortcut of the window, which has to be the active one: after a dialog that takes a moment.
void press(QWidget& window, Qt::Key key, Qt::KeyboardModifiers modifiers = Qt::ControlModifier)
{
    window.activateWindow();
    QVERIFY(QTest::qWaitForWindowActive(&window));
    QTest::keyClick(&window, key, modifiers);
}

// Types a path into the file dialog that the next key press opens.
class PathTyper : public QObject {
public:
    explicit PathTyper(QString path) : m_path(std::move(path))
    {
        connect(&m_timer, &QTimer::timeout, this, [this] { tryTyping(); });
        m_timer.start(50);
    }
    bool isDone() const { return m_done; }

private:
    void tryTyping()
    {
        // On a slow machine the list of completions can change what was typed: then the dialog says so, and it
        // is typed again.
        if (auto* box = qobject_cast<QMessageBox*>(QApplication::activeModalWidget())) {
            QTest::keyClick(box, Qt::Key_Escape);
            return;
        }
        auto* dialog = qobject_cast<QFileDialog*>(QApplication::activeModalWidget());
        auto* line = dialog ? dialog->findChild<QLineEdit*>(QStringLiteral("fileNameEdit")) : nullptr;
        // An answer that comes while the dialog is still being shown would be lost.
        if (!line || ++m_ticks < 8) return;
        if (!m_done || line->text() != m_path) {
            m_done = true;
            QTest::mouseClick(line, Qt::LeftButton);
            QTest::keyClick(line, Qt::Key_A, Qt::ControlModifier);
            QTest::keyClicks(line, m_path);
        }
        // The first Enter may only close the list of completions.
        QTest::keyClick(line, Qt::Key_Return);
    }

    QString m_path;
    QTimer m_timer;
    int m_ticks = 0;
    bool m_done = false;
};

void typePath(QWidget& window, Qt::Key shortcut, const QString& path)
{
    PathTyper typer(path);
    press(window, shortcut);
    QVERIFY2(typer.isDone(), "no file dialog appeared");
}

// A point of a given colour in the picture of a widget.
std::optional<QPoint> pointOfColor(QWidget* widget, const QColor& color)
{
    const QImage image = widget->grab().toImage();
    for (int y = image.height() - 1; y >= 0; --y)
        for (int x = 0; x < image.width(); ++x)
            if (image.pixelColor(x, y) == color) return QPoint(x, y) / image.devicePixelRatio();
    return std::nullopt;
}

void showWindow(MainWindow& window)
{
    window.show();
    window.activateWindow();
    QVERIFY(QTest::qWaitForWindowActive(&window));
}

}  // namespace

class MainWindowTest : public QObject {
    Q_OBJECT
private slots:
    void initTestCase()
    {
        QVERIFY(m_folder.isValid());
        QSettings::setPath(QSettings::NativeFormat, QSettings::UserScope, m_folder.path());
        m_model = QDir(modelFolder()).filePath(QStringLiteral("resnet18.onnx"));
        QVERIFY2(!modelFolder().isEmpty() && QFileInfo::exists(m_model),
                 "resnet18.onnx is missing: set FOVEA_TEST_MODELS to the folder that tests/models/export_torchvision.py filled.");
        applyTheme(Theme::Light);
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
            QTRY_COMPARE_WITH_TIMEOUT(shownText(window, "status.parameters"), QStringLiteral("11.68 M parameters"), kWaitMs);
            QCOMPARE(shownCount(window, Verdict::Unproductive), 0);

            typeNumber(named<QSpinBox>(window, QStringLiteral("sideHeight")), 32);
            const auto at32 = shownCounts(window);
            QVERIFY(at32[3] > 0);

            clickRedBar(window);
            QVERIFY(shownText(window, "layerReason").startsWith(QStringLiteral("Unproductive: every path into this layer has already seen")));

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
        QVERIFY2(message->text().startsWith(QStringLiteral("notes.onnx could not be opened: ")), qPrintable(message->text()));
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
                if (tabs->tabText(i) == QStringLiteral("Input sides")) QTest::mouseClick(tabs, Qt::LeftButton, {}, tabs->tabRect(i).center());
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

private:
    static void find(MainWindow& window, const QString& layer)
    {
        press(window, Qt::Key_F);
        auto* line = named<QLineEdit>(window, QStringLiteral("findText"));
        QTRY_VERIFY(line && line->isVisible());
        QTest::keyClicks(line, layer);
        QTest::keyClick(line, Qt::Key_Escape);
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

int main(int argc, char** argv)
{
    // The test types into file dialogs, so they have to be Qt's own.
    QCoreApplication::setAttribute(Qt::AA_DontUseNativeDialogs);
    QCoreApplication::setOrganizationName(QStringLiteral("fovea"));
    QCoreApplication::setApplicationName(QStringLiteral("fovea-studio-test"));
    QApplication app(argc, argv);
    fovea::studio::MainWindowTest test;
    return QTest::qExec(&test, argc, argv);
}
#include "main_window_test.moc"
