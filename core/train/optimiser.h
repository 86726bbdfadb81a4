// SGD and AdamW as torch.optim has them, with state that can be written down and taken up again bit for bit (the C++
// classes key theirs by address, in another way in every version of LibTorch). Private to this room.
#pragma once

#include "core/recipe/recipe.h"

#include <ATen/ATen.h>

#include <map>
#include <string>
#include <vector>

namespace fovea {

struct OptimisedTensor {
    std::string name;
    at::Tensor tensor;     // a leaf that wants gradients
    double rateScale = 1;  // of the learning rate
    bool decays = true;    // weight decay applies
};

class Optimiser {
public:
    Optimiser(const Recipe& recipe, std::vector<OptimisedTensor> tensors);

    void clearGradients();
    // Scales all gradients together so that their norm is at most `most`, as torch.nn.utils.clip_grad_norm_.
    void clipGradients(double most);
    void step(double rate);

    // "momentum/NAME", or "exp_avg/NAME" and "exp_avg_sq/NAME"; live, so restoring is copying into them.
    const std::map<std::string, at::Tensor>& state() const { return m_state; }
    std::int64_t steps() const { return m_steps; }
    void setSteps(std::int64_t steps) { m_steps = steps; }

private:
    struct Lists {
        std::vector<at::Tensor> values, gradients, first, second;
    };
    struct Group {
        double rateScale = 1;
        bool decays = true;
        std::vector<std::size_t> members;
    };
    // Those that have a gradient: on a GPU all in one list, which takes one kernel an operation; on a CPU a list for
    // each tensor, which stays in the cache from one operation to the next.
    std::vector<Lists> listsOf(const Group& group) const;
    void stepSgd(Lists& lists, double decay, double rate) const;
    void stepAdamW(Lists& lists, double decay, double rate) const;

    Recipe m_recipe;
    std::vector<OptimisedTensor> m_tensors;
    std::vector<Group> m_groups;
    std::vector<at::Tensor> m_first, m_second;
    std::map<std::string, at::Tensor> m_state;
    std::int64_t m_steps = 0;
};

}  // namespace fovea
