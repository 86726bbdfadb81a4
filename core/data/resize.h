// Antialiased resizing, as Pillow does it: a triangle filter whose support grows with the reduction, first along
// rows, then along columns, in fixed point with 22 bits. The numbers are Pillow's, bit for bit.
#pragma once

#include "core/data/dataset.h"

#include <cstdint>
#include <vector>

namespace fovea {

// Half-open, in whole pixels.
struct PixelWindow {
    std::int64_t top = 0, left = 0, height = 0, width = 0;
    bool operator==(const PixelWindow&) const = default;
};

// What a thread keeps from one image to the next, so that nothing is allocated for each.
struct ResizeScratch {
    struct Axis {
        std::vector<std::int64_t> first;    // by output pixel: the first input pixel it reads
        std::vector<std::int32_t> weights;  // `taps` for each output pixel, zeros behind its own
        std::int64_t taps = 0;
    };
    Axis rows, columns;
    std::vector<std::uint8_t> between;
};

// The part `source` of an image, brought to height x width pixels, of which only the window `wanted` is computed
// (which may reach outside: there it is 0). Interleaved into `out`: wanted.height x wanted.width x channels bytes.
void resizeWindow(const Image& image, const PixelWindow& source, std::int64_t height, std::int64_t width,
                  const PixelWindow& wanted, ResizeScratch& scratch, std::vector<std::uint8_t>& out);

Image resized(const Image& image, std::int64_t height, std::int64_t width);

}  // namespace fovea
