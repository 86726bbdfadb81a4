// The convolutional part of residual networks, on which other tasks build.
#pragma once

#include "core/zoo/recipe.h"

#include <array>

namespace fovea::zoo {

struct Resnet {
    std::array<int, 4> counts;  // blocks of each stage
    bool bottleneck = true;
    std::int64_t groups = 1, groupWidth = 64;  // of a bottleneck's 3x3, in a stage of 64 planes
    bool slim = false;                         // TF-slim's version 1; see resnet.cpp
};

inline constexpr Resnet kResnet50{{3, 4, 6, 3}};

// The outputs of the four stages. Reads `width`, `depth` and `output_stride`.
std::array<Port, 4> resnetStages(Builder& b, Port image, const Resnet& net, const Parameters& p);

}  // namespace fovea::zoo
