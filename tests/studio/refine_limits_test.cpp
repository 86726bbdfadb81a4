// What plans may cost and how they are shown before they are made, by mouse and keyboard events alone. Latency is
// measured by an engine that only pretends: a picosecond for each multiply-accumulate.
#include "app/studio/look/verdict_look.h"
#include "app/studio/refine/field_sketch.h"
#include "tests/studio/refine_driver.h"

#include <QComboBox>
#include <QRegularExpression>
#include <QSlider>
#include <QTreeWidget>

namespace fovea::studio {

namespace {

void tell(const char* words) { qputenv("FOVEA_FAKE_ENGINE", words); }

void waitForState(const QWidget& window, const QString& start)
{
    QTRY_VERIFY2_WITH_TIMEOUT(shownText(window, "refineState").startsWith(start),
                              qPrintable(shownText(window, "refineState")), kWaitMs);
}

void press(const QWidget& window, const char* slider, Qt::Key key)
{
    auto* found = named<QSlider>(window, QLatin1String(slider));
    QVERIFY2(found && found->isVisible(), slider);
    found->setFocus();
    QTest::keyClick(found, key);
}

QString plain(QString text)
{
    return text.remove(QRegularExpression(QStringLiteral("<[^>]*>"))).replace(QChar::Nbsp, QLatin1Char(' '));
}

// The line of a card, such as "training".
QString cardLine(const QWidget& window, const QString& card, const QString& title)
{
    const auto* plan = named<QWidget>(window, card);
    const QList<QLabel*> labels = plan ? plan->findChildren<QLabel*>() : QList<QLabel*>();
    for (int i = 0; i + 1 < labels.size(); ++i)
        if (labels[i]->text() == title) return plain(labels[i + 1]->text());
    return QStringLiteral("(no line %1 on %2)").arg(title, card);
}

int pixelsOf(const QImage& image, const QColor& color, int fromRow, int toRow)
{
    int out = 0;
    for (int y = fromRow; y < toRow; ++y)
        for (int x = 0; x < image.width(); ++x) out += image.pixelColor(x, y) == color;
    return out;
}

}  // namespace

class RefineLimitsTest : public QObject {
    Q_OBJECT
private slots:
    void initTestCase()
    {
        prepare(m_folder, m_model);
        qputenv("FOVEA_ENGINE", FOVEA_FAKE_ENGINE);
    }

    void init()
    {
        QSettings().setValue(QStringLiteral("refine/limitsOpen"), true);
        tell("macs");
    }

    void plansThatTakeLongerThanTheLimitAreLeftOutAndComeBack()
    {
        MainWindow window;
        openAt32(window, m_model);
        const int all = shownCards(window);
        QCOMPARE(shownText(window, "limitLatencyValue"), QStringLiteral("no limit"));
        QVERIFY(!named<QLabel>(window, QStringLiteral("planLatency.0"))->isVisibleTo(&window));
        click(window, "limitMeasure");
        // 38 million multiply-accumulates.
        QTRY_COMPARE_WITH_TIMEOUT(shownText(window, "limitLatencyValue"), QStringLiteral("no limit (38.0 us)"),
                                  kWaitMs);
        QVERIFY(!named<QWidget>(window, QStringLiteral("limitMeasure"))->isVisible());
        // "no limit", 16x, 12x, ... 2.5x
        for (int i = 0; i < 7; ++i) press(window, "limitLatency", Qt::Key_Left);
        QTRY_VERIFY2_WITH_TIMEOUT(shownText(window, "limitLatencyValue").startsWith(QStringLiteral("\u2264 2")),
                                  qPrintable(shownText(window, "limitLatencyValue")), kWaitMs);
        QTRY_VERIFY_WITH_TIMEOUT(!shownText(window, "refineState").contains(QStringLiteral("Measuring")), kWaitMs);
        const int some = shownCards(window);
        QVERIFY2(some > 0 && some < all, qPrintable(QStringLiteral("%1 of %2").arg(some).arg(all)));
        QStringList latencies;
        for (const auto* label : window.findChildren<QLabel*>())
            if (label->objectName().startsWith(QStringLiteral("planLatency.")) && label->isVisibleTo(&window))
                latencies << plain(label->text());
        QCOMPARE(latencies.size(), some);
        for (const QString& latency : latencies)
            QVERIFY2(latency.startsWith(QStringLiteral("38.0 us \u2192 ")), qPrintable(latency));
        const QString fold = named<QAbstractButton>(window, QStringLiteral("limitsFold"))->text();
        QVERIFY2(fold.contains(QStringLiteral("latency \u2264 95.0 us")), qPrintable(fold));
        press(window, "limitLatency", Qt::Key_End);
        QTRY_COMPARE_WITH_TIMEOUT(shownCards(window), all, kWaitMs);
    }

    void whereEveryPlanTakesTooLongTheLimitToLoosenIsNamed()
    {
        MainWindow window;
        openAt32(window, m_model);
        click(window, "limitMeasure");
        QTRY_VERIFY_WITH_TIMEOUT(named<QSlider>(window, QStringLiteral("limitLatency"))->isVisible(), kWaitMs);
        press(window, "limitLatency", Qt::Key_Home);
        waitForState(window, QStringLiteral("No plan meets the limits. One does with a latency of "));
        QCOMPARE(shownCards(window), 0);
        click(window, "refineLoosen");
        waitForState(window, QStringLiteral("Proposals"));
        QTRY_VERIFY2_WITH_TIMEOUT(!shownText(window, "refineState").contains(QStringLiteral("Measuring")),
                                  qPrintable(shownText(window, "refineState")), kWaitMs);
        QTRY_VERIFY_WITH_TIMEOUT(shownCards(window) > 0, kWaitMs);
    }

    void anEngineThatRefusesToMeasureIsQuotedAndPlansStay()
    {
        tell("refuse=cost");
        MainWindow window;
        openAt32(window, m_model);
        const int all = shownCards(window);
        click(window, "limitMeasure");
        QTRY_VERIFY2_WITH_TIMEOUT(
            shownText(window, "refineState").endsWith(QStringLiteral("\nThe fake engine will not cost.")),
            qPrintable(shownText(window, "refineState")), kWaitMs);
        QCOMPARE(shownCards(window), all);
        QVERIFY(named<QWidget>(window, QStringLiteral("limitMeasure"))->isEnabled());
    }

    void aMeasurementCanBeCancelled()
    {
        tell("macs step=60000");
        MainWindow window;
        openAt32(window, m_model);
        click(window, "limitMeasure");
        QTRY_VERIFY_WITH_TIMEOUT(shownText(window, "refineState").contains(QStringLiteral("Measuring latency")),
                                 kWaitMs);
        click(window, "refineCancel");
        QTRY_VERIFY(shownText(window, "refineState").endsWith(QStringLiteral("\nThe measurement was stopped.")));
        QVERIFY(!named<QWidget>(window, QStringLiteral("refineCancel"))->isVisible());
    }

    void layersAreCutOnlyWhereParametersNeedNotBeKept()
    {
        MainWindow window;
        openAt32(window, m_model);
        const auto isCut = [&] {
            for (int i = 0; i < shownCards(window); ++i)
                if (cardLine(window, QStringLiteral("plan.%1").arg(i), QStringLiteral("tensors"))
                        .contains(QStringLiteral("dropped")) &&
                    !cardLine(window, QStringLiteral("plan.%1").arg(i), QStringLiteral("tensors"))
                         .contains(QStringLiteral("padded")))
                    return true;
            return false;
        };
        auto* keeps = named<QAbstractButton>(window, QStringLiteral("limitKeepParameters"));
        QVERIFY(keeps->isChecked());
        QVERIFY2(keeps->text().startsWith(QStringLiteral("At least 11.57 M")), qPrintable(keeps->text()));
        QVERIFY(!isCut());
        click(window, "limitKeepParameters");
        waitForState(window, QStringLiteral("Proposals"));
        QTRY_VERIFY_WITH_TIMEOUT(isCut(), kWaitMs);
        click(window, "limitKeepParameters");
        QTRY_VERIFY_WITH_TIMEOUT(!isCut() && shownText(window, "refineState").startsWith(QStringLiteral("Proposals")),
                                 kWaitMs);
    }

    void fewerParametersThanAnyPlanHasAreALimitToLoosen()
    {
        MainWindow window;
        openAt32(window, m_model);
        QCOMPARE(shownText(window, "limitParametersValue"), QStringLiteral("none added"));
        press(window, "limitParameters", Qt::Key_Home);
        QVERIFY(shownText(window, "limitParametersValue").startsWith(QStringLiteral("\u2264 0.25x (")));
        waitForState(window, QStringLiteral("No plan meets the limits."));
        QVERIFY2(shownText(window, "refineState").contains(QStringLiteral("parameters")),
                 qPrintable(shownText(window, "refineState")));
        press(window, "limitParameters", Qt::Key_End);
        QCOMPARE(shownText(window, "limitParametersValue"), QStringLiteral("no limit"));
        waitForState(window, QStringLiteral("Proposals"));
    }

    void bothMemoriesAreLimitsAtTheBatchAndTheTypeThatAreChosen()
    {
        MainWindow window;
        openAt32(window, m_model);
        const int all = shownCards(window);
        const QString at32 = cardLine(window, QStringLiteral("plan.0"), QStringLiteral("training"));
        typeNumber(named<QSpinBox>(window, QStringLiteral("limitBatch")), 1);
        waitForState(window, QStringLiteral("Proposals"));
        QTRY_VERIFY_WITH_TIMEOUT(cardLine(window, QStringLiteral("plan.0"), QStringLiteral("training")) != at32,
                                 kWaitMs);
        const QString single = cardLine(window, QStringLiteral("plan.0"), QStringLiteral("training"));
        choose(named<QComboBox>(window, QStringLiteral("limitElement")), QStringLiteral("float16"));
        QTRY_VERIFY_WITH_TIMEOUT(cardLine(window, QStringLiteral("plan.0"), QStringLiteral("training")) != single,
                                 kWaitMs);
        for (const char* slider : {"limitTraining", "limitInference"}) {
            const QByteArray value = QByteArray(slider) + "Value";
            QCOMPARE(shownText(window, value), QStringLiteral("no limit"));
            press(window, slider, Qt::Key_Home);
            QVERIFY(shownText(window, value).startsWith(QStringLiteral("\u2264 0.25x (")));
            waitForState(window, QStringLiteral("No plan meets the limits."));
            QVERIFY2(shownText(window, "refineState").contains(QStringLiteral(" memory up to ")),
                     qPrintable(shownText(window, "refineState")));
            press(window, slider, Qt::Key_End);
            QTRY_COMPARE_WITH_TIMEOUT(shownCards(window), all, kWaitMs);
        }
    }

    void aFixedOutputStrideLeavesOnlyPlansThatHaveIt()
    {
        MainWindow window;
        openAt32(window, m_model);
        choose(named<QComboBox>(window, QStringLiteral("limitStride")), QStringLiteral("16 px"));
        QTRY_VERIFY_WITH_TIMEOUT(shownText(window, "refineState").startsWith(QStringLiteral("Proposals")) &&
                                     shownCards(window) > 0,
                                 kWaitMs);
        // A previewed plan of them has a coarsest map of 16 px a unit: what the field chart's layer list says at its
        // end.
        QVERIFY(
            named<QAbstractButton>(window, QStringLiteral("limitsFold"))->text().contains(QStringLiteral("stride 16")));
        choose(named<QComboBox>(window, QStringLiteral("limitStride")), QStringLiteral("64 px"));
        waitForState(window, QStringLiteral("No plan meets the limits. One does with an output stride of "));
    }

    void anotherWishPutsAnotherPlanFirst()
    {
        MainWindow window;
        openAt32(window, m_model);
        const QString accurate = shownText(window, "planTitle.0");
        choose(named<QComboBox>(window, QStringLiteral("refineWant")), QStringLiteral("Best efficiency"));
        QTRY_VERIFY_WITH_TIMEOUT(shownText(window, "planTitle.0") != accurate, kWaitMs);
        // Fewer of them than before: "37.11 M -> 20.7 M (0.56x)".
        QVERIFY2(cardLine(window, QStringLiteral("plan.0"), QStringLiteral("MACs")).contains(QStringLiteral("(0.")),
                 qPrintable(cardLine(window, QStringLiteral("plan.0"), QStringLiteral("MACs"))));
        choose(named<QComboBox>(window, QStringLiteral("refineWant")), QStringLiteral("Best accuracy"));
        QTRY_COMPARE_WITH_TIMEOUT(shownText(window, "planTitle.0"), accurate, kWaitMs);
    }

    void whatIsNoNetworkAtTheSideIsSaidSo()
    {
        MainWindow window;
        showWindow(window);
        window.openModel(QStringLiteral("zoo:lenet5"));
        waitForState(window, QStringLiteral("Nothing that Fovea can change helps at this side."));
        typeNumber(named<QSpinBox>(window, QStringLiteral("sideHeight")), 2);
        waitForState(window, QStringLiteral("Nothing that Fovea can change makes this a network at this side: "));
        discard(window);
    }

    void aSearchIsCancelledAndStartedAgain()
    {
        MainWindow window;
        openAt32(window, m_model);
        const int all = shownCards(window);
        press(window, "limitMacs", Qt::Key_Left);
        click(window, "refineCancel");
        QCOMPARE(shownText(window, "refineState"), QStringLiteral("The search was cancelled."));
        press(window, "limitMacs", Qt::Key_End);
        click(window, "refineCancel");
        click(window, "refineSearch");
        waitForState(window, QStringLiteral("Proposals"));
        QTRY_COMPARE_WITH_TIMEOUT(shownCards(window), all, kWaitMs);
    }

    void aPreviewMarksTheChangedLayersOnTheCanvasAndInTheChart()
    {
        MainWindow window;
        openAt32(window, m_model);
        const QColor mark = colorsFor(window.palette()).changed;
        auto* canvas = named<QAbstractScrollArea>(window, QStringLiteral("canvas"))->viewport();
        auto* chart = named<QWidget>(window, QStringLiteral("fieldPlot"));
        QVERIFY(!pointOfColor(canvas, mark));
        QVERIFY(!pointOfColor(chart, mark));
        openTab(window, QStringLiteral("Single moves"));
        QTRY_VERIFY_WITH_TIMEOUT(movesOf(window)->rowCount() > 3, kWaitMs);
        check(window, rowOfMove(window, QStringLiteral("Stride of 'conv1' from 2 to 1")));
        QTRY_VERIFY_WITH_TIMEOUT(pointOfColor(canvas, mark), kWaitMs);
        QTRY_VERIFY_WITH_TIMEOUT(pointOfColor(chart, mark), kWaitMs);
        check(window, rowOfMove(window, QStringLiteral("Stride of 'conv1' from 2 to 1")));
        QTRY_VERIFY_WITH_TIMEOUT(!pointOfColor(canvas, mark) && !pointOfColor(chart, mark), kWaitMs);
    }

    void aCardDrawsTheFieldsBeforeAndAfter()
    {
        MainWindow window;
        openAt32(window, m_model);
        auto* sketch = named<QWidget>(window, QStringLiteral("plan.0"))->findChild<FieldSketch*>();
        QVERIFY(sketch && sketch->height() > 20);
        const QColor productive = verdictColor(Verdict::Productive), wasted = verdictColor(Verdict::Unproductive);
        const auto row = [&](int from, int to, const QColor& color) {
            return pixelsOf(sketch->grab().toImage(), color, from, to);
        };
        const int half = sketch->height() / 2;
        QTRY_VERIFY_WITH_TIMEOUT(row(half, 2 * half, productive) > 0, kWaitMs);
        QVERIFY(row(0, half, wasted) > 0);
        QVERIFY(row(0, half, productive) > 0);
        // ResNet-18 has 11 wasted layers of 20 judged ones at 32 px, and this plan none or few.
        QVERIFY(row(half, 2 * half, wasted) < row(0, half, wasted));
        QVERIFY(row(half, 2 * half, productive) > row(0, half, productive));
    }

    void theOtherAxisOfTheParetoChartPutsTheDotsElsewhere()
    {
        const QColor dotColor(0x1f, 0x6f, 0xeb);
        MainWindow window;
        openAt32(window, m_model);
        openTab(window, QStringLiteral("Pareto"));
        auto* plot = named<QWidget>(window, QStringLiteral("paretoPlot"));
        QTRY_VERIFY(pointOfColor(plot, dotColor));
        const QImage wasted = plot->grab().toImage();
        choose(named<QComboBox>(window, QStringLiteral("paretoGoal")), QStringLiteral("Smallest useful side (i_min)"));
        std::optional<QPoint> lowest;
        QTRY_VERIFY(plot->grab().toImage() != wasted && (lowest = pointOfColor(plot, dotColor)));
        // The lowest dot has the smallest i_min of all, and is a plan to click here as well.
        QTest::mouseClick(plot, Qt::LeftButton, {}, *lowest);
        QVERIFY(isPreviewing(window));
        const auto iMin = [&](const QString& card) {
            return cardLine(window, card, QStringLiteral("i_min"))
                .section(QStringLiteral("\u2192 "), 1)
                .section(QLatin1Char(' '), 0, 0)
                .toInt();
        };
        const int chosen = iMin(QStringLiteral("plan.chosen"));
        QVERIFY2(chosen > 0, qPrintable(cardLine(window, QStringLiteral("plan.chosen"), QStringLiteral("i_min"))));
        openTab(window, QStringLiteral("Plans"));
        for (int i = 0; i < shownCards(window); ++i)
            if (const int other = iMin(QStringLiteral("plan.%1").arg(i)); other > 0) QVERIFY(chosen <= other);
    }

    // A kernel that shrinks twice is cut from the values that the file has, which is what the export writes.
    void whatBecomesOfATensorIsSaidOfTheOneThatIsThere()
    {
        MainWindow window;
        openAt32(window, m_model);
        openTab(window, QStringLiteral("Single moves"));
        for (const char* title : {"Kernel of 'conv1' from 7 to 5", "Kernel of 'conv1' from 5 to 3"}) {
            QTRY_VERIFY_WITH_TIMEOUT(rowOfMove(window, QLatin1String(title)) >= 0, kWaitMs);
            check(window, rowOfMove(window, QLatin1String(title)));
            QTRY_VERIFY(isPreviewing(window));
            const QTreeWidget* rows = openTransfer(window);
            QVERIFY(rows);
            QCOMPARE(rows->topLevelItemCount(), 1);
            QCOMPARE(rows->topLevelItem(0)->text(1), QStringLiteral("sliced"));
            QCOMPARE(rows->topLevelItem(0)->text(2), QStringLiteral("64x3x7x7"));
            QTest::keyClick(rows->window(), Qt::Key_Escape);
            click(window, "planApply.chosen");
        }
        discard(window);
    }

private:
    QTemporaryDir m_folder;
    QString m_model;
};

}  // namespace fovea::studio

int main(int argc, char** argv) { return fovea::studio::runWindowTest<fovea::studio::RefineLimitsTest>(argc, argv); }
#include "refine_limits_test.moc"
