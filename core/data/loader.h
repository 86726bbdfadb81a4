// Batches of network input, made by worker threads in an order that depends on seed and epoch alone.
#pragma once

#include "core/data/dataset.h"
#include "core/graph/graph.h"
#include "core/graph/tensor.h"

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fovea {

// As timm names them. All off: what evaluation sees.
struct Augmentation {
    double hflip = 0;                   // probability
    std::array<double, 2> scale{1, 1};  // share of the image's area that a random resized crop takes
    std::array<double, 2> ratio{1, 1};  // its width to height
    std::int64_t pad = 0;  // pixels of zeros around the resized image before a random crop of the side (CIFAR's recipe)
    bool operator==(const Augmentation&) const = default;
};

struct LoadOptions {
    std::int64_t channels = 3, height = 224, width = 224;  // of the network's input
    std::int64_t batch = 32;
    Preprocessing preprocessing;
    Augmentation augmentation;
    bool shuffle = false;
    bool dropLast = false;  // an incomplete last batch is left out, unless it is the only one
    std::uint64_t seed = 0;
    int workers = 0;  // 0: one for each core but one, at least one
};

struct Batch {
    Tensor images;                      // F32 [n, channels, height, width]
    std::vector<std::int64_t> labels;   // n
    std::vector<std::int64_t> indices;  // n, in the dataset
};

struct BrokenImage {
    std::string name, why;
};

class Loader {
public:
    Loader(DatasetPtr dataset, const LoadOptions& options);
    ~Loader();  // stops the workers

    std::int64_t batchesPerEpoch() const;
    // Goes to the start of an epoch, or to one of its batches: what was made for another place is thrown away.
    void start(std::int64_t epoch, std::int64_t firstBatch = 0);
    // In order; nullopt at the end of the epoch. Of a shuffled epoch a broken image's place is taken by the next whole
    // one in its order (the same at any number of workers), so that batches keep their size; without shuffling it is
    // left out, so that no image counts twice. Error(Format) where no image can be read.
    std::optional<Batch> next();
    // So far, each once, by name.
    std::vector<BrokenImage> broken() const;

private:
    struct Impl;
    std::unique_ptr<Impl> m_impl;
};

struct ChannelStatistics {
    std::vector<double> mean, deviation;  // of values in [0, 1], per channel
    std::int64_t images = 0;              // looked at
};

// Over at most `most` images, drawn from `seed`.
// Error(Usage) where `stop` says so between two of them. `inGrey`: as a network of one channel sees them.
ChannelStatistics channelStatistics(const Dataset& dataset, std::int64_t most, std::uint64_t seed,
                                    const std::function<bool()>& stop = {}, bool inGrey = false);

// A network whose images nobody said how to prepare gets the statistics of a thousand training images.
Graph withPreprocessing(Graph graph, const Dataset& training, const std::function<bool()>& stop = {});

}  // namespace fovea
