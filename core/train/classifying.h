// A network that tells classes apart, and the batches that fit it. Private to this room.
#pragma once

#include "core/data/loader.h"
#include "core/train/network.h"

#include <optional>
#include <set>

namespace fovea {

// What images have to be for the network's image input: channels, height and width, and its preprocessing; in
// evaluation's order. Batch and workers are the caller's. Error(Usage) where the input has no fixed size.
LoadOptions loadOptionsOf(const Network& network);

class ClassifyingNetwork {
public:
    // Error(Usage) where the network has no image input or no classifier.
    ClassifyingNetwork(const Graph& graph, const Weights& weights, const std::string& device);

    Network& network() { return m_network; }
    const Network& network() const { return m_network; }
    std::int64_t classes() const { return m_classes; }
    // Channels, height and width of the input, its preprocessing, evaluation's order; batch and workers are the
    // caller's.
    LoadOptions loadOptions() const { return loadOptionsOf(m_network); }

    at::Tensor images(const Batch& batch) const;  // [n, c, h, w] on the device, in the network's memory order
    at::Tensor labels(const Batch& batch) const;
    at::Tensor logits(const at::Tensor& images, const Network::Watch& watch = {}) const;  // [n, classes], float

    void setTraining(bool training, const std::set<std::size_t>& frozen = {});  // frozen steps stay in eval mode
    void setChannelsLast();
    void setMixedPrecision(bool on) { m_mixed = on; }

private:
    Network m_network;
    std::string m_image;
    std::size_t m_logits = 0;
    std::int64_t m_classes = 0;
    bool m_channelsLast = false, m_mixed = false;
};

}  // namespace fovea
