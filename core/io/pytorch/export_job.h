// A training job for PyTorch's own engine, which trains on as many processes and machines as torchrun is given: a
// folder with the network as source, its weights, the recipe, and a train.py that needs nothing of Fovea. The folder
// becomes a run (core/recipe/run_folder.h), which Fovea opens again.
#pragma once

#include "core/graph/graph.h"
#include "core/recipe/run_folder.h"
#include "core/weights/weights.h"

#include <filesystem>
#include <string>
#include <vector>

namespace fovea {

struct ExportJob {
    Graph graph;  // with its preprocessing; at the side that it is trained at
    Weights weights;
    Recipe recipe;
    RunInfo info;  // name, data, size, from; classes where they are known. The rest is filled in while it runs
};

// Writes model.py, model.safetensors, recipe.json, run.json, graph.json, job.json, train.py, images.py and README.txt
// into `folder`, which is made where it is not there. Returns the tensors that had no values and were made as PyTorch
// does. Error(Usage) where the folder holds a run already, a layer has no PyTorch form, the network has no classifier,
// or the recipe freezes a layer that there is not; Error(File).
std::vector<std::string> writeExportJob(const std::filesystem::path& folder, const ExportJob& job);

}  // namespace fovea
