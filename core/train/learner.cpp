#include "core/train/learner.h"

#include "core/base/random.h"
#include "core/ops/weight_decay.h"
#include "core/recipe/frozen_layers.h"
#include "core/train/device.h"
#include "core/train/mixing.h"
#include "core/train/purposes.h"

#include <c10/core/GradMode.h>

#include <cmath>

namespace fovea {

namespace {

std::set<std::size_t> stepsOf(const Network& network, const std::set<NodeId>& layers)
{
    std::set<std::size_t> out;
    for (std::size_t i = 0; i < network.prepared.entries.size(); ++i)
        if (layers.contains(network.prepared.entries[i].node->id)) out.insert(i);
    return out;
}

// How many layers with kernels come before each step: what layer-wise decay counts in.
std::vector<std::int64_t> depths(const Network& network)
{
    std::vector<std::int64_t> out;
    std::int64_t depth = 0;
    for (const auto& entry : network.prepared.entries) {
        if (hasKernel(entry.op->opClass)) ++depth;
        out.push_back(depth);
    }
    return out;
}

}  // namespace

std::vector<OptimisedTensor> trainedTensors(Network& network, const Recipe& recipe, const std::set<std::size_t>& frozen)
{
    std::vector<OptimisedTensor> out;
    const std::vector<std::int64_t> depth = depths(network);
    for (Network::Owned& owned : network.owned) {
        if (!owned.trainable || frozen.contains(owned.step) || !at::isFloatingType(owned.tensor.scalar_type()))
            continue;
        owned.tensor.set_requires_grad(true);
        const double scale = std::pow(recipe.layerDecay, static_cast<double>(depth.back() - depth[owned.step]));
        const auto dims = owned.tensor.sizes();
        const bool decays =
            isDecayed(network.prepared.entries[owned.step].op->opClass, Ints(dims.begin(), dims.end()));
        out.push_back({owned.name, owned.tensor, scale, decays});
    }
    if (out.empty())
        throw Error(ErrorCode::Usage, recipe.freeze.empty()
                                          ? "The network has no weights to train."
                                          : "No weights are left to train behind '" + recipe.freeze + "'.");
    return out;
}

Learner::Learner(const Graph& graph, const Weights& weights, const Recipe& recipe, const std::string& device)
    : m_recipe(recipe), m_classifier(graph, weights, device)
{
    Network& network = m_classifier.network();
    if (recipe.amp) refuseMixedPrecisionOn(device);
    if (recipe.channelsLast) m_classifier.setChannelsLast();
    m_classifier.setMixedPrecision(recipe.amp);
    m_frozen = stepsOf(network, frozenLayers(network.graph, recipe.freeze));
    m_optimiser = std::make_unique<Optimiser>(recipe, trainedTensors(network, recipe, m_frozen));
    if (!recipe.modelEma) return;
    for (const Network::Owned& owned : network.owned) m_average.push_back(owned.tensor.detach().clone());
}

LoadOptions Learner::trainingOptions() const
{
    LoadOptions out = m_classifier.loadOptions();
    out.batch = m_recipe.batchSize;
    out.workers = static_cast<int>(m_recipe.workers);
    out.seed = static_cast<std::uint64_t>(m_recipe.seed);
    out.shuffle = true;
    out.dropLast = true;  // a batch of one has no statistics for a norm
    out.augmentation = {.hflip = m_recipe.hflip,
                        .scale = {m_recipe.scaleMin, m_recipe.scaleMax},
                        .ratio = {m_recipe.ratioMin, m_recipe.ratioMax},
                        .pad = m_recipe.cropPad};
    return out;
}

at::Tensor Learner::step(const Batch& batch, std::int64_t step, double rate)
{
    return this->step(m_classifier.images(batch), m_classifier.labels(batch), step, rate);
}

at::Tensor Learner::step(const at::Tensor& images, const at::Tensor& labels, std::int64_t step, double rate)
{
    // Dropout draws from LibTorch's own generator, which starts anew at every step.
    at::manual_seed(
        RandomStream(static_cast<std::uint64_t>(m_recipe.seed), {kDropPurpose, static_cast<std::uint64_t>(step)})
            .next());
    m_classifier.setTraining(true, m_frozen);
    const Mixed mixed = mixBatch(images, m_recipe, step);
    m_optimiser->clearGradients();
    const at::Tensor loss = mixedLoss(m_classifier.logits(mixed.images), labels, mixed.own, m_recipe.smoothing);
    loss.backward();
    if (m_recipe.clipGrad > 0) m_optimiser->clipGradients(m_recipe.clipGrad);
    m_optimiser->step(rate);
    average(step);
    return loss.detach();
}

// A short run would else end with an average of what it began with: so many steps, so much of the past (as
// TensorFlow's ExponentialMovingAverage with num_updates).
void Learner::average(std::int64_t step)
{
    const double steps = static_cast<double>(step),
                 decay = std::min(m_recipe.modelEmaDecay, (1 + steps) / (10 + steps));
    const c10::NoGradGuard noGradients;
    for (std::size_t i = 0; i < m_average.size(); ++i) {
        const at::Tensor& now = m_classifier.network().owned[i].tensor;
        if (at::isFloatingType(now.scalar_type())) m_average[i].lerp_(now.detach(), 1 - decay);
    }
}

StateTensors Learner::state() const
{
    StateTensors out = m_optimiser->state();
    for (std::size_t i = 0; i < m_average.size(); ++i)
        out["ema/" + m_classifier.network().owned[i].name] = m_average[i];
    return out;
}

Learner::Averaged::Averaged(Learner& learner) : m_learner(learner)
{
    const c10::NoGradGuard noGradients;
    for (std::size_t i = 0; i < learner.m_average.size(); ++i) {
        at::Tensor& tensor = learner.m_classifier.network().owned[i].tensor;
        m_own.push_back(tensor.detach().clone());
        tensor.copy_(learner.m_average[i]);
    }
}

Learner::Averaged::~Averaged()
{
    const c10::NoGradGuard noGradients;
    for (std::size_t i = 0; i < m_own.size(); ++i) m_learner.m_classifier.network().owned[i].tensor.copy_(m_own[i]);
}

}  // namespace fovea
