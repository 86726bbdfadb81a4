#include "core/train/classifying.h"

#include "core/graph/first_image.h"
#include "core/ops/classifier.h"
#include "core/train/autocast.h"
#include "core/train/tensors.h"

#include <c10/core/GradMode.h>

#include <algorithm>

namespace fovea {

LoadOptions loadOptionsOf(const Network& network)
{
    LoadOptions out;
    const std::string name = network.imageName();
    const Shape shape = imageShape(*network.entryNamed(name).node);
    if (shape[1] < 1 || shape[2] < 1 || shape[3] < 1)
        throw Error(ErrorCode::Usage, "Input '" + name + "' has no fixed size; say which with --size.");
    out.channels = shape[1];
    out.height = shape[2];
    out.width = shape[3];
    if (const auto& preprocessing = network.graph.preprocessing()) out.preprocessing = *preprocessing;
    return out;
}

ClassifyingNetwork::ClassifyingNetwork(const Graph& graph, const Weights& weights, const std::string& device)
    : m_network(graph, weights, {.device = device})
{
    m_image = m_network.imageName();
    const Classifier classifier = classifierIn(m_network.graph);
    m_logits = m_network.valueOf(classifier.logits, classifier.output);
    m_classes = classifier.classes;
}

at::Tensor ClassifyingNetwork::images(const Batch& batch) const
{
    at::Tensor out = toTorch(batch.images, m_network.type, m_network.device, "images");
    return m_channelsLast ? out.contiguous(at::MemoryFormat::ChannelsLast) : out;
}

at::Tensor ClassifyingNetwork::labels(const Batch& batch) const
{
    at::Tensor out = at::empty({static_cast<std::int64_t>(batch.labels.size())}, at::kLong);
    std::copy(batch.labels.begin(), batch.labels.end(), out.data_ptr<std::int64_t>());
    return out.to(m_network.device);
}

at::Tensor ClassifyingNetwork::logits(const at::Tensor& images, const Network::Watch& watch) const
{
    std::vector<at::Tensor> made;
    {
        const Autocast autocast(m_mixed);
        m_network.run({m_logits}, {{m_image, m_network.inOrderOf(m_image, images)}}, made, watch);
    }
    return made[m_logits].flatten(1).to(at::kFloat);
}

void ClassifyingNetwork::setTraining(bool training, const std::set<std::size_t>& frozen)
{
    for (std::size_t i = 0; i < m_network.steps.size(); ++i)
        m_network.steps[i].training = training && !frozen.contains(i);
}

void ClassifyingNetwork::setChannelsLast()
{
    m_channelsLast = true;
    const c10::NoGradGuard noGradients;
    for (Network::Owned& owned : m_network.owned)
        if (owned.tensor.dim() == 4) owned.tensor.set_data(owned.tensor.contiguous(at::MemoryFormat::ChannelsLast));
}

}  // namespace fovea
