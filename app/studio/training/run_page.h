// One run: how far it is, what it says, and what can be done with it.
#pragma once

#include "app/studio/training/training_runs.h"

#include <QWidget>

class QComboBox;
class QHBoxLayout;
class QLabel;
class QPlainTextEdit;
class QProgressBar;
class QPushButton;

namespace fovea::studio {

class RunPage : public QWidget {
    Q_OBJECT
public:
    explicit RunPage(TrainingRuns& runs, QWidget* parent = nullptr);

    const RunPtr& shown() const { return m_shown; }
    void showRun(const RunPtr& run);

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void build();
    QHBoxLayout* buildButtons();
    void resume();
    void listRuns();
    void labelRuns();
    void refresh();
    void showProgress();
    void showButtons();
    RunPtr runAt(int row) const;
    QString resultText() const;

    TrainingRuns& m_runs;
    RunPtr m_shown;
    QComboBox* m_list;
    QLabel *m_state, *m_facts, *m_result;
    QProgressBar* m_progress;
    QPushButton *m_pause, *m_stop, *m_resume, *m_use;
    QPlainTextEdit* m_log;
};

}  // namespace fovea::studio
