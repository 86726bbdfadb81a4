// The one window: puts the panels around the canvas and turns menus, keys and drops into requests to the
// document.
#pragma once

#include "app/studio/document/proposals.h"
#include "app/studio/training/plan_timing.h"
#include "app/studio/training/training_runs.h"

#include <QMainWindow>

class QActionGroup;
class QDockWidget;
class QLabel;
class QProgressBar;
class QPushButton;
class QStackedWidget;

namespace fovea::studio {

class CanvasView;
class ChartPanel;
class MessageBar;
class TrainingPanel;

class MainWindow : public QMainWindow {
    Q_OBJECT
public:
    explicit MainWindow(QWidget* parent = nullptr);
    ~MainWindow() override;

    // A file or "zoo:NAME"; asks about unsaved changes first.
    void openModel(const QString& name, std::optional<PerAxis<std::int64_t>> side = {});
    // Saves a picture of the window once the network in it is drawn, then quits.
    void takeScreenshot(const QString& path, int afterMs);
    void shootNow();
    // Selects a layer by name once the network is drawn: for screenshots.
    void selectWhenDrawn(const QString& layer);

protected:
    void closeEvent(QCloseEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;
    void changeEvent(QEvent* event) override;

private:
    void buildCentre();
    void buildDocks();
    void buildToolBar();
    void fileMenu();
    void recentMenu(QMenu* menu);
    void templateMenu(QMenu* menu);
    void editMenu();
    void viewMenu();
    void trainingMenu();
    void helpMenu();
    void connectDocument();
    void connectTraining();
    void loadState();
    void applyIcons();
    void updateState();

    void askOpen();
    bool save();  // false: nothing was started
    bool saveAs();
    void askExport();
    void askPicture(bool chart);
    void showTraining();
    void showEffectiveField();
    bool mayStopTraining();  // false: it goes on, or ends and closes the window then
    bool mayDiscard(const std::function<void()>& afterSaving);
    bool handleDrop(QEvent* event);
    QString suggestedPath(const QString& ending) const;

    Document m_document;
    Stage m_stage;
    Proposals m_proposals;
    PlanTiming m_timing;
    TrainingRuns m_runs;
    QStackedWidget* m_centre = nullptr;
    CanvasView* m_canvas = nullptr;
    ChartPanel* m_chart = nullptr;
    MessageBar* m_message = nullptr;
    TrainingPanel* m_training = nullptr;
    QWidget* m_busy = nullptr;
    QLabel* m_busyText = nullptr;
    QDockWidget *m_refineDock = nullptr, *m_inspectorDock = nullptr, *m_chartDock = nullptr, *m_sizesDock = nullptr,
                *m_findingsDock = nullptr, *m_trainingDock = nullptr, *m_curvesDock = nullptr;
    QAction *m_open = nullptr, *m_save = nullptr, *m_saveAs = nullptr, *m_export = nullptr, *m_undo = nullptr,
            *m_redo = nullptr;
    QAction *m_fit = nullptr, *m_find = nullptr, *m_fold = nullptr, *m_unfold = nullptr, *m_pictureCanvas = nullptr,
            *m_pictureChart = nullptr;
    std::function<void()> m_afterSaving;
    QString m_screenshot, m_selectLater;
    int m_screenshotAfter = 0;
    bool m_closeAfterTraining = false;
};

}  // namespace fovea::studio
