// Which part of an image becomes the network's input, and at what size.
#pragma once

#include "core/base/random.h"
#include "core/data/loader.h"
#include "core/data/resize.h"

namespace fovea {

// What can be said before the image is read.
struct FramePlan {
    std::int64_t leastSide = 0;  // a smaller image would have to be enlarged
    double share = 1;            // of the area, for a random resized crop
    bool mirrored = false;
};
FramePlan planFrame(const LoadOptions& options, RandomStream& stream);

// The image's part `source` is brought to height x width, of which `wanted` is cut out; outside it is black.
struct Frame {
    PixelWindow source;
    std::int64_t height = 0, width = 0;
    PixelWindow wanted;
};
Frame frameOf(const LoadOptions& options, const FramePlan& plan, std::int64_t height, std::int64_t width,
              RandomStream& stream);

}  // namespace fovea
