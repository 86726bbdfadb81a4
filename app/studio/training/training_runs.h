// All runs that the studio knows: the one it trains, those before it, and those found on the disk. Belongs to the
// window, so that a run outlives the panel that started it.
#pragma once

#include "app/studio/training/engine_job.h"
#include "app/studio/training/training_run.h"

#include <QObject>
#include <QTimer>

namespace fovea::studio {

struct TrainingStart {
    QString data, device = QStringLiteral("auto"), preset;
    Recipe recipe;
    bool newWeights = false;
    QString folder;  // that runs are put in; empty: beside the document
};

class TrainingRuns : public QObject {
    Q_OBJECT
public:
    explicit TrainingRuns(Document& document, QObject* parent = nullptr);
    ~TrainingRuns() override;

    Document& document() const { return m_document; }
    const std::vector<RunPtr>& runs() const { return m_runs; }  // in the order they came
    RunPtr live() const;                                        // null: none
    RunPtr latest() const { return m_runs.empty() ? nullptr : m_runs.back(); }

    // Where new runs go without another choice.
    QString folder() const;
    // Reads the runs in a folder on another thread. Those that another process trains are read again while it does.
    void look(const QString& folder);

    // The document's as a training begins with it.
    EngineNetwork networkToTrain(bool newWeights, const Recipe& recipe) const;
    // Refused while another one is live. What goes wrong later is in the run's state.
    void start(const TrainingStart& asked);
    // `epochs`: in all, of a run that has ended and is to go further.
    void resume(const RunPtr& run, std::optional<std::int64_t> epochs = {});
    void pause();
    void stop();
    // The graph and best weights of the run become the document's, in one undo step.
    void useBest(const RunPtr& run);

signals:
    void listChanged();
    void changed(const fovea::studio::RunPtr& run);   // anything but its curves
    void measured(const fovea::studio::RunPtr& run);  // its curves
    void logged(const fovea::studio::RunPtr& run, const QString& text);
    void started(const fovea::studio::RunPtr& run);
    void ended();  // none is live any more
    // The engine is gone or gave up; `run` can perhaps be resumed.
    void broke(const fovea::studio::RunPtr& run);
    void noted(const QString& note);
    void failed(const QString& what, const QString& why);

private:
    void launch(const RunPtr& run, std::optional<EngineNetwork> network, const QString& device,
                const TrainRequest& request);
    void halt(TrainingRun::State state);
    void finish(const RunPtr& run, const TrainReply& reply);
    void end(const RunPtr& run, TrainingRun::State state, const QString& sentence);
    void tell(const RunPtr& run, const QString& text);
    void follow();
    void take(const RunPtr& known, const TrainingRun& now);
    RunFolder nextFolder(const QString& parent, const QString& preset) const;

    Document& m_document;
    std::vector<RunPtr> m_runs;
    RunPtr m_live;
    EngineJob* m_job = nullptr;
    QTimer m_follow;
};

// Whether layers, their settings or their wiring differ from what was opened. Another side or another preprocessing
// alone is no refinement.
bool isRefined(const Document& document);

}  // namespace fovea::studio
