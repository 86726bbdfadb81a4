// How well a network tells labelled images apart.
#pragma once

#include "core/train/trainer.h"

namespace fovea {

EvaluateReply evaluate(const TrainStart& start, const EvaluateRequest& request, const JobWatch& watch);

}  // namespace fovea
