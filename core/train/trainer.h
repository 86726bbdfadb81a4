// Trains a network into a run folder (core/recipe/run_folder.h). Every random decision is a function of the recipe's
// seed and of epoch, step or image; so on a CPU a run that was killed and resumed equals one that was not, bit for
// bit, at any number of workers.
#pragma once

#include "core/train/job_watch.h"
#include "core/weights/weights.h"

namespace fovea {

struct TrainStart {
    Graph graph;      // at the size to train at
    Weights weights;  // fitted to it (materialise())
    std::string device = "cpu";
    Weights given = {};  // those of `weights` that somebody gave, as they were before they were fitted
};

// A new run; the folder must not hold one. Error(File | Format | Usage | Limit).
TrainReply train(const TrainStart& start, const TrainRequest& request, const JobWatch& watch);
// Goes on where the folder's last checkpoint stands.
TrainReply resumeTraining(const TrainRequest& request, const JobWatch& watch);

// The rate is drawn over `steps` steps on a copy of the network.
RateReply findLearningRate(const TrainStart& start, const RateRequest& request, const JobWatch& watch);

}  // namespace fovea
