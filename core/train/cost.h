// What a step costs on this machine.
#pragma once

#include "core/train/trainer.h"

namespace fovea {

CostReply measureCost(const TrainStart& start, const CostRequest& request, const JobWatch& watch);

}  // namespace fovea
