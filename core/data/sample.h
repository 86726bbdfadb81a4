// One image of a data set as numbers for the network.
#pragma once

#include "core/data/crop.h"

#include <vector>

namespace fovea {

// What a worker keeps from one image to the next.
struct SampleScratch {
    ResizeScratch resize;
    std::vector<std::uint8_t> pixels;
};

// Of three channels: one, by ITU-R 601-2, as Pillow has it.
void makeGrey(Image& image);

class Sampler {
public:
    // Error(Usage) for what no image can become: channels other than 1 or 3, means for another number of channels.
    explicit Sampler(const LoadOptions& options);

    std::size_t elements() const
    {
        return static_cast<std::size_t>(m_options.channels * m_options.height * m_options.width);
    }
    // Writes elements() floats as [channels, height, width]. Passes on what Dataset::image() throws.
    void write(const Dataset& dataset, std::int64_t index, std::int64_t epoch, SampleScratch& scratch,
               float* out) const;

private:
    void normalise(const std::uint8_t* pixels, std::int64_t channels, bool mirrored, float* out) const;

    LoadOptions m_options;
    std::vector<float> m_table;  // by channel of the network and value of a pixel
};

}  // namespace fovea
