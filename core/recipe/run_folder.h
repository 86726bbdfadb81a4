// A training run is a folder. Every file in it can be read while the run goes on.
//   run.json                 what is trained on what (RunInfo)
//   graph.json               the network, as messages hold it
//   recipe.json              Recipe
//   metrics.jsonl            a MetricsLine each
//   last.safetensors         weights of the last checkpoint, under PyTorch's keys; its metadata name the state file
//   last-STEP.state.safetensors  optimiser, average of weights, and where the run stood
//   best.safetensors         weights of the best validation so far
//   log.txt
// One that was exported for PyTorch's own engine (core/io/pytorch/export_job.h) also has
//   job.json                 what train.py has to know of the network
//   model.safetensors        weights to start from, under PyTorch's keys
#pragma once

#include "core/graph/graph.h"
#include "core/recipe/metrics.h"
#include "core/recipe/recipe.h"

#include <array>
#include <filesystem>
#include <string>
#include <vector>

namespace fovea {

struct RunInfo {
    std::string name;                    // of the network
    std::string data;                    // as openData() takes it
    std::array<std::int64_t, 2> size{};  // [h, w] of the network's input
    std::vector<std::string> classes;
    std::array<std::int64_t, 2> images{};  // to train on, to validate; 0, 0: not known
    std::string device;                    // "cpu", "cuda:0"
    std::string libtorch;                  // version
    std::string from;                      // where the weights came from; empty: new ones
    std::string state = "running";         // "running", "stopped", "done", "failed"
    std::string reason;                    // why it ended, in one sentence; empty while it runs
    std::int64_t threads = 0;              // of LibTorch: another number may round otherwise
    bool operator==(const RunInfo&) const = default;
};

Json toJson(const RunInfo& info);
void read(const JsonAt& at, RunInfo& out);

struct RunFolder {
    std::filesystem::path root;

    std::filesystem::path info() const { return root / "run.json"; }
    std::filesystem::path graph() const { return root / "graph.json"; }
    std::filesystem::path recipe() const { return root / "recipe.json"; }
    std::filesystem::path metrics() const { return root / "metrics.jsonl"; }
    std::filesystem::path log() const { return root / "log.txt"; }
    std::filesystem::path last() const { return root / "last.safetensors"; }
    std::filesystem::path best() const { return root / "best.safetensors"; }
    std::filesystem::path job() const { return root / "job.json"; }
    std::filesystem::path jobStart() const { return root / "model.safetensors"; }
    std::filesystem::path state(std::int64_t step) const;
};

bool isStateFile(const std::filesystem::path& path);  // by its name
bool isRunFolder(const std::filesystem::path& path);

// Error(File) where no folder can be made there; Error(Usage) where a run stands already, or a file of somebody else's that a run, or one of `more`, would write over.
// What a run has left that was killed before it had begun is nobody's: it writes its graph first, and run.json last.
void refuseTaken(const RunFolder& folder, const std::vector<std::filesystem::path>& more = {});

// Error(File | Format).
RunInfo readRunInfo(const RunFolder& folder);
Graph readRunGraph(const RunFolder& folder);
Recipe readRecipe(const std::filesystem::path& file);
// Whole lines only: the last one may be half written. Lines that are no metrics are left out.
std::vector<MetricsLine> readMetrics(const std::filesystem::path& file);

}  // namespace fovea
