// How an image becomes the network's input. Belongs to the network, as its weights do: training, evaluation and
// whoever runs an export have to do the same.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace fovea {

// What anyone may ask for. A smaller divisor would make every input infinite.
constexpr std::int64_t kMaxResize = 1 << 16;
constexpr double kLargestMean = 1e6, kLeastDeviation = 1e-6, kLargestDeviation = 1e6;

enum class ChannelOrder { Rgb, Bgr };

struct Preprocessing {
    // The shorter side of an image after resizing; the network's own side is then cut out of the middle. 0: resized
    // to exactly the network's side, with no crop.
    std::int64_t resize = 0;
    ChannelOrder order = ChannelOrder::Rgb;
    // Of values in [0, 1], one for each channel of the network's input (or one for all): (value - mean) / deviation.
    std::vector<double> mean{0, 0, 0};
    std::vector<double> deviation{1, 1, 1};

    bool operator==(const Preprocessing&) const = default;
};

}  // namespace fovea
