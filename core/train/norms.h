// What can be done about batch norms with images but without training.
#pragma once

#include "core/data/dataset.h"
#include "core/train/trainer.h"

namespace fovea {

// Running statistics anew: the mean over batches of training images, all other weights as they are.
RecalibrateReply recalibrate(const TrainStart& start, const RecalibrateRequest& request, const JobWatch& watch);

struct Unfolded {
    Graph graph;
    Weights weights;  // of the whole new network
    UnfoldReply reply;
};
// A BatchNorm2d behind each of foldedConvolutions(). Its running statistics are those of the activations on training
// images, and its scale and shift undo them, so that the network computes what it did; the convolution's bias goes into
// the shift.
// Error(Usage) where there is nothing to unfold.
Unfolded unfoldNorms(const TrainStart& start, const UnfoldRequest& request, const JobWatch& watch);
// On data that is open already; the request's source is not read.
Unfolded unfoldNorms(const TrainStart& start, const DataParts& parts, const UnfoldRequest& request,
                     const JobWatch& watch);

}  // namespace fovea
