// Menus of the window and the file dialogs behind them.
#include "app/studio/window/main_window.h"

#include "app/studio/canvas/canvas_view.h"
#include "app/studio/charts/chart_panel.h"
#include "app/studio/charts/field_chart.h"
#include "app/studio/look/theme.h"
#include "app/studio/look/words.h"
#include "app/studio/render/picture.h"
#include "app/studio/training/effective_field.h"
#include "app/studio/training/training_panel.h"
#include "app/studio/window/message_bar.h"
#include "app/studio/window/recent_files.h"
#include "core/zoo/zoo.h"

#include <QActionGroup>
#include <QDir>
#include <QDockWidget>
#include <QFileDialog>
#include <QFileInfo>
#include <QHash>
#include <QMenuBar>
#include <QMessageBox>
#include <QSettings>
#include <QUndoStack>

namespace fovea::studio {

namespace {

QString askForFile(QWidget* parent, QFileDialog::AcceptMode mode, const QString& title, const QString& filter, const QString& suggested, const QString& suffix)
{
    QFileDialog dialog(parent, title);
    dialog.setAcceptMode(mode);
    dialog.setFileMode(mode == QFileDialog::AcceptOpen ? QFileDialog::ExistingFile : QFileDialog::AnyFile);
    dialog.setNameFilter(filter);
    if (!suffix.isEmpty()) dialog.setDefaultSuffix(suffix);
    const QFileInfo info(suggested);
    dialog.setDirectory(info.isDir() ? suggested : info.absolutePath());
    if (!info.isDir() && mode == QFileDialog::AcceptSave) dialog.selectFile(info.fileName());
    if (dialog.exec() != QDialog::Accepted || dialog.selectedFiles().isEmpty()) return {};
    return dialog.selectedFiles().front();
}

QString lastFolder() { return QSettings().value(QStringLiteral("lastFolder"), QDir::homePath()).toString(); }

void rememberFolder(const QString& path) { QSettings().setValue(QStringLiteral("lastFolder"), QFileInfo(path).absolutePath()); }

}  // namespace

void MainWindow::fileMenu()
{
    QMenu* menu = menuBar()->addMenu(tr("&File"));
    m_open = menu->addAction(tr("&Open\u2026"), QKeySequence::Open, this, &MainWindow::askOpen);
    auto* recent = menu->addMenu(tr("Open &recent"));
    connect(recent, &QMenu::aboutToShow, this, [this, recent] { recentMenu(recent); });
    templateMenu(menu->addMenu(tr("New from &template")));
    menu->addSeparator();
    m_save = menu->addAction(tr("&Save"), QKeySequence::Save, this, &MainWindow::save);
    m_saveAs = menu->addAction(tr("Save &as\u2026"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_S), this, &MainWindow::saveAs);
    m_export = menu->addAction(tr("&Export ONNX\u2026"), QKeySequence(Qt::CTRL | Qt::Key_E), this, &MainWindow::askExport);
    auto* pictures = menu->addMenu(tr("Export &picture"));
    m_pictureCanvas = pictures->addAction(tr("Of the &network\u2026"), this, [this] { askPicture(false); });
    m_pictureChart = pictures->addAction(tr("Of the &chart\u2026"), this, [this] { askPicture(true); });
    menu->addSeparator();
    menu->addAction(tr("&Quit"), QKeySequence(Qt::CTRL | Qt::Key_Q), this, &QWidget::close);
    m_open->setObjectName(QStringLiteral("actionOpen"));
    m_save->setObjectName(QStringLiteral("actionSave"));
    m_saveAs->setObjectName(QStringLiteral("actionSaveAs"));
    m_export->setObjectName(QStringLiteral("actionExport"));
}

void MainWindow::recentMenu(QMenu* menu)
{
    menu->clear();
    const QStringList files = recentFiles();
    for (const QString& path : files) menu->addAction(QDir::toNativeSeparators(path), this, [this, path] { openModel(path); });
    if (files.isEmpty()) menu->addAction(tr("No file was opened yet"))->setEnabled(false);
    menu->addSeparator();
    menu->addAction(tr("&Clear this list"), this, [] { forgetFiles(); })->setEnabled(!files.isEmpty());
}

void MainWindow::templateMenu(QMenu* menu)
{
    QHash<QString, QMenu*> families;
    for (const ZooEntry& entry : zooEntries()) {
        const QString name = QString::fromUtf8(entry.name), family = QString::fromUtf8(entry.family);
        QMenu*& of = families[family];
        if (!of) {
            of = menu->addMenu(family);
            of->setToolTipsVisible(true);
        }
        auto* action = of->addAction(tr("%1  (%2 px)").arg(name).arg(entry.size), this, [this, name] { openModel(QStringLiteral("zoo:") + name); });
        action->setToolTip(QStringLiteral("%1, %2, %3. %4").arg(family).arg(entry.year).arg(QString::fromUtf8(entry.paper), QString::fromUtf8(entry.note)));
    }
}

void MainWindow::editMenu()
{
    QMenu* menu = menuBar()->addMenu(tr("&Edit"));
    m_undo = m_document.undoStack()->createUndoAction(this, tr("&Undo"));
    m_undo->setShortcut(QKeySequence::Undo);
    m_undo->setObjectName(QStringLiteral("actionUndo"));
    m_redo = m_document.undoStack()->createRedoAction(this, tr("&Redo"));
    m_redo->setShortcuts({QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_Z), QKeySequence(Qt::CTRL | Qt::Key_Y)});
    m_redo->setObjectName(QStringLiteral("actionRedo"));
    menu->addActions({m_undo, m_redo});
    menu->addSeparator();
    m_find = menu->addAction(tr("&Find a layer\u2026"), QKeySequence::Find, this, [this] { m_canvas->openFind(); });
}

void MainWindow::viewMenu()
{
    QMenu* menu = menuBar()->addMenu(tr("&View"));
    // F and Home belong to the canvas, so that they can be typed in fields.
    m_fit = menu->addAction(tr("Show &all\tF"), this, [this] { m_canvas->fitAll(); });
    m_fit->setToolTip(tr("Show all (F)"));
    m_fold = menu->addAction(tr("F&old all groups"), this, [this] { m_canvas->foldAll(); });
    m_unfold = menu->addAction(tr("U&nfold all groups"), this, [this] { m_canvas->unfoldAll(); });
    menu->addAction(tr("Zoom &in"), QKeySequence::ZoomIn, this, [this] { m_canvas->zoomBy(1.25, m_canvas->rect().center()); });
    menu->addAction(tr("Zoom o&ut"), QKeySequence::ZoomOut, this, [this] { m_canvas->zoomBy(0.8, m_canvas->rect().center()); });
    menu->addSeparator();
    for (QDockWidget* dock : {m_refineDock, m_inspectorDock, m_chartDock, m_sizesDock, m_findingsDock, m_trainingDock, m_curvesDock}) menu->addAction(dock->toggleViewAction());
    menu->addSeparator();
    QMenu* themes = menu->addMenu(tr("&Theme"));
    auto* group = new QActionGroup(this);
    const QString current = QSettings().value(QStringLiteral("theme"), QStringLiteral("system")).toString();
    for (const auto& [theme, label] : {std::pair{Theme::System, tr("As the &system")}, {Theme::Light, tr("&Light")}, {Theme::Dark, tr("&Dark")}}) {
        auto* action = themes->addAction(label, this, [theme = theme] {
            QSettings().setValue(QStringLiteral("theme"), toText(theme));
            applyTheme(theme);
        });
        action->setCheckable(true);
        action->setChecked(toText(theme) == current);
        group->addAction(action);
    }
}

void MainWindow::trainingMenu()
{
    QMenu* menu = menuBar()->addMenu(tr("&Training"));
    auto* setUp = menu->addAction(tr("&Train this network\u2026"), QKeySequence(Qt::CTRL | Qt::Key_T), this, [this] {
        showTraining();
        m_training->showSetup();
    });
    menu->addSeparator();
    auto* pause = menu->addAction(tr("&Pause"), &m_runs, &TrainingRuns::pause);
    auto* stop = menu->addAction(tr("&Stop"), &m_runs, &TrainingRuns::stop);
    auto* resume = menu->addAction(tr("&Resume"), this, [this] {
        if (const RunPtr run = m_training->shownRun()) m_runs.resume(run);
    });
    auto* use = menu->addAction(tr("Use &best weights"), this, [this] {
        if (const RunPtr run = m_training->shownRun()) m_runs.useBest(run);
    });
    menu->addSeparator();
    auto* field = menu->addAction(tr("&Effective field of the selected layer\u2026"), this, &MainWindow::showEffectiveField);
    connect(menu, &QMenu::aboutToShow, this, [=, this] {
        field->setEnabled(m_stage.current() != kNoNode && m_document.graph()->find(m_stage.current()));
        const RunPtr live = m_runs.live(), run = m_training->shownRun();
        setUp->setEnabled(!m_document.isEmpty());
        pause->setEnabled(live && live->state == TrainingRun::State::Running);
        stop->setEnabled(live != nullptr);
        resume->setEnabled(!live && run && run->canResume());
        use->setEnabled(run && run->hasBest);
    });
}

void MainWindow::showEffectiveField()
{
    const Node* node = m_document.graph()->find(m_stage.current());
    if (!node) return;
    if (EngineProcess::program().isEmpty()) {
        m_message->showError(tr("The field cannot be measured"),
                             tr("That needs the program fovea-engine, which is neither beside the studio nor on PATH."));
        return;
    }
    auto* dialog = new EffectiveFieldDialog(m_document, node->name, m_training->dataUse(), m_training->device(), this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->show();
}

void MainWindow::helpMenu()
{
    QMenu* menu = menuBar()->addMenu(tr("&Help"));
    menu->addAction(tr("&About Fovea"), this, [this] {
        QMessageBox::about(this, tr("About Fovea"),
                           tr("<b>Fovea %1</b><p>Receptive field analysis of convolutional networks: which layers are productive at your image size, and what to "
                              "change.</p><p>After Richter et al., \u201cShould You Go Deeper?\u201d (arXiv 2106.12307) and \u201cReceptive Field Refinement\u201d (arXiv "
                              "2211.14487).</p><p>GPL-3.0-or-later</p>")
                               .arg(QLatin1String(FOVEA_VERSION)));
    });
}

QString MainWindow::suggestedPath(const QString& ending) const
{
    const QFileInfo source(m_document.path().isEmpty() ? m_document.source() : m_document.path());
    const QString folder = source.exists() ? source.absolutePath() : lastFolder();
    return QDir(folder).filePath(m_document.title().section(QLatin1Char(','), 0, 0) + ending);
}

void MainWindow::askOpen()
{
    const QString path = askForFile(this, QFileDialog::AcceptOpen, tr("Open a network"), tr("Networks (*.onnx *.fovea);;All files (*)"), lastFolder(), {});
    if (path.isEmpty()) return;
    rememberFolder(path);
    openModel(path);
}

bool MainWindow::save()
{
    if (m_document.path().isEmpty()) return saveAs();
    m_document.saveTo(m_document.path());
    return true;
}

bool MainWindow::saveAs()
{
    const QString path = askForFile(this, QFileDialog::AcceptSave, tr("Save the network"), tr("Fovea documents (*.fovea)"), suggestedPath(QStringLiteral(".fovea")), QStringLiteral("fovea"));
    if (path.isEmpty()) return false;
    rememberFolder(path);
    m_document.saveTo(path);
    return true;
}

void MainWindow::askExport()
{
    const QString path = askForFile(this, QFileDialog::AcceptSave, tr("Export the network"), tr("ONNX (*.onnx);;PyTorch (*.py)"), suggestedPath(QStringLiteral("_refined.onnx")), QStringLiteral("onnx"));
    if (path.isEmpty()) return;
    rememberFolder(path);
    m_document.exportTo(path);
}

void MainWindow::askPicture(bool chart)
{
    const QString suggested = suggestedPath(chart ? QStringLiteral("_chart.svg") : QStringLiteral("_network.svg"));
    const QString path = askForFile(this, QFileDialog::AcceptSave, tr("Export a picture"), tr("Pictures (*.svg *.pdf *.png)"), suggested, QStringLiteral("svg"));
    if (path.isEmpty()) return;
    try {
        if (chart)
            writeChart(m_chart->chart(), m_chart->chart().size().expandedTo({900, 420}), path);
        else
            writeDrawing(m_canvas->painting(), colorsFor(m_canvas->palette()), path);
        m_message->showNote(tr("Wrote %1.").arg(path));
    } catch (const std::exception& error) {
        m_message->showError(tr("The picture could not be written"), QString::fromUtf8(error.what()));
    }
}

}  // namespace fovea::studio
