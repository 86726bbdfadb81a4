// What a training run writes so that it can go on after any kill. Private to this room.
#pragma once

#include "core/recipe/run_folder.h"
#include "core/train/network.h"
#include "core/train/optimiser.h"

#include <ATen/ATen.h>

#include <map>
#include <optional>
#include <string>

namespace fovea {

// Where a run stands, as far as no tensor holds it.
struct RunPosition {
    std::int64_t epoch = 0, batch = 0, step = 0;  // batch: the next one of this epoch
    std::int64_t bestEpoch = -1, epochsSinceBest = 0;
    double bestTop1 = -1, seconds = 0;
    double epochLoss = 0, lineLoss = 0;  // sums since the start of the epoch, and since the last line of metrics
    std::int64_t epochSteps = 0, lineSteps = 0;
    bool operator==(const RunPosition&) const = default;
};

// What the network's tensors are called in files: tensor name -> PyTorch's key (core/io/pytorch/keys.h).
using Keys = std::map<std::string, std::string>;

// Tensors by name besides the weights: the optimiser's, and the moving average of the weights ("ema/NAME").
using StateTensors = std::map<std::string, at::Tensor>;

// The state first, under the step's name; then the weights, whose metadata name it: whichever moment the machine dies,
// last.safetensors names a state that is whole. Error(File).
void writeCheckpoint(const RunFolder& folder, const Network& network, const Keys& keys, const StateTensors& state,
                     const RunPosition& position);

// The weights of the best validation so far. Error(File).
void writeBest(const RunFolder& folder, const Network& network, const Keys& keys, std::int64_t epoch);

// Copies a checkpoint into the network and the state. nullopt where the folder has none yet. Error(File | Format).
std::optional<RunPosition> readCheckpoint(const RunFolder& folder, Network& network, StateTensors& state);

// Cuts off what a killed run wrote after its last checkpoint: lines of later steps, and the end of an epoch that had
// not been counted yet.
void keepMetricsUpTo(const RunFolder& folder, const RunPosition& position);

}  // namespace fovea
