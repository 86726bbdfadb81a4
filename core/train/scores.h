// Top-1, top-5, loss and the confusion table of a network on a data set. Private to this room.
#pragma once

#include "core/train/classifying.h"
#include "core/train/job_watch.h"

namespace fovea {

struct Scores {
    std::int64_t images = 0;
    double loss = 0, top1 = 0, top5 = 0;
    std::vector<std::int64_t> confusion;  // classes x classes: [true][predicted]; empty above 2000 classes
    bool stopped = false;
};

// In eval mode, without augmentation. `phase` is what the progress says. Error(Usage) where there is no image.
Scores scoreOf(ClassifyingNetwork& classifier, Loader& loader, const std::string& phase, const JobWatch& watch);

// Tells how far a phase has come, at most five times a second.
class ProgressTeller {
public:
    ProgressTeller(const JobWatch& watch, Progress start, std::string device);
    void advance(std::int64_t images);  // one more is done
    double imagesPerSecond() const;

private:
    const JobWatch& m_watch;
    Progress m_progress;
    std::string m_device;
    double m_began, m_told = 0;
    std::int64_t m_images = 0, m_doneAtStart;
};

double secondsNow();  // of a clock that never goes back

void addBroken(BrokenImages& to, const Loader& loader);
// "resized to ..., mean ..., deviation ..., as the model says."
std::string preprocessingText(const Preprocessing& how, bool isOwn);
// The network with its preprocessing: its own, else of the training images; `watch` is told which, and what the data is.
Graph withPreprocessing(const Graph& graph, const DataParts& parts, const JobWatch& watch);
// The part of the data that a job asks for, bounded to `images`.
DatasetPtr partOf(const DataParts& parts, const std::string& part, std::int64_t images, std::uint64_t seed);
DataParts openFor(const DataUse& use);
int workersOf(const DataUse& use);
LoadOptions loadOptionsFor(const ClassifyingNetwork& classifier, const DataUse& use);
// Error(Usage) where the data and the network do not tell the same number of classes apart.
void checkClasses(const ClassifyingNetwork& classifier, const Dataset& data);

}  // namespace fovea
