// Who watches a long job: what it tells on the way, and whether it should stop. Called from the job's own thread.
#pragma once

#include "core/io/engine/jobs.h"
#include "core/recipe/metrics.h"

#include <functional>
#include <string>

namespace fovea {

struct JobWatch {
    std::function<void(const Progress&)> progress = [](const Progress&) {};
    std::function<void(const MetricsLine&)> metrics = [](const MetricsLine&) {};
    std::function<void(const std::string&)> log = [](const std::string&) {};
    std::function<bool()> stop = [] { return false; };  // asked once a batch
};

// Bytes that this process holds or held at its most on `device`: resident memory, or what the GPU has in use.
std::int64_t memoryInUse(const std::string& device);

}  // namespace fovea
