// One line of metrics.jsonl, which is also what the engine reports while it trains.
#pragma once

#include "core/io/json/json_reader.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace fovea {

struct MetricsLine {
    enum class Kind { Step, Epoch };  // "step": within an epoch; "epoch": at its end, with validation
    Kind kind = Kind::Step;
    std::int64_t epoch = 0;  // from 0
    std::int64_t step = 0;   // optimiser steps done so far
    double lr = 0;
    double trainLoss = 0;                        // mean since the last line of this kind
    std::optional<double> evalLoss, top1, top5;  // of the validation images, in [0, 1]; epochs only
    double imagesPerSecond = 0;
    double seconds = 0;       // since the run began, pauses left out
    std::int64_t memory = 0;  // bytes at their most: resident, or on the GPU
    bool operator==(const MetricsLine&) const = default;
};

Json toJson(const MetricsLine& line);
void read(const JsonAt& at, MetricsLine& out);

}  // namespace fovea
