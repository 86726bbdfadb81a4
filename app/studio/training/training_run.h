// A training run as the studio shows it: what its folder says, and what its engine has told since.
#pragma once

#include "core/io/engine/jobs.h"
#include "core/recipe/run_folder.h"

#include <QFontMetrics>
#include <QString>

#include <memory>
#include <optional>
#include <vector>

namespace fovea::studio {

struct TrainingRun {
    enum class State { Preparing, Running, Pausing, Paused, Stopping, Stopped, Done, Failed, Died, Elsewhere };

    RunFolder folder;
    RunInfo info;
    Recipe recipe;
    bool refined = false;  // of a network that was changed after it was opened
    bool hasBest = false, hasLast = false;
    State state = State::Preparing;
    QString sentence;  // why it ended
    Progress progress;
    double share = -1;  // of all steps; negative: not known yet
    std::vector<MetricsLine> metrics;
    QString log;

    QString name() const { return QString::fromStdString(folder.root.filename().string()); }
    QString path() const { return QString::fromStdString(folder.root.string()); }
    bool isLive() const;
    bool canResume() const { return !isLive() && state != State::Done && state != State::Elsewhere && hasLast; }
    bool canGoFurther() const { return state == State::Done && hasLast; }
    void add(const MetricsLine& line);
    void add(const Progress& told);
    std::optional<MetricsLine> best() const;  // the epoch with the highest top-1
};

using RunPtr = std::shared_ptr<TrainingRun>;

// The name of a network as its run is called by; networkTitle() takes it back.
QString runTitle(const QString& network, bool refined);
QString networkTitle(const TrainingRun& run);
// "001-quick  NETWORK, refined". Where that is wider than `width` pixels, the network's name gives way in its middle.
QString runLabel(const TrainingRun& run, const QFontMetrics& metrics, std::optional<int> width = {});
// The state in one sentence.
QString stateText(const TrainingRun& run);
// Epoch, time left, speed and memory; empty where nothing is known yet.
QString progressText(const TrainingRun& run);
// "4 min 10 s"
QString durationText(double seconds);

// What the folder holds; Error where it is no run. For other threads than the window's.
RunPtr readRun(const std::filesystem::path& folder);
// Kept beside the engine's own files, which do not know of it.
void writeRole(const RunFolder& folder, bool refined);
void removeEmpty(const RunFolder& folder);  // of a run that never began
void readFiles(TrainingRun& run);           // whether there are weights

}  // namespace fovea::studio
