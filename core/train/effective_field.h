// The effective receptive field (Luo, Li, Urtasun, Zemel: "Understanding the Effective Receptive Field in Deep
// Convolutional Neural Networks", 2016).
#pragma once

#include "core/train/trainer.h"

namespace fovea {

EffectiveReply effectiveField(const TrainStart& start, const EffectiveRequest& request, const JobWatch& watch);

// Of an [h, w] image F64: pixels above `threshold` times its largest value, their box, the diameter of a disc of that
// area, and the root of the mean of the variances along y and x.
EffectiveReply measureField(const Tensor& image, double threshold);

}  // namespace fovea
