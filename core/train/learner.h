// A network with its optimiser: one training step. Private to this room.
#pragma once

#include "core/train/checkpoint.h"
#include "core/train/classifying.h"
#include "core/train/optimiser.h"

#include <memory>
#include <set>
#include <vector>

namespace fovea {

// What an optimiser moves: the network's trainable tensors, without those of the frozen steps. Error(Usage) where none
// is left.
std::vector<OptimisedTensor> trainedTensors(Network& network, const Recipe& recipe, const std::set<std::size_t>& frozen);

class Learner {
public:
    // Error(Usage) where the recipe's layer or group to freeze is not there, or nothing is left to train.
    Learner(const Graph& graph, const Weights& weights, const Recipe& recipe, const std::string& device);

    ClassifyingNetwork& classifier() { return m_classifier; }
    const ClassifyingNetwork& classifier() const { return m_classifier; }
    LoadOptions trainingOptions() const;  // with the recipe's augmentation, batch and seed

    // One optimiser step; the batch's loss, on the device. `step` counts from 0 over the whole run.
    at::Tensor step(const Batch& batch, std::int64_t step, double rate);
    at::Tensor step(const at::Tensor& images, const at::Tensor& labels, std::int64_t step, double rate);

    // Everything besides the weights that a checkpoint holds; live.
    StateTensors state() const;
    void setSteps(std::int64_t steps) { m_optimiser->setSteps(steps); }

    // While it lives, the network has the averaged weights, where the recipe wants an average.
    class Averaged {
    public:
        explicit Averaged(Learner& learner);
        ~Averaged();
        Averaged(const Averaged&) = delete;
        Averaged& operator=(const Averaged&) = delete;

    private:
        Learner& m_learner;
        std::vector<at::Tensor> m_own;
    };

private:
    void average(std::int64_t step);

    Recipe m_recipe;
    ClassifyingNetwork m_classifier;
    std::set<std::size_t> m_frozen;  // steps
    std::unique_ptr<Optimiser> m_optimiser;
    std::vector<at::Tensor> m_average;  // of classifier().network().owned; empty: not wanted
};

}  // namespace fovea
