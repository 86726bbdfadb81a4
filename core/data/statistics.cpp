#include "core/base/error.h"
#include "core/base/random.h"
#include "core/data/loader.h"
#include "core/data/sample.h"
#include "core/graph/first_image.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace fovea {

namespace {

constexpr std::uint64_t kStatisticsPurpose = 0x57a7;
constexpr std::int64_t kEnough = 256;  // px: a photo need not be decoded at its full size

struct Sums {
    std::array<double, 3> mean{}, square{};  // of images, so that a large one counts as much as a small one
    std::int64_t images = 0;
    bool coloured = false;
};

void add(const Image& image, Sums& sums)
{
    const auto channels = static_cast<std::size_t>(image.channels);
    std::array<std::uint64_t, 3> plain{}, squared{};
    for (std::size_t i = 0; i + channels <= image.pixels.size(); i += channels)
        for (std::size_t c = 0; c < channels; ++c) {
            const std::uint64_t value = image.pixels[i + c];
            plain[c] += value;
            squared[c] += value * value;
        }
    const double pixels = static_cast<double>(image.pixels.size() / channels);
    for (std::size_t c = 0; c < 3; ++c) {
        sums.mean[c] += static_cast<double>(plain[c % channels]) / pixels / 255;
        sums.square[c] += static_cast<double>(squared[c % channels]) / pixels / (255.0 * 255);
    }
    sums.coloured = sums.coloured || channels == 3;
    ++sums.images;
}

// Whether the network's image has one channel.
bool readsGrey(const Graph& graph)
{
    const Node* image = firstImage(graph);
    return image && (*image->attrs.getInts("shape"))[1] == 1;
}

}  // namespace

ChannelStatistics channelStatistics(const Dataset& dataset, std::int64_t most, std::uint64_t seed,
                                    const std::function<bool()>& stop, bool inGrey)
{
    std::vector<std::int64_t> order(static_cast<std::size_t>(dataset.size()));
    std::iota(order.begin(), order.end(), std::int64_t{0});
    RandomStream stream(seed, {kStatisticsPurpose});
    Sums sums;
    for (std::size_t i = 0; i < order.size() && sums.images < most; ++i) {
        if (stop && stop()) throw Error(ErrorCode::Usage, "Stopped while the images' statistics were taken.");
        std::swap(order[i], order[i + stream.below(order.size() - i)]);
        try {
            Image image = dataset.image(order[i], kEnough);
            if (inGrey && image.channels == 3) makeGrey(image);
            add(image, sums);
        } catch (const Error& error) {
            if (error.code() == ErrorCode::Internal) throw;  // a broken image says nothing
        }
    }
    ChannelStatistics out;
    out.images = sums.images;
    for (std::size_t c = 0; sums.images > 0 && c < (sums.coloured ? 3U : 1U); ++c) {
        const double mean = sums.mean[c] / static_cast<double>(sums.images);
        const double variance = sums.square[c] / static_cast<double>(sums.images) - mean * mean;
        out.mean.push_back(mean);
        out.deviation.push_back(std::sqrt(std::max(variance, 0.0)));
    }
    return out;
}

Graph withPreprocessing(Graph graph, const Dataset& training, const std::function<bool()>& stop)
{
    if (graph.preprocessing()) return graph;
    constexpr std::int64_t kLookedAt = 1000;
    ChannelStatistics statistics = channelStatistics(training, kLookedAt, 0, stop, readsGrey(graph));
    constexpr double kLeast = 1e-3;  // images of one colour have nothing to be scaled
    for (double& deviation : statistics.deviation)
        if (deviation < kLeast) deviation = 1;
    // Where no image could be read, whoever reads them next says so.
    graph.setPreprocessing(statistics.images == 0
                               ? Preprocessing{}
                               : Preprocessing{.mean = statistics.mean, .deviation = statistics.deviation});
    return graph;
}

}  // namespace fovea
