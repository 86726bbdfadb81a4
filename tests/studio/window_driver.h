// A hand and an eye for tests of the main window: widgets are found by name, driven by mouse and keyboard events and
// asked only for what a person reads on the screen.
#pragma once

#include "app/studio/look/theme.h"
#include "app/studio/window/main_window.h"
#include "core/io/model/model.h"

#include <QAbstractButton>
#include <QApplication>
#include <QComboBox>
#include <QDir>
#include <QDropEvent>
#include <QFileDialog>
#include <QFileInfo>
#include <QLabel>
#include <QLineEdit>
#include <QMessageBox>
#include <QMimeData>
#include <QSettings>
#include <QSpinBox>
#include <QTabBar>
#include <QTemporaryDir>
#include <QTest>
#include <QTimer>

#include <array>
#include <optional>

namespace fovea::studio {

inline constexpr int kWaitMs = 30'000;

inline QString modelFolder() { return qEnvironmentVariable("FOVEA_TEST_MODELS"); }

template <typename T>
T* named(const QWidget& window, const QString& name)
{
    return window.findChild<T*>(name);
}

inline QString shownText(const QWidget& window, const char* label)
{
    const auto* found = named<QLabel>(window, QLatin1String(label));
    return found ? found->text() : QStringLiteral("(no label %1)").arg(QLatin1String(label));
}

// "11 unproductive" reads 11.
inline int shownCount(const QWidget& window, Verdict verdict)
{
    return shownText(window, qPrintable(QStringLiteral("status.%1").arg(QLatin1String(toString(verdict)))))
        .section(QLatin1Char(' '), 0, 0)
        .toInt();
}

inline std::array<int, 4> shownCounts(const QWidget& window)
{
    return {shownCount(window, Verdict::Productive), shownCount(window, Verdict::Partial),
            shownCount(window, Verdict::Critical), shownCount(window, Verdict::Unproductive)};
}

inline std::array<int, 4> countsOf(const Report& report)
{
    const Summary& s = report.summary;
    return {s.count(Verdict::Productive), s.count(Verdict::Partial), s.count(Verdict::Critical),
            s.count(Verdict::Unproductive)};
}

inline void dropFile(QWidget& window, const QString& path)
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

inline void typeNumber(QSpinBox* spin, int value, Qt::Key finish = Qt::Key_Return)
{
    QVERIFY(spin);
    auto* line = spin->findChild<QLineEdit*>();
    QTest::mouseClick(line, Qt::LeftButton);
    QTest::keyClick(line, Qt::Key_A, Qt::ControlModifier);
    QTest::keyClicks(line, QString::number(value));
    QTest::keyClick(line, finish);
}

inline void click(QWidget& window, const char* button)
{
    QAbstractButton* found = nullptr;
    const auto isThere = [&] {
        return (found = named<QAbstractButton>(window, QLatin1String(button))) && !found->visibleRegion().isEmpty();
    };
    QVERIFY2(QTest::qWaitFor(isThere, kWaitMs), button);
    QTest::mouseClick(found, Qt::LeftButton);
}

// A shortcut of the window, which has to be the active one: after a dialog that takes a moment.
inline void press(QWidget& window, Qt::Key key, Qt::KeyboardModifiers modifiers = Qt::ControlModifier)
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

inline void typePath(QWidget& window, Qt::Key shortcut, const QString& path)
{
    PathTyper typer(path);
    press(window, shortcut);
    QVERIFY2(typer.isDone(), "no file dialog appeared");
}

// A point of a given colour in the picture of a widget.
inline void choose(QComboBox* combo, const QString& words)
{
    QVERIFY(combo);
    combo->setFocus();
    QTest::keyClick(combo, Qt::Key_Home);
    for (int i = 0; i < combo->count() && combo->currentText() != words; ++i) QTest::keyClick(combo, Qt::Key_Down);
    QCOMPARE(combo->currentText(), words);
}

// A click on one of the tabs of a bar.
inline void openTab(QWidget& window, const char* bar, const QString& title)
{
    auto* tabs = named<QTabBar>(window, QLatin1String(bar));
    QVERIFY(tabs);
    for (int i = 0; i < tabs->count(); ++i)
        if (tabs->tabText(i) == title) QTest::mouseClick(tabs, Qt::LeftButton, {}, tabs->tabRect(i).center());
    QCOMPARE(tabs->tabText(tabs->currentIndex()), title);
}

inline std::optional<QPoint> pointOfColor(QWidget* widget, const QColor& color)
{
    const QImage image = widget->grab().toImage();
    for (int y = image.height() - 1; y >= 0; --y)
        for (int x = 0; x < image.width(); ++x)
            if (image.pixelColor(x, y) == color) return QPoint(x, y) / image.devicePixelRatio();
    return std::nullopt;
}

inline void showWindow(MainWindow& window)
{
    window.show();
    window.activateWindow();
    QVERIFY(QTest::qWaitForWindowActive(&window));
}

// Ctrl+F, a layer's name, Escape: the layer is selected and in view.
inline void find(MainWindow& window, const QString& layer)
{
    press(window, Qt::Key_F);
    auto* line = named<QLineEdit>(window, QStringLiteral("findText"));
    QTRY_VERIFY(line && line->isVisible());
    QTest::keyClicks(line, layer);
    QTest::keyClick(line, Qt::Key_Escape);
}

// Keeps the person's settings out of the test; the model that it needs.
inline void prepare(const QTemporaryDir& folder, QString& model)
{
    QVERIFY(folder.isValid());
    QSettings::setPath(QSettings::NativeFormat, QSettings::UserScope, folder.path());
    model = QDir(modelFolder()).filePath(QStringLiteral("resnet18.onnx"));
    QVERIFY2(!modelFolder().isEmpty() && QFileInfo::exists(model),
             "resnet18.onnx is missing: set FOVEA_TEST_MODELS to the folder that tests/models/export_torchvision.py "
             "filled.");
    applyTheme(Theme::Light);
}

template <typename Test>
int runWindowTest(int argc, char** argv)
{
    // The tests type into file dialogs, so they have to be Qt's own.
    QCoreApplication::setAttribute(Qt::AA_DontUseNativeDialogs);
    QCoreApplication::setOrganizationName(QStringLiteral("fovea"));
    QCoreApplication::setApplicationName(QStringLiteral("fovea-studio-test"));
    QApplication app(argc, argv);
    Test test;
    return QTest::qExec(&test, argc, argv);
}

}  // namespace fovea::studio
