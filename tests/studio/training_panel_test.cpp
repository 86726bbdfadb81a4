// Training on the real window, by mouse and keyboard events alone, with an engine that only pretends.
#include "core/base/files.h"
#include "core/io/onnx/onnx.h"
#include "core/recipe/run_folder.h"
#include "core/recipe/run_lock.h"
#include "tests/studio/window_driver.h"

#include <QAbstractItemView>
#include <QComboBox>
#include <QCompleter>
#include <QDockWidget>
#include <QInputDialog>
#include <QListWidget>
#include <QMenu>
#include <QPlainTextEdit>
#include <QProgressBar>
#include <QPushButton>
#include <QScrollArea>
#include <QSlider>
#include <QTableView>
#include <QTableWidget>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace fovea::studio {

namespace {

const QColor kOriginal(0x00, 0x72, 0xb2), kRefined(0xe6, 0x9f, 0x00);

// Answers the next question that appears.
class Answerer : public QObject {
public:
    Answerer(const QString& question, const QString& button) : m_question(question), m_button(button)
    {
        connect(&m_timer, &QTimer::timeout, this, [this] {
            auto* box = qobject_cast<QMessageBox*>(QApplication::activeModalWidget());
            if (!box || box->objectName() != m_question) return;
            for (QAbstractButton* choice : box->buttons())
                if (choice->text().remove(QLatin1Char('&')) == m_button) {
                    m_timer.stop();
                    m_asked = true;
                    QTest::mouseClick(choice, Qt::LeftButton);
                    return;
                }
        });
        m_timer.start(30);
    }
    bool wasAsked() const { return m_asked; }

private:
    QString m_question, m_button;
    QTimer m_timer;
    bool m_asked = false;
};

void tell(const char* words) { qputenv("FOVEA_FAKE_ENGINE", words); }

QString stateOf(const QWidget& window) { return shownText(window, "runState"); }

QComboBox* runList(const QWidget& window) { return named<QComboBox>(window, QStringLiteral("runList")); }

void waitFor(const QWidget& window, const QString& state)
{
    QTRY_VERIFY2_WITH_TIMEOUT(stateOf(window).startsWith(state), qPrintable(stateOf(window)), kWaitMs);
}

void typeInto(QWidget& window, const char* line, const QString& words)
{
    auto* field = named<QWidget>(window, QLatin1String(line));
    QVERIFY2(field, line);
    field->setFocus();
    QTest::keyClick(field, Qt::Key_A, Qt::ControlModifier);
    QTest::keyClicks(field, words);
}

double firstWeight(const QString& path)
{
    const Model model = readOnnx(path.toStdString());
    for (const auto& [name, tensor] : model.weights.tensors())
        if (name == "conv1.weight") return tensor.real(0);
    return std::nan("");
}

}  // namespace

class TrainingPanelTest : public QObject {
    Q_OBJECT
private slots:
    void initTestCase()
    {
        QVERIFY(m_folder.isValid());
        QSettings::setPath(QSettings::NativeFormat, QSettings::UserScope, m_folder.path());
        qputenv("FOVEA_ENGINE", FOVEA_FAKE_ENGINE);
        applyTheme(Theme::Light);
    }

    // Each test has a folder of its own for its runs.
    void init()
    {
        tell("step=5");
        m_runs = m_folder.filePath(QLatin1String(QTest::currentTestFunction()));
    }

    void curvesGrowWhileItTrainsAndAPausedRunGoesOnToItsEnd()
    {
        tell("step=40");
        MainWindow window;
        openAndStart(window, 8);
        waitFor(window, QStringLiteral("Training."));
        auto* plot = named<QWidget>(window, QStringLiteral("trainingPlot"));
        QTRY_VERIFY_WITH_TIMEOUT(pointOfColor(plot, kOriginal), kWaitMs);
        QVERIFY(shownText(window, "runFacts").contains(QStringLiteral(" of 8")));
        QVERIFY(shownText(window, "runFacts").contains(QStringLiteral("images/s")));
        click(window, "runPause");
        waitFor(window, QStringLiteral("Paused."));
        const auto measured = readMetrics(folderOf("001-quick").metrics()).size();
        QVERIFY(measured > 0);
        tell("step=1");
        click(window, "runResume");
        waitFor(window, QStringLiteral("Done."));
        QVERIFY(readMetrics(folderOf("001-quick").metrics()).size() > measured);
        QCOMPARE(stateOnDisk(), QStringLiteral("done"));
        QVERIFY2(shownText(window, "runResult").startsWith(QStringLiteral("Best top-1 88.9 % after epoch 8")),
                 qPrintable(shownText(window, "runResult")));
        QCOMPARE(named<QProgressBar>(window, QStringLiteral("runProgress"))->text(), QStringLiteral("100 %"));
        const QString log = named<QPlainTextEdit>(window, QStringLiteral("runLog"))->toPlainText();
        QVERIFY(log.contains(QStringLiteral("Begins.")) && log.contains(QStringLiteral("Goes on.")));
    }

    void aRunThatHasEndedIsTrainedFurther()
    {
        MainWindow window;
        openAndStart(window, 2);
        waitFor(window, QStringLiteral("Done."));
        auto* further = named<QPushButton>(window, QStringLiteral("runResume"));
        QTRY_VERIFY(further->isVisible());
        QCOMPARE(further->text(), QStringLiteral("Train fu&rther\u2026"));
        click(window, "runResume");
        auto* dialog = qobject_cast<QInputDialog*>(dialogOf(window, "furtherDialog"));
        QCOMPARE(dialog->intValue(), 3);
        typeNumber(dialog->findChild<QSpinBox*>(), 4);
        QTRY_VERIFY(!named<QDialog>(window, QStringLiteral("furtherDialog")));
        waitFor(window, QStringLiteral("Done."));
        QTRY_VERIFY2_WITH_TIMEOUT(
            shownText(window, "runResult").startsWith(QStringLiteral("Best top-1 80.0 % after epoch 4")),
            qPrintable(shownText(window, "runResult")), kWaitMs);
    }

    void aStoppedRunCanBeResumed()
    {
        tell("step=40");
        MainWindow window;
        openAndStart(window, 50);
        waitFor(window, QStringLiteral("Training."));
        click(window, "runStop");
        waitFor(window, QStringLiteral("Stopped. It was asked to stop."));
        QCOMPARE(stateOnDisk(), QStringLiteral("stopped"));
        QVERIFY(named<QPushButton>(window, QStringLiteral("runResume"))->isEnabled());
    }

    void aKilledEngineIsToldOfAndItsRunResumesFromTheMessage()
    {
        tell("die=12");
        MainWindow window;
        openAndStart(window, 4);
        waitFor(window, QStringLiteral("Interrupted. The engine was killed (signal 9)"));
        QVERIFY(shownText(window, "messageText")
                    .startsWith(QStringLiteral("Training 001-quick ended early: The engine was killed")));
        QCOMPARE(shownText(window, "status.parameters"), m_parameters);
        tell("step=1");
        click(window, "messageAction");
        waitFor(window, QStringLiteral("Done."));
        QVERIFY(!named<QWidget>(window, QStringLiteral("messageBar"))->isVisible());
        // What was done twice is drawn once.
        std::int64_t last = 0;
        for (const MetricsLine& line : readMetrics(folderOf("001-quick").metrics())) {
            QVERIFY(line.step >= last);
            last = line.step;
        }
        QCOMPARE(last, 20);
    }

    void theOfferToResumeGoesWhenAnotherRunIsStarted()
    {
        tell("die=12");
        MainWindow window;
        openAndStart(window, 4);
        waitFor(window, QStringLiteral("Interrupted."));
        QVERIFY(named<QPushButton>(window, QStringLiteral("messageAction"))->isVisible());
        tell("step=1");
        press(window, Qt::Key_T);
        click(window, "trainingStart");
        QVERIFY(!named<QWidget>(window, QStringLiteral("messageBar"))->isVisible());
        waitFor(window, QStringLiteral("Done."));
    }

    void aRunThatDiesBeforeItsFirstCheckpointIsNotOfferedAgain()
    {
        tell("code=7");
        MainWindow window;
        openAndStart(window, 4);
        waitFor(window, QStringLiteral("Interrupted. The engine ended with code 7."));
        QVERIFY(!named<QPushButton>(window, QStringLiteral("messageAction"))->isVisible());
        QVERIFY(!named<QPushButton>(window, QStringLiteral("runResume"))->isVisible());
    }

    void whatTheEngineRefusesIsSaidInItsWords()
    {
        tell("refuse=train");
        MainWindow window;
        openAndStart(window, 4);
        waitFor(window, QStringLiteral("Failed. The fake engine will not train."));
        QVERIFY(shownText(window, "messageText").contains(QStringLiteral("The fake engine will not train.")));
        openTab(window, QStringLiteral("Set up"));
        QVERIFY(named<QPushButton>(window, QStringLiteral("trainingStart"))->isEnabled());
    }

    void whatCannotBeTrainedIsSaidBeforeItStarts()
    {
        MainWindow window;
        openSetup(window);
        auto* start = named<QPushButton>(window, QStringLiteral("trainingStart"));
        QTRY_VERIFY_WITH_TIMEOUT(start->isEnabled(), kWaitMs);
        typeInto(window, "recipe.epochs", QStringLiteral("many"));
        QVERIFY(!start->isEnabled());
        QVERIFY2(shownText(window, "recipe.epochs.wrong")
                     .startsWith(QStringLiteral("Option 'epochs' must be a whole number")),
                 qPrintable(shownText(window, "recipe.epochs.wrong")));
        typeInto(window, "recipe.epochs", QStringLiteral("3"));
        QVERIFY(start->isEnabled());
        QVERIFY(!named<QLabel>(window, QStringLiteral("recipe.epochs.wrong"))->isVisible());
        typeInto(window, "dataSource", QStringLiteral("/no/such/folder"));
        QVERIFY(!start->isEnabled());
        QCOMPARE(shownText(window, "trainingProblem"),
                 QStringLiteral("There is no folder \u201c/no/such/folder\u201d."));
        typeInto(window, "dataSource", QStringLiteral("patterns"));
        click(window, "recipeFold");
        typeInto(window, "recipe.warmup-epochs", QStringLiteral("5"));
        QVERIFY(shownText(window, "trainingProblem").startsWith(QStringLiteral("The warm-up of 5 epochs")));
        QVERIFY(!named<QWidget>(window, QStringLiteral("recipe.warmup-epochs"))->toolTip().isEmpty());
        typeInto(window, "recipe.warmup-epochs", QStringLiteral("0"));
        // Layers that can be frozen are those of the network that is open.
        auto* freeze = named<QLineEdit>(window, QStringLiteral("recipe.freeze"));
        typeInto(window, "recipe.freeze", QStringLiteral("c"));
        QVERIFY(freeze->completer()->popup()->isVisible());
        QVERIFY(freeze->completer()->completionCount() > 0);
        const QString layer = freeze->completer()->currentCompletion();
        freeze->completer()->popup()->hide();
        QVERIFY(!start->isEnabled());
        QCOMPARE(shownText(window, "recipe.freeze.wrong"),
                 QStringLiteral("The network has no layer and no group called 'c' to freeze. Did you mean 'fc1'?"));
        typeInto(window, "recipe.freeze", layer);
        freeze->completer()->popup()->hide();
        QVERIFY(start->isEnabled());
        QVERIFY(!named<QLabel>(window, QStringLiteral("recipe.freeze.wrong"))->isVisible());
        // The engine answers which devices it has when it has started.
        QTRY_COMPARE_WITH_TIMEOUT(shownText(window, "trainingNoGpu"),
                                  QStringLiteral("No GPU: The fake engine has none."), kWaitMs);
    }

    void withoutAnEngineOneSentenceSaysWhatToInstall()
    {
        qputenv("FOVEA_ENGINE", "/no/such/engine");
        MainWindow window;
        openSetup(window);
        QVERIFY(
            shownText(window, "trainingProblem").startsWith(QStringLiteral("Training needs the program fovea-engine")));
        QVERIFY(!named<QPushButton>(window, QStringLiteral("trainingStart"))->isEnabled());
        qputenv("FOVEA_ENGINE", FOVEA_FAKE_ENGINE);
    }

    void aRunGoesOnWhileItsPanelIsClosed()
    {
        MainWindow window;
        openAndStart(window, 6);
        auto* dock = named<QDockWidget>(window, QStringLiteral("trainingDock"));
        dock->close();
        QTRY_COMPARE_WITH_TIMEOUT(isRunFolder(folderOf("001-quick").root), true, kWaitMs);
        QTRY_COMPARE_WITH_TIMEOUT(stateOnDisk(), QStringLiteral("done"), kWaitMs);
        press(window, Qt::Key_T);
        QVERIFY(dock->isVisible());
        openTab(window, QStringLiteral("Run"));
        waitFor(window, QStringLiteral("Done."));
    }

    void closingTheWindowAsksAndStopsFirst()
    {
        tell("step=30");
        MainWindow window;
        openAndStart(window, 100);
        waitFor(window, QStringLiteral("Training."));
        Answerer keeper(QStringLiteral("trainingQuestion"), QStringLiteral("Keep open"));
        window.close();
        QVERIFY(keeper.wasAsked());
        QVERIFY(window.isVisible());
        QCOMPARE(stateOf(window), QStringLiteral("Training."));
        Answerer closer(QStringLiteral("trainingQuestion"), QStringLiteral("Stop and close"));
        window.close();
        QVERIFY(closer.wasAsked());
        QTRY_VERIFY_WITH_TIMEOUT(!window.isVisible(), kWaitMs);
        QCOMPARE(stateOnDisk(), QStringLiteral("stopped"));
    }

    void theBestWeightsAreOneUndoStep()
    {
        MainWindow window;
        const QString before = m_folder.filePath(QStringLiteral("before.onnx")),
                      after = m_folder.filePath(QStringLiteral("after.onnx")),
                      undone = m_folder.filePath(QStringLiteral("undone.onnx"));
        openAndStart(window, 2);
        waitFor(window, QStringLiteral("Done."));
        exportTo(window, before);
        click(window, "runUse");
        QTRY_VERIFY_WITH_TIMEOUT(shownText(window, "messageText").startsWith(QStringLiteral("The network now has")),
                                 kWaitMs);
        exportTo(window, after);
        press(window, Qt::Key_Z);
        QVERIFY(!window.isWindowModified());
        exportTo(window, undone);
        QVERIFY2(std::abs(firstWeight(after) - firstWeight(before) - 1) < 1e-6, "the weights are not the run's");
        QCOMPARE(firstWeight(undone), firstWeight(before));
    }

    void anOriginalAndARefinedRunLieOverOneAnotherInTwoColours()
    {
        tell("step=1");
        MainWindow window;
        openAndStart(window, 3);
        waitFor(window, QStringLiteral("Done."));
        rename(window);
        press(window, Qt::Key_T);
        click(window, "trainingStart");
        QTRY_COMPARE_WITH_TIMEOUT(runList(window)->count(), 2, kWaitMs);
        waitFor(window, QStringLiteral("Done."));
        auto* plot = named<QWidget>(window, QStringLiteral("trainingPlot"));
        QTRY_VERIFY_WITH_TIMEOUT(pointOfColor(plot, kRefined) && pointOfColor(plot, kOriginal), kWaitMs);
        auto* list = named<QListWidget>(window, QStringLiteral("curveRuns"));
        QCOMPARE(list->count(), 2);
        QVERIFY(list->item(0)->text().contains(QStringLiteral("refined")));
        list->setCurrentRow(1);
        list->setFocus();
        QTest::keyClick(list, Qt::Key_Space);
        QTRY_VERIFY(!pointOfColor(plot, kOriginal));
        QVERIFY(pointOfColor(plot, kRefined));
        for (const QString& quantity :
             {QStringLiteral("Validation loss"), QStringLiteral("Top-1"), QStringLiteral("Top-5"),
              QStringLiteral("Learning rate"), QStringLiteral("Images per second")}) {
            choose(named<QComboBox>(window, QStringLiteral("curveQuantity")), quantity);
            QTRY_VERIFY2(pointOfColor(plot, kRefined), qPrintable(quantity));
        }
        auto* smoothing = named<QSlider>(window, QStringLiteral("curveSmoothing"));
        const QImage rough = plot->grab().toImage();
        smoothing->setFocus();
        for (int i = 0; i < 5; ++i) QTest::keyClick(smoothing, Qt::Key_PageUp);
        QTRY_VERIFY(plot->grab().toImage() != rough);
        discard(window);
    }

    // Few images make fewer lines of steps than of epochs.
    void everyCurveIsDrawnWhereOnlyEpochsWereMeasured()
    {
        tell("epochs");
        MainWindow window;
        openSetup(window);
        startNow(window, 3, m_runs);
        waitFor(window, QStringLiteral("Done."));
        auto* plot = named<QWidget>(window, QStringLiteral("trainingPlot"));
        auto* quantity = named<QComboBox>(window, QStringLiteral("curveQuantity"));
        QVERIFY(quantity->count() >= 6);
        for (int i = 0; i < quantity->count(); ++i) {
            choose(quantity, quantity->itemText(i));
            QTRY_VERIFY2(pointOfColor(plot, kOriginal), qPrintable(quantity->itemText(i)));
        }
    }

    void aLongNameGivesWayInItsMiddleSoThatTheRoleIsRead()
    {
        const QString name = QStringLiteral("a_network_whose_name_is_far_too_long_for_the_list_of_runs");
        const QString model = m_folder.filePath(name + QStringLiteral(".fovea"));
        saveModel(openModel("zoo:lenet5"), model.toStdString());
        tell("step=1");
        MainWindow window;
        openSetup(window, model);
        startNow(window, 1, m_runs);
        waitFor(window, QStringLiteral("Done."));
        const auto reads = [&](const QString& run, const QString& role) {
            const QString shown = runList(window)->currentText();
            QVERIFY2(shown.startsWith(run + QStringLiteral("  a_net")) &&
                         shown.endsWith(QStringLiteral("runs, ") + role) && shown.contains(QChar(0x2026)),
                     qPrintable(shown));
            QVERIFY(runList(window)->fontMetrics().horizontalAdvance(shown) < runList(window)->width() - 16);
            QVERIFY2(runList(window)->toolTip().startsWith(QStringLiteral("%1  %2, %3\n").arg(run, name, role)),
                     qPrintable(runList(window)->toolTip()));
        };
        reads(QStringLiteral("001-quick"), QStringLiteral("original"));
        rename(window);
        press(window, Qt::Key_T);
        click(window, "trainingStart");
        QTRY_COMPARE_WITH_TIMEOUT(runList(window)->count(), 2, kWaitMs);
        waitFor(window, QStringLiteral("Done."));
        reads(QStringLiteral("002-quick"), QStringLiteral("refined"));
        const auto* curves = named<QListWidget>(window, QStringLiteral("curveRuns"));
        QVERIFY2(curves->item(0)->text().endsWith(QStringLiteral(", refined")), qPrintable(curves->item(0)->text()));
        discard(window);
    }

    void anotherPreprocessingAloneMakesNoRefinedNetwork()
    {
        MainWindow window;
        openSetup(window);
        find(window, QStringLiteral("input"));
        auto* values = named<QComboBox>(window, QStringLiteral("preprocessing.values"));
        QTRY_VERIFY(values->isVisible());
        choose(values, QStringLiteral("0 to 1"));
        QVERIFY(window.isWindowModified());
        startNow(window, 1, m_runs);
        waitFor(window, QStringLiteral("Done."));
        QVERIFY2(runList(window)->currentText().endsWith(QStringLiteral(", original")),
                 qPrintable(runList(window)->currentText()));
        discard(window);
    }

    void runsOfBeforeAreFoundBesideTheDocument()
    {
        const QString model = m_folder.filePath(QStringLiteral("small.fovea"));
        QVERIFY(isRunFolder(finishedBeside(model).root));
        MainWindow window;
        openRunsOf(window, model);
        waitFor(window, QStringLiteral("Done."));
        QVERIFY(named<QPushButton>(window, QStringLiteral("runUse"))->isEnabled());
        QVERIFY(named<QPlainTextEdit>(window, QStringLiteral("runLog")) != nullptr);
        QVERIFY(shownText(window, "runResult").startsWith(QStringLiteral("Best top-1 66.7 % after epoch 2")));
    }

    void aRunOfAnotherProcessIsFollowedToItsEnd()
    {
        const QString model = m_folder.filePath(QStringLiteral("followed.fovea"));
        const RunFolder folder = finishedBeside(model);
        const auto setState = [&](const std::string& state) {
            RunInfo info = readRunInfo(folder);
            info.state = state;
            writeAtomically(folder.info(), toJson(info).dump());
        };
        const auto append = [](const std::filesystem::path& file, const std::string& line) {
            std::ofstream(file, std::ios::app) << line << "\n";
        };
        setState("running");
        auto lock = std::make_unique<RunLock>(folder);  // as the engine of that process holds it
        MainWindow window;
        openRunsOf(window, model);
        QCOMPARE(stateOf(window), QStringLiteral("Training in another process."));
        QVERIFY(!named<QWidget>(window, QStringLiteral("runResume"))->isVisible());
        MetricsLine line = readMetrics(folder.metrics()).back();
        line.epoch = 2;
        line.step += 5;
        line.top1 = 0.987;
        append(folder.metrics(), toJson(line).dump());
        append(folder.log(), "Said by the other process.");
        auto* log = named<QPlainTextEdit>(window, QStringLiteral("runLog"));
        QTRY_VERIFY_WITH_TIMEOUT(log->toPlainText().endsWith(QStringLiteral("Said by the other process.")), kWaitMs);
        QTRY_VERIFY2_WITH_TIMEOUT(
            shownText(window, "runResult").startsWith(QStringLiteral("Best top-1 98.7 % after epoch 3")),
            qPrintable(shownText(window, "runResult")), kWaitMs);
        QCOMPARE(stateOf(window), QStringLiteral("Training in another process."));
        lock.reset();
        setState("done");
        waitFor(window, QStringLiteral("Done."));
    }

    void aRunWhoseGpuIsGoneGoesOnWithTheProcessorAndSaysSo()
    {
        const QString model = m_folder.filePath(QStringLiteral("gone.fovea"));
        const RunFolder folder = finishedBeside(model);
        RunInfo info = readRunInfo(folder);
        info.state = "stopped";
        info.device = "cuda:0";
        writeAtomically(folder.info(), toJson(info).dump());
        MainWindow window;
        openRunsOf(window, model);
        click(window, "runResume");
        const auto* log = named<QPlainTextEdit>(window, QStringLiteral("runLog"));
        QTRY_VERIFY2_WITH_TIMEOUT(log->toPlainText().contains(QStringLiteral(
                                      "The device cuda:0 is not here any more: it goes on with cpu.")),
                                  qPrintable(log->toPlainText()), kWaitMs);
        waitFor(window, QStringLiteral("Done."));
    }

    void networksAreEvaluatedBesideWhatWasOpenedAlsoBeforeAnyTraining()
    {
        MainWindow window;
        openSetup(window);
        openTab(window, QStringLiteral("Evaluate"));
        click(window, "evaluate");
        QTRY_COMPARE_WITH_TIMEOUT(cell(window, 3, 0), QStringLiteral("100"), kWaitMs);
        QCOMPARE(cell(window, 1, 0), QStringLiteral("90.00 %"));
        QCOMPARE(cell(window, 0, 1), QStringLiteral("\u2013"));
        rename(window);
        QCOMPARE(cell(window, 0, 0), QStringLiteral("\u2013"));
        click(window, "evaluate");
        QTRY_COMPARE_WITH_TIMEOUT(cell(window, 3, 1), QStringLiteral("100"), kWaitMs);
        QCOMPARE(cell(window, 3, 0), QStringLiteral("100"));
        click(window, "evaluateConfusion");
        auto* table = window.findChild<QTableView*>(QStringLiteral("confusion.0"));
        QTRY_VERIFY(table && table->isVisible());
        QVERIFY(window.findChild<QTableView*>(QStringLiteral("confusion.1")));
        const QAbstractItemModel& model = *table->model();
        QCOMPARE(model.rowCount(), 3);
        QCOMPARE(model.index(0, 1).data().toString(), QStringLiteral("5"));
        QCOMPARE(model.headerData(1, Qt::Horizontal).toString(), QStringLiteral("dog"));
        QVERIFY(model.index(0, 0)
                    .data(Qt::ToolTipRole)
                    .toString()
                    .startsWith(QStringLiteral("cat taken for cat: 40 images, 88.9 %")));
        // At another side the network that was opened is another one too.
        typeNumber(named<QSpinBox>(window, QStringLiteral("sideHeight")), 48);
        QCOMPARE(cell(window, 3, 1), QStringLiteral("\u2013"));
        discard(window);
    }

    void anEvaluationThatIsRefusedOrDiesSaysSo()
    {
        tell("refuse=evaluate");
        MainWindow window;
        openSetup(window);
        openTab(window, QStringLiteral("Evaluate"));
        click(window, "evaluate");
        QTRY_COMPARE_WITH_TIMEOUT(shownText(window, "evaluateState"),
                                  QStringLiteral("The fake engine will not evaluate."), kWaitMs);
        QVERIFY(named<QPushButton>(window, QStringLiteral("evaluate"))->isEnabled());
    }

    void imagesThatCannotBeReadAreNamedWhereverTheyAreRead()
    {
        tell("broken");
        MainWindow window;
        openSetup(window);
        const QString told = QStringLiteral("Images that could not be read, and were left out: 4 (a.jpg, b.jpg, c.jpg, \u2026). The first: It is cut.");
        typeInto(window, "dataSource", QStringLiteral("patterns"));
        click(window, "findRate");
        auto* dialog = dialogOf(window, "rateDialog");
        QTRY_VERIFY_WITH_TIMEOUT(shownText(*dialog, "rateState").endsWith(told), kWaitMs);
        dialog->reject();
        openTab(window, QStringLiteral("Evaluate"));
        click(window, "evaluate");
        QTRY_COMPARE_WITH_TIMEOUT(shownText(window, "evaluateState"), told, kWaitMs);
        click(window, "probe");
        QTRY_VERIFY_WITH_TIMEOUT(shownText(window, "evaluateState").startsWith(QStringLiteral("2 layers probed")), kWaitMs);
        QVERIFY(shownText(window, "evaluateState").endsWith(told));
        click(window, "recalibrate");
        QTRY_VERIFY_WITH_TIMEOUT(shownText(window, "evaluateState").startsWith(QStringLiteral("2 norms recal")), kWaitMs);
        QVERIFY(shownText(window, "evaluateState").endsWith(told));
        discard(window);
    }

    void normsAreRecalibratedAsOneUndoStep()
    {
        MainWindow window;
        openSetup(window);
        openTab(window, QStringLiteral("Evaluate"));
        click(window, "recalibrate");
        QTRY_VERIFY_WITH_TIMEOUT(
            shownText(window, "evaluateState")
                .startsWith(QStringLiteral("2 norms recalibrated: top-1 25.0 % before, 75.0 % after")),
            kWaitMs);
        QVERIFY(window.isWindowModified());
        press(window, Qt::Key_Z);
        QVERIFY(!window.isWindowModified());
    }

    void probesAreDrawnOverTheReceptiveFieldsUntilTheNetworkChanges()
    {
        MainWindow window;
        openSetup(window);
        openTab(window, QStringLiteral("Evaluate"));
        auto* plot = named<QWidget>(window, QStringLiteral("fieldPlot"));
        const QImage before = plot->grab().toImage();
        click(window, "probe");
        QTRY_VERIFY2_WITH_TIMEOUT(shownText(window, "evaluateState")
                                      .startsWith(QStringLiteral("2 layers probed, drawn over the receptive fields; "
                                                                 "best conv2 with top-1 34.0 %")),
                                  qPrintable(shownText(window, "evaluateState")), kWaitMs);
        QTRY_VERIFY(plot->grab().toImage() != before);
        const QImage with = plot->grab().toImage();
        rename(window);
        QTRY_VERIFY(plot->grab().toImage() != with);
        discard(window);
    }

    void theEffectiveFieldOfTheSelectedLayerIsShownWithTheBoxThatIsPredicted()
    {
        MainWindow window;
        openSetup(window);
        find(window, QStringLiteral("conv1"));
        openLastOfTrainingMenu(window);
        QTRY_VERIFY_WITH_TIMEOUT(window.findChild<QDialog*>(QStringLiteral("effectiveFieldDialog")), kWaitMs);
        auto* dialog = window.findChild<QDialog*>(QStringLiteral("effectiveFieldDialog"));
        QTRY_VERIFY2_WITH_TIMEOUT(shownText(*dialog, "fieldText")
                                      .startsWith(QStringLiteral("White, dashed: what the unit can read, 5 x 5 px.")),
                                  qPrintable(shownText(*dialog, "fieldText")), kWaitMs);
        QVERIFY(
            shownText(*dialog, "fieldText").contains(QStringLiteral("15 x 15 px; diameter 14.7 px, deviation 3.0 px")));
        QVERIFY(pointOfColor(named<QWidget>(*dialog, QStringLiteral("effectiveField")), kRefined));
    }

    void aLearningRateIsFoundDrawnAndTaken()
    {
        MainWindow window;
        openSetup(window);
        typeInto(window, "dataSource", QStringLiteral("patterns"));
        click(window, "findRate");
        auto* dialog = dialogOf(window, "rateDialog");
        QTRY_COMPARE_WITH_TIMEOUT(shownText(*dialog, "rateState"),
                                  QStringLiteral("The loss falls steepest at a learning rate of 0.0123."), kWaitMs);
        auto* plot = named<QWidget>(*dialog, QStringLiteral("ratePlot"));
        QTRY_VERIFY(pointOfColor(plot, kOriginal) && pointOfColor(plot, kRefined));
        auto* use = named<QPushButton>(*dialog, QStringLiteral("rateUse"));
        QCOMPARE(use->text(), QStringLiteral("&Use 0.0123"));
        QTest::mouseClick(use, Qt::LeftButton);
        QCOMPARE(named<QLineEdit>(window, QStringLiteral("recipe.lr"))->text(), QStringLiteral("0.0123"));
        QTRY_VERIFY(!dialogOf(window, "rateDialog", false));
        typeInto(window, "trainingFolder", m_runs);
        click(window, "trainingStart");
        waitFor(window, QStringLiteral("Done."));
        QCOMPARE(readRecipe(folderOf("001-quick").recipe()).lr, 0.0123);
    }

    void whereNoLearningRateHelpsOneSentenceSaysSo()
    {
        tell("flat");
        MainWindow window;
        openSetup(window);
        click(window, "findRate");
        auto* dialog = dialogOf(window, "rateDialog");
        QTRY_VERIFY2_WITH_TIMEOUT(shownText(*dialog, "rateState")
                                      .startsWith(QStringLiteral("No rate is suggested: the loss falls at none of")),
                                  qPrintable(shownText(*dialog, "rateState")), kWaitMs);
        QVERIFY(!named<QPushButton>(*dialog, QStringLiteral("rateUse"))->isVisible());
        QVERIFY(pointOfColor(named<QWidget>(*dialog, QStringLiteral("ratePlot")), kOriginal));
    }

    void aSearchForALearningRateIsStoppedAndWhatItRefusesIsSaid()
    {
        tell("step=40");
        MainWindow window;
        openSetup(window);
        click(window, "findRate");
        auto* dialog = dialogOf(window, "rateDialog");
        QTRY_VERIFY_WITH_TIMEOUT(shownText(*dialog, "rateState").startsWith(QStringLiteral("Step ")), kWaitMs);
        click(*dialog, "rateStop");
        QTRY_VERIFY2_WITH_TIMEOUT(shownText(*dialog, "rateState").contains(QStringLiteral("No rate is suggested yet")),
                                  qPrintable(shownText(*dialog, "rateState")), kWaitMs);
        tell("refuse=findLearningRate");
        click(*dialog, "rateAgain");
        QTRY_COMPARE_WITH_TIMEOUT(shownText(*dialog, "rateState"),
                                  QStringLiteral("The fake engine will not findLearningRate."), kWaitMs);
        click(*dialog, "rateClose");
        QTRY_VERIFY(!dialogOf(window, "rateDialog", false));
        QCOMPARE(named<QLineEdit>(window, QStringLiteral("recipe.lr"))->text(), QStringLiteral("0.05"));
    }

    void theCostOfAStepIsMeasuredBesideWhatWasOpened()
    {
        MainWindow window;
        openSetup(window);
        openTab(window, QStringLiteral("Evaluate"));
        typeNumber(named<QSpinBox>(window, QStringLiteral("costBatch")), 16);
        click(window, "measureCost");
        QTRY_COMPARE_WITH_TIMEOUT(
            shownText(window, "costState"),
            QStringLiteral("A step of 16 images of 32 px on cpu: median of 5 steps, and the memory of all tensors at its most."), kWaitMs);
        QCOMPARE(columnOf(window, 0), QStringLiteral("16.0 ms, 61.00 MiB, 4.00 ms, 61.00 MiB"));
        QCOMPARE(columnOf(window, 1), QStringLiteral("\u2013, \u2013, \u2013, \u2013"));
        rename(window);
        QCOMPARE(columnOf(window, 0), QStringLiteral("\u2013, \u2013, \u2013, \u2013"));
        click(window, "measureCost");
        QTRY_VERIFY_WITH_TIMEOUT(shownText(window, "costState").startsWith(QStringLiteral("A step of 16")), kWaitMs);
        QCOMPARE(columnOf(window, 0), QStringLiteral("16.0 ms, 63.00 MiB, 4.00 ms, 63.00 MiB"));
        QCOMPARE(columnOf(window, 1), QStringLiteral("16.0 ms, 61.00 MiB, 4.00 ms, 61.00 MiB"));
        discard(window);
    }

    void aMeasurementOfCostIsStoppedAtOnceAndRefusedInTheEnginesWords()
    {
        tell("step=5000");
        MainWindow window;
        openSetup(window);
        openTab(window, QStringLiteral("Evaluate"));
        click(window, "measureCost");
        QTRY_VERIFY_WITH_TIMEOUT(shownText(window, "costState").startsWith(QStringLiteral("Measuring training")),
                                 kWaitMs);
        QVERIFY(!named<QPushButton>(window, QStringLiteral("evaluate"))->isEnabled());
        click(window, "costStop");
        QCOMPARE(shownText(window, "costState"), QStringLiteral("The measurement was stopped."));
        QVERIFY(named<QPushButton>(window, QStringLiteral("evaluate"))->isEnabled());
        tell("refuse=cost");
        click(window, "measureCost");
        QTRY_COMPARE_WITH_TIMEOUT(shownText(window, "costState"), QStringLiteral("The fake engine will not cost."),
                                  kWaitMs);
    }

    void noCostIsMeasuredWhileARunTakesTheTime()
    {
        tell("step=40");
        MainWindow window;
        openAndStart(window, 50);
        waitFor(window, QStringLiteral("Training."));
        openTab(window, QStringLiteral("Evaluate"));
        QVERIFY(!named<QPushButton>(window, QStringLiteral("measureCost"))->isEnabled());
        QVERIFY(shownText(window, "costState").startsWith(QStringLiteral("A run is going on and would disturb")));
        openTab(window, QStringLiteral("Run"));
        click(window, "runStop");
        waitFor(window, QStringLiteral("Stopped."));
    }

private:
    static QString columnOf(const QWidget& window, int column)
    {
        const auto* table = named<QTableWidget>(window, QStringLiteral("costTable"));
        QStringList out;
        for (int row = 0; row < table->rowCount(); ++row) out << table->item(row, column)->text();
        return out.join(QStringLiteral(", "));
    }

    static QDialog* dialogOf(MainWindow& window, const char* name, bool awaited = true)
    {
        const auto found = [&] { return window.findChild<QDialog*>(QLatin1String(name)); };
        if (awaited && !QTest::qWaitFor([&] { return found() != nullptr; }, kWaitMs)) qFatal("no dialog %s", name);
        return found();
    }

    static void openLastOfTrainingMenu(MainWindow& window)
    {
        for (QMenu* menu : window.findChildren<QMenu*>())
            if (menu->title() == QStringLiteral("&Training")) {
                menu->popup({});
                QTest::keyClick(menu, Qt::Key_Up);
                QTest::keyClick(menu, Qt::Key_Return);
            }
    }

    static QString cell(const QWidget& window, int row, int column)
    {
        const auto* table = named<QTableWidget>(window, QStringLiteral("evaluateTable"));
        return table->item(row, column)->text();
    }

    // Any edit makes it another network.
    static void rename(MainWindow& window)
    {
        find(window, QStringLiteral("conv1"));
        typeInto(window, "layerName", QStringLiteral("opening"));
        QTest::keyClick(named<QLineEdit>(window, QStringLiteral("layerName")), Qt::Key_Return);
        QTRY_VERIFY(window.isWindowModified());
    }

    RunFolder folderOf(const char* run) const { return {std::filesystem::path(m_runs.toStdString()) / run}; }

    QString stateOnDisk() const
    {
        const RunFolder folder = folderOf("001-quick");
        return isRunFolder(folder.root) ? QString::fromStdString(readRunInfo(folder).state) : QStringLiteral("none");
    }

    static void openTab(QWidget& window, const QString& title)
    {
        fovea::studio::openTab(window, "trainingTabs", title);
    }

    void openSetup(MainWindow& window, const QString& model = QStringLiteral("zoo:lenet5"))
    {
        showWindow(window);
        window.openModel(model);
        QTRY_VERIFY_WITH_TIMEOUT(
            window.windowTitle().endsWith(QStringLiteral("Fovea")) && window.windowTitle().size() > 7, kWaitMs);
        m_parameters = shownText(window, "status.parameters");
        press(window, Qt::Key_T);
        QTRY_VERIFY(named<QWidget>(window, QStringLiteral("trainingSetup"))->isVisible());
    }

    void startNow(MainWindow& window, int epochs, const QString& folder)
    {
        typeInto(window, "dataSource", QStringLiteral("patterns"));
        choose(named<QComboBox>(window, QStringLiteral("trainingPreset")), QStringLiteral("Quick check"));
        typeInto(window, "recipe.epochs", QString::number(epochs));
        typeInto(window, "trainingFolder", folder.isEmpty() ? QStringLiteral(" ") : folder);
        QTRY_VERIFY_WITH_TIMEOUT(named<QPushButton>(window, QStringLiteral("trainingStart"))->isEnabled(), kWaitMs);
        click(window, "trainingStart");
    }

    // A run of LeNet-5, saved as `model`, in the folder of runs beside it; its window is closed.
    RunFolder finishedBeside(const QString& model)
    {
        saveModel(openModel("zoo:lenet5"), model.toStdString());
        MainWindow window;
        openSetup(window, model);
        startNow(window, 2, {});
        waitFor(window, QStringLiteral("Done."));
        QString runs = model;
        return {runs.replace(QStringLiteral(".fovea"), QStringLiteral(".runs/001-quick")).toStdString()};
    }

    void openRunsOf(MainWindow& window, const QString& model)
    {
        openSetup(window, model);
        openTab(window, QStringLiteral("Run"));
        QTRY_COMPARE_WITH_TIMEOUT(runList(window)->count(), 1, kWaitMs);
    }

    void openAndStart(MainWindow& window, int epochs)
    {
        openSetup(window);
        startNow(window, epochs, m_runs);
    }

    static void exportTo(MainWindow& window, const QString& path)
    {
        typePath(window, Qt::Key_E, path);
        QTRY_COMPARE_WITH_TIMEOUT(shownText(window, "messageText").startsWith(QStringLiteral("Exported %1").arg(path)),
                                  true, kWaitMs);
    }

    static void discard(MainWindow& window)
    {
        Answerer answerer(QStringLiteral("unsavedQuestion"), QStringLiteral("Discard"));
        window.close();
    }

    QTemporaryDir m_folder;
    QString m_runs, m_parameters;
};

}  // namespace fovea::studio

int main(int argc, char** argv) { return fovea::studio::runWindowTest<fovea::studio::TrainingPanelTest>(argc, argv); }
#include "training_panel_test.moc"
