#include "core/data/resize.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace fovea {

namespace {

constexpr int kBits = 22;  // 32, less 8 for a pixel and 2 for sums beyond 255

std::uint8_t rounded(std::int32_t sum) { return static_cast<std::uint8_t>(std::clamp(sum >> kBits, 0, 255)); }

// Weights of the output pixels [from, from + count) of an axis that has `size` pixels and gets `target`.
void weigh(std::int64_t size, std::int64_t target, std::int64_t from, std::int64_t count, ResizeScratch::Axis& axis)
{
    const double scale = static_cast<double>(size) / static_cast<double>(target), reach = std::max(scale, 1.0);
    axis.taps = std::min(static_cast<std::int64_t>(std::ceil(reach)) * 2 + 1, size);
    axis.first.resize(static_cast<std::size_t>(count));
    axis.weights.assign(static_cast<std::size_t>(count * axis.taps), 0);
    std::vector<double> reals(static_cast<std::size_t>(axis.taps));
    for (std::int64_t i = 0; i < count; ++i) {
        const double centre = (static_cast<double>(from + i) + 0.5) * scale;
        const std::int64_t low = std::max<std::int64_t>(static_cast<std::int64_t>(centre - reach + 0.5), 0);
        const std::int64_t high = std::min(static_cast<std::int64_t>(centre + reach + 0.5), size);
        double sum = 0;
        for (std::int64_t k = low; k < high; ++k) {
            const double distance = std::abs((static_cast<double>(k) - centre + 0.5) / reach);
            sum += reals[static_cast<std::size_t>(k - low)] = std::max(0.0, 1 - distance);
        }
        // So that `taps` pixels can be read from there for every output pixel.
        const std::int64_t first = std::min(low, size - axis.taps);
        axis.first[static_cast<std::size_t>(i)] = first;
        std::int32_t* weights = axis.weights.data() + i * axis.taps + (low - first);
        for (std::int64_t k = low; k < high; ++k)
            *weights++ = static_cast<std::int32_t>(0.5 + reals[static_cast<std::size_t>(k - low)] / sum * (1 << kBits));
    }
}

template <int kChannels>
void alongRow(const std::uint8_t* in, const ResizeScratch::Axis& axis, std::uint8_t* out)
{
    const std::int32_t* weights = axis.weights.data();
    for (const std::int64_t first : axis.first) {
        std::int32_t sums[kChannels];
        for (int c = 0; c < kChannels; ++c) sums[c] = 1 << (kBits - 1);
        const std::uint8_t* pixel = in + first * kChannels;
        for (std::int64_t k = 0; k < axis.taps; ++k, pixel += kChannels)
            for (int c = 0; c < kChannels; ++c) sums[c] += pixel[c] * weights[k];
        for (int c = 0; c < kChannels; ++c) *out++ = rounded(sums[c]);
        weights += axis.taps;
    }
}

// A whole output row at a time, so that the compiler can take several pixels at once.
void alongColumn(const std::uint8_t* in, std::size_t stride, const std::int32_t* weights, std::int64_t taps,
                 std::uint8_t* out)
{
    constexpr std::size_t kBlock = 64;
    for (std::size_t from = 0; from < stride; from += kBlock) {
        const std::size_t count = std::min(kBlock, stride - from);
        std::int32_t sums[kBlock];
        for (std::int32_t& sum : sums) sum = 1 << (kBits - 1);
        for (std::int64_t k = 0; k < taps; ++k) {
            const std::uint8_t* row = in + static_cast<std::size_t>(k) * stride + from;
            const std::int32_t weight = weights[k];
            if (count == kBlock)
                for (std::size_t x = 0; x < kBlock; ++x) sums[x] += row[x] * weight;
            else
                for (std::size_t x = 0; x < count; ++x) sums[x] += row[x] * weight;
        }
        for (std::size_t x = 0; x < count; ++x) out[from + x] = rounded(sums[x]);
    }
}

// What of [from, from + count) lies inside [0, size): first and length.
std::pair<std::int64_t, std::int64_t> inside(std::int64_t from, std::int64_t count, std::int64_t size)
{
    const std::int64_t low = std::clamp<std::int64_t>(from, 0, size),
                       high = std::clamp<std::int64_t>(from + count, low, size);
    return {low, high - low};
}

const std::uint8_t* pixelAt(const Image& image, std::int64_t y, std::int64_t x)
{
    return image.pixels.data() + (y * image.width + x) * image.channels;
}

}  // namespace

void resizeWindow(const Image& image, const PixelWindow& source, std::int64_t height, std::int64_t width,
                  const PixelWindow& wanted, ResizeScratch& scratch, std::vector<std::uint8_t>& out)
{
    const auto channels = static_cast<std::size_t>(image.channels);
    const std::size_t outStride = static_cast<std::size_t>(wanted.width) * channels;
    out.resize(static_cast<std::size_t>(wanted.height) * outStride);
    const auto [top, rows] = inside(wanted.top, wanted.height, height);
    const auto [left, columns] = inside(wanted.left, wanted.width, width);
    if (rows != wanted.height || columns != wanted.width) std::fill(out.begin(), out.end(), std::uint8_t{0});
    if (rows == 0 || columns == 0) return;
    std::uint8_t* to = out.data() + static_cast<std::size_t>(top - wanted.top) * outStride +
                       static_cast<std::size_t>(left - wanted.left) * channels;
    const std::size_t stride = static_cast<std::size_t>(columns) * channels;

    if (source.height == height && source.width == width) {
        for (std::int64_t y = 0; y < rows; ++y, to += outStride)
            std::memcpy(to, pixelAt(image, source.top + top + y, source.left + left), stride);
        return;
    }
    weigh(source.width, width, left, columns, scratch.columns);
    weigh(source.height, height, top, rows, scratch.rows);
    const std::int64_t firstRow = scratch.rows.first.front(), lastRow = scratch.rows.first.back() + scratch.rows.taps;
    scratch.between.resize(static_cast<std::size_t>(lastRow - firstRow) * stride + 1);
    for (std::int64_t y = firstRow; y < lastRow; ++y) {
        const std::uint8_t* in = pixelAt(image, source.top + y, source.left);
        std::uint8_t* row = scratch.between.data() + static_cast<std::size_t>(y - firstRow) * stride;
        // A side that keeps its size passes as it is: there the weights are one and zeros.
        if (channels == 1) alongRow<1>(in, scratch.columns, row);
        else alongRow<3>(in, scratch.columns, row);
    }
    for (std::int64_t y = 0; y < rows; ++y, to += outStride)
        alongColumn(scratch.between.data() +
                        static_cast<std::size_t>(scratch.rows.first[static_cast<std::size_t>(y)] - firstRow) * stride,
                    stride, scratch.rows.weights.data() + y * scratch.rows.taps, scratch.rows.taps, to);
}

Image resized(const Image& image, std::int64_t height, std::int64_t width)
{
    Image out{height, width, image.channels, {}};
    ResizeScratch scratch;
    resizeWindow(image, {0, 0, image.height, image.width}, height, width, {0, 0, height, width}, scratch, out.pixels);
    return out;
}

}  // namespace fovea
