// What a network and a recipe become before anything is trained on some data. Private to this room.
#pragma once

#include "core/data/loader.h"
#include "core/train/trainer.h"

namespace fovea {

// Error(Usage) where none is named, or it has one class, of which nothing can be learnt.
DataParts dataFor(const std::string& source, const Recipe& recipe);

struct PreparedTraining {
    TrainStart start;
    Recipe recipe;
};
// Error(Usage) too where it is stopped.
PreparedTraining prepareTraining(const TrainStart& given, const Recipe& recipe, const DataParts& data,
                                 const JobWatch& watch);

}  // namespace fovea
