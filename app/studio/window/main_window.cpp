#include "app/studio/window/main_window.h"

#include "app/studio/canvas/canvas_view.h"
#include "app/studio/charts/chart_panel.h"
#include "app/studio/charts/field_chart.h"
#include "app/studio/charts/pareto_panel.h"
#include "app/studio/charts/sizes_panel.h"
#include "app/studio/findings/findings_panel.h"
#include "app/studio/inspector/inspector.h"
#include "app/studio/look/theme.h"
#include "app/studio/look/words.h"
#include "app/studio/refine/refine_panel.h"
#include "app/studio/side/side_bar.h"
#include "app/studio/training/curves_panel.h"
#include "app/studio/training/evaluation.h"
#include "app/studio/training/training_panel.h"
#include "app/studio/window/message_bar.h"
#include "app/studio/window/recent_files.h"
#include "app/studio/window/status_summary.h"
#include "app/studio/window/welcome_page.h"

#include <QAbstractSpinBox>
#include <QApplication>
#include <QCloseEvent>
#include <QDockWidget>
#include <QFileInfo>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QMessageBox>
#include <QMimeData>
#include <QProgressBar>
#include <QPushButton>
#include <QSettings>
#include <QStackedWidget>
#include <QStatusBar>
#include <QTimer>
#include <QToolBar>
#include <QUndoStack>
#include <QVBoxLayout>

namespace fovea::studio {

namespace {

QDockWidget* newDock(MainWindow* window, const QString& title, const char* name, QWidget* content)
{
    auto* out = new QDockWidget(title, window);
    out->setObjectName(QLatin1String(name));
    out->setWidget(content);
    out->setFeatures(QDockWidget::DockWidgetClosable | QDockWidget::DockWidgetMovable);
    return out;
}

QDockWidget* dock(MainWindow* window, const QString& title, const char* name, QWidget* content, Qt::DockWidgetArea area)
{
    QDockWidget* out = newDock(window, title, name, content);
    window->addDockWidget(area, out);
    return out;
}

// A tab behind `first` from the beginning: beside it, if only until it is moved there, it would widen the window.
QDockWidget* tab(MainWindow* window, const QString& title, const char* name, QWidget* content, QDockWidget* first)
{
    QDockWidget* out = newDock(window, title, name, content);
    window->tabifyDockWidget(first, out);
    return out;
}

// Fields claim the keys of undo and redo even where they have nothing to take back; then the network's is meant. A
// number of some digits is soon typed again.
bool takesBack(const QWidget& widget, const QKeyEvent& key)
{
    const bool undo = key.matches(QKeySequence::Undo), redo = key.matches(QKeySequence::Redo);
    if (!undo && !redo) return true;
    if (const auto* line = qobject_cast<const QLineEdit*>(&widget))
        return undo ? line->isUndoAvailable() : line->isRedoAvailable();
    return !qobject_cast<const QAbstractSpinBox*>(&widget);
}

}  // namespace

MainWindow::MainWindow(QWidget* parent) : QMainWindow(parent), m_stage(m_document), m_proposals(m_stage), m_timing(m_proposals.latencies()), m_runs(m_document)
{
    setObjectName(QStringLiteral("mainWindow"));
    setWindowIcon(QIcon(QStringLiteral(":/icons/fovea.svg")));
    setAcceptDrops(true);
    resize(1280, 720);
    setCorner(Qt::BottomLeftCorner, Qt::LeftDockWidgetArea);
    setCorner(Qt::BottomRightCorner, Qt::RightDockWidgetArea);
    buildCentre();
    buildDocks();
    fileMenu();
    editMenu();
    viewMenu();
    trainingMenu();
    helpMenu();
    buildToolBar();
    statusBar()->addWidget(new StatusSummary(m_stage), 1);
    statusBar()->setSizeGripEnabled(false);
    connectDocument();
    connectTraining();
    applyIcons();
    updateState();
    loadState();
    // Drops count anywhere, also over fields that would take them as text.
    qApp->installEventFilter(this);
}

MainWindow::~MainWindow()
{
    qApp->removeEventFilter(this);
    // A field that has the focus commits when it loses it, so that happens while there is a document.
    hide();
}

void MainWindow::buildCentre()
{
    m_canvas = new CanvasView(m_proposals);
    m_message = new MessageBar;
    auto* welcome = new WelcomePage;
    m_centre = new QStackedWidget;
    m_centre->addWidget(welcome);
    m_centre->addWidget(m_canvas);
    connect(welcome, &WelcomePage::openRequested, this, &MainWindow::askOpen);
    connect(welcome, &WelcomePage::modelRequested, this, [this](const QString& name) { openModel(name); });

    m_busy = new QFrame;
    m_busyText = new QLabel;
    m_busyText->setObjectName(QStringLiteral("busyText"));
    auto* progress = new QProgressBar;
    progress->setRange(0, 0);
    progress->setTextVisible(false);
    progress->setMaximumWidth(160);
    progress->setMaximumHeight(8);
    auto* cancel = new QPushButton(tr("Cancel"));
    cancel->setObjectName(QStringLiteral("cancelOpen"));
    auto* busyRow = new QHBoxLayout(m_busy);
    busyRow->setContentsMargins(10, 4, 6, 4);
    busyRow->addWidget(m_busyText);
    busyRow->addWidget(progress);
    busyRow->addStretch();
    busyRow->addWidget(cancel);
    m_busy->hide();
    connect(cancel, &QPushButton::clicked, &m_document, &Document::cancelOpen);

    auto* centre = new QWidget;
    auto* layout = new QVBoxLayout(centre);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(m_message);
    layout->addWidget(m_busy);
    layout->addWidget(m_centre, 1);
    setCentralWidget(centre);
}

void MainWindow::buildDocks()
{
    auto* refine = new RefinePanel(m_proposals);
    refine->addPage(new ParetoPanel(m_proposals), tr("Pareto"));
    auto* inspector = new Inspector(m_stage);
    auto* findings = new FindingsPanel(m_stage);
    m_chart = new ChartPanel(m_stage);
    m_refineDock = dock(this, tr("Refine"), "refineDock", refine, Qt::LeftDockWidgetArea);
    m_inspectorDock = dock(this, tr("Layer"), "inspectorDock", inspector, Qt::RightDockWidgetArea);
    m_chartDock = dock(this, tr("Receptive fields"), "chartDock", m_chart, Qt::BottomDockWidgetArea);
    auto* sizes = new SizesPanel(m_stage);
    m_sizesDock = tab(this, tr("Input sides"), "sizesDock", sizes, m_chartDock);
    m_findingsDock = tab(this, tr("Findings"), "findingsDock", findings, m_sizesDock);
    m_training = new TrainingPanel(m_runs);
    m_trainingDock = tab(this, tr("Training"), "trainingDock", m_training, m_refineDock);
    m_curvesDock = tab(this, tr("Curves"), "curvesDock", new CurvesPanel(m_runs), m_findingsDock);
    // Their tabs say the titles already.
    for (QDockWidget* tabbed : {m_chartDock, m_sizesDock, m_findingsDock, m_curvesDock, m_refineDock, m_trainingDock})
        tabbed->setTitleBarWidget(new QWidget(tabbed));
    m_chartDock->raise();
    m_refineDock->raise();
    resizeDocks({m_refineDock, m_inspectorDock}, {300, 270}, Qt::Horizontal);
    resizeDocks({m_chartDock}, {250}, Qt::Vertical);
    const auto showError = [this](const QString& what, const QString& why) { m_message->showError(what, why); };
    connect(&m_proposals, &Proposals::failed, this, showError);
    connect(inspector, &Inspector::failed, this, showError);
    connect(sizes, &SizesPanel::failed, this, showError);
    connect(findings, &FindingsPanel::countChanged, this, [this](int count) {
        m_findingsDock->setWindowTitle(count ? tr("Findings (%1)").arg(count) : tr("Findings"));
    });
}

void MainWindow::buildToolBar()
{
    auto* bar = addToolBar(tr("Main"));
    bar->setObjectName(QStringLiteral("mainToolBar"));
    bar->setMovable(false);
    bar->setIconSize(QSize(20, 20));
    bar->addActions({m_open, m_save, m_export});
    bar->addSeparator();
    bar->addActions({m_undo, m_redo});
    bar->addSeparator();
    bar->addActions({m_fit, m_find, m_fold, m_unfold});
    bar->addSeparator();
    auto* side = new SideBar(m_stage);
    bar->addWidget(side);
    connect(side, &SideBar::failed, this,
            [this](const QString& what, const QString& why) { m_message->showError(what, why); });
}

void MainWindow::connectDocument()
{
    connect(&m_document, &Document::stateChanged, this, &MainWindow::updateState);
    connect(&m_document, &Document::failed, this, [this](const QString& what, const QString& why) {
        m_afterSaving = nullptr;
        m_message->showError(what, why);
        if (!m_screenshot.isEmpty()) QTimer::singleShot(0, qApp, [] { QApplication::exit(2); });
    });
    connect(&m_document, &Document::opened, this, [this](const QString& name) {
        m_message->hide();
        if (QFileInfo::exists(name)) rememberFile(name);
        m_canvas->setFocus();
    });
    connect(&m_document, &Document::saved, this,
            [this](const QString& path, const QStringList& initialised, bool isExport) {
                rememberFile(path);
                QString note = isExport ? tr("Exported %1.").arg(path) : tr("Saved %1.").arg(path);
                if (!initialised.isEmpty())
                    note += QLatin1Char(' ') +
                            tr("Tensors without values, initialised as PyTorch does: %1.").arg(initialised.size());
                m_message->showNote(note);
                if (const auto next = std::exchange(m_afterSaving, nullptr); next && !isExport) next();
            });
    connect(&m_document, &Document::changed, this, [this](const Change& change) {
        if (change.reset) m_centre->setCurrentIndex(m_document.isEmpty() ? 0 : 1);
    });
    connect(m_canvas, &CanvasView::laidOut, this, [this] {
        if (!m_selectLater.isEmpty())
            if (const Node* node = m_stage.graph()->findByName(std::exchange(m_selectLater, QString()).toStdString()))
                m_stage.reveal(node->id);
        if (!m_screenshot.isEmpty()) shootNow();
    });
}

void MainWindow::connectTraining()
{
    connect(&m_runs, &TrainingRuns::failed, m_message, &MessageBar::showError);
    connect(&m_runs, &TrainingRuns::noted, m_message, &MessageBar::showNote);
    connect(&m_runs, &TrainingRuns::broke, this, [this](const RunPtr& run) {
        const QString what = tr("Training %1 ended early").arg(run->name());
        if (!run->canResume()) m_message->showError(what, run->sentence);
        else
            m_message->offer(what, run->sentence, tr("Resume"), [this, run] {
                showTraining();
                m_runs.resume(run);
            });
    });
    connect(&m_training->evaluation(), &Evaluation::probesChanged, this, [this] {
        std::map<std::string, double> accuracies;
        for (const ProbeRow& row : m_training->evaluation().probes()) accuracies[row.layer] = row.top1;
        if (!accuracies.empty()) m_chartDock->raise();
        m_chart->chart().setAccuracies(std::move(accuracies));
    });
    connect(&m_runs, &TrainingRuns::started, this, [this] {
        m_message->withdrawOffer();  // a run cannot be resumed beside another one
        m_curvesDock->show();
        m_curvesDock->raise();
    });
    connect(
        &m_runs, &TrainingRuns::ended, this,
        [this] {
            if (std::exchange(m_closeAfterTraining, false)) close();
        },
        Qt::QueuedConnection);
}

void MainWindow::showTraining()
{
    m_trainingDock->show();
    m_trainingDock->raise();
}

bool MainWindow::mayStopTraining()
{
    const RunPtr run = m_runs.live();
    if (!run) return true;
    QMessageBox box(QMessageBox::Question, tr("Training goes on"), tr("%1 is being trained.").arg(text(run->info.name)),
                    QMessageBox::NoButton, this);
    box.setObjectName(QStringLiteral("trainingQuestion"));
    const bool stopping = m_closeAfterTraining;
    box.setInformativeText(
        stopping ? tr("It is still finishing its batch. Closing now loses what it has learnt since its last checkpoint.")
                 : tr("Stop it after this batch and close, or keep Fovea open? A stopped run can be resumed."));
    QPushButton* stop = box.addButton(stopping ? tr("&Close now") : tr("&Stop and close"), QMessageBox::AcceptRole);
    QPushButton* keep = box.addButton(tr("&Keep open"), QMessageBox::RejectRole);
    box.setDefaultButton(keep);
    box.setEscapeButton(keep);
    box.exec();
    if (box.clickedButton() != stop) {
        m_closeAfterTraining = false;
        return false;
    }
    if (stopping || !m_runs.live()) return true;  // it may have ended while this was asked
    m_closeAfterTraining = true;
    m_message->showNote(tr("Stopping after this batch, then closing\u2026"));
    m_runs.stop();
    return false;
}

void MainWindow::shootNow()
{
    QTimer::singleShot(m_screenshotAfter, this, [this] {
        const bool written = grab().save(m_screenshot);
        m_document.undoStack()->setClean();
        QApplication::exit(written ? 0 : 2);
    });
}

void MainWindow::updateState()
{
    const bool any = !m_document.isEmpty();
    for (QAction* action : {m_saveAs, m_export, m_fit, m_find, m_fold, m_unfold, m_pictureCanvas, m_pictureChart})
        action->setEnabled(any);
    m_save->setEnabled(any && !m_document.isBusy());
    m_export->setEnabled(any && !m_document.isBusy());
    m_busy->setVisible(m_document.isOpening());
    setWindowModified(m_document.isModified());
    setWindowTitle(any ? tr("%1[*] \u2013 Fovea").arg(m_document.title()) : tr("Fovea"));
}

void MainWindow::loadState()
{
    const QSettings settings;
    if (settings.contains(QStringLiteral("window/geometry"))) {
        restoreGeometry(settings.value(QStringLiteral("window/geometry")).toByteArray());
        restoreState(settings.value(QStringLiteral("window/state")).toByteArray());
    }
}

void MainWindow::openModel(const QString& name, std::optional<PerAxis<std::int64_t>> side)
{
    if (!mayDiscard([this, name, side] { openModel(name, side); })) return;
    m_busyText->setText(tr("Opening %1\u2026").arg(QFileInfo(name).fileName()));
    m_document.open(name, side);
}

void MainWindow::takeScreenshot(const QString& path, int afterMs)
{
    m_screenshot = path;
    m_screenshotAfter = afterMs;
}

void MainWindow::selectWhenDrawn(const QString& layer) { m_selectLater = layer; }

bool MainWindow::mayDiscard(const std::function<void()>& afterSaving)
{
    if (!m_document.isModified()) return true;
    QMessageBox box(QMessageBox::Warning, tr("Unsaved changes"),
                    tr("%1 has changes that are not saved.").arg(m_document.title()),
                    QMessageBox::Save | QMessageBox::Discard | QMessageBox::Cancel, this);
    box.setObjectName(QStringLiteral("unsavedQuestion"));
    box.setInformativeText(tr("Save them first, or go on without them?"));
    box.setDefaultButton(QMessageBox::Save);
    const int answer = box.exec();
    if (answer == QMessageBox::Discard) return true;
    if (answer == QMessageBox::Save) {
        m_afterSaving = afterSaving;
        if (!save()) m_afterSaving = nullptr;
    }
    return false;
}

void MainWindow::closeEvent(QCloseEvent* event)
{
    if (!mayStopTraining() || !mayDiscard([this] { close(); })) {
        event->ignore();
        return;
    }
    QSettings settings;
    settings.setValue(QStringLiteral("window/geometry"), saveGeometry());
    settings.setValue(QStringLiteral("window/state"), saveState());
    event->accept();
}

bool MainWindow::eventFilter(QObject* watched, QEvent* event)
{
    switch (event->type()) {
    case QEvent::DragEnter:
    case QEvent::DragMove:
    case QEvent::Drop:
        if (const auto* widget = qobject_cast<QWidget*>(watched);
            widget && widget->window() == this && handleDrop(event))
            return true;
        break;
    case QEvent::ShortcutOverride:
        if (const auto* widget = qobject_cast<QWidget*>(watched);
            widget && widget->window() == this && !takesBack(*widget, static_cast<const QKeyEvent&>(*event))) {
            event->ignore();
            return true;
        }
        break;
    default: break;
    }
    return QMainWindow::eventFilter(watched, event);
}

bool MainWindow::handleDrop(QEvent* event)
{
    auto* drop = static_cast<QDropEvent*>(event);
    const QList<QUrl> urls = drop->mimeData()->urls();
    if (urls.isEmpty() || !urls.front().isLocalFile()) return false;
    const QString path = urls.front().toLocalFile();
    drop->setDropAction(Qt::CopyAction);
    drop->accept();
    // The source application waits for the drop to end, so nothing is asked from within it.
    if (event->type() == QEvent::Drop)
        QMetaObject::invokeMethod(
            this, [this, path] { openModel(path); }, Qt::QueuedConnection);
    return true;
}

void MainWindow::changeEvent(QEvent* event)
{
    QMainWindow::changeEvent(event);
    if (event->type() == QEvent::PaletteChange && m_open) applyIcons();
}

void MainWindow::applyIcons()
{
    const std::pair<QAction*, const char*> icons[] = {{m_open, "open"}, {m_save, "save"}, {m_export, "export"},
                                                      {m_undo, "undo"}, {m_redo, "redo"}, {m_fit, "fit"},
                                                      {m_find, "find"}, {m_fold, "fold"}, {m_unfold, "unfold"}};
    for (const auto& [action, name] : icons) action->setIcon(lineIcon(QLatin1String(name), palette()));
}

}  // namespace fovea::studio
