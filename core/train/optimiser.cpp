#include "core/train/optimiser.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>

namespace fovea {

Optimiser::Optimiser(const Recipe& recipe, std::vector<OptimisedTensor> tensors)
    : m_recipe(recipe), m_tensors(std::move(tensors))
{
    const bool adam = m_recipe.opt == "adamw";
    for (std::size_t i = 0; i < m_tensors.size(); ++i) {
        const OptimisedTensor& tensor = m_tensors[i];
        const auto group = std::find_if(m_groups.begin(), m_groups.end(), [&](const Group& known) {
            return known.rateScale == tensor.rateScale && known.decays == tensor.decays;
        });
        if (group != m_groups.end()) group->members.push_back(i);
        else m_groups.push_back({tensor.rateScale, tensor.decays, {i}});
        const at::Tensor plain = tensor.tensor.detach();
        m_first.push_back(at::zeros_like(plain));
        m_state[(adam ? "exp_avg/" : "momentum/") + tensor.name] = m_first.back();
        m_second.push_back(adam ? at::zeros_like(plain) : at::Tensor());
        if (adam) m_state["exp_avg_sq/" + tensor.name] = m_second.back();
    }
}

void Optimiser::clearGradients()
{
    for (OptimisedTensor& tensor : m_tensors) tensor.tensor.mutable_grad().reset();
}

void Optimiser::clipGradients(double most)
{
    const c10::NoGradGuard noGradients;
    std::vector<at::Tensor> gradients, norms;
    for (const OptimisedTensor& tensor : m_tensors)
        if (tensor.tensor.grad().defined()) gradients.push_back(tensor.tensor.grad());
    if (gradients.empty()) return;
    for (const at::Tensor& gradient : gradients) norms.push_back(at::norm(gradient, 2));
    const at::Tensor factor = at::clamp(most / (at::norm(at::stack(norms), 2) + 1e-6), 0, 1);
    for (at::Tensor& gradient : gradients) gradient.mul_(factor);
}

std::vector<Optimiser::Lists> Optimiser::listsOf(const Group& group) const
{
    std::vector<Lists> out;
    for (const std::size_t i : group.members) {
        const at::Tensor& tensor = m_tensors[i].tensor;
        if (!tensor.grad().defined()) continue;
        if (out.empty() || tensor.is_cpu()) out.emplace_back();
        out.back().values.push_back(tensor.detach());
        out.back().gradients.push_back(tensor.grad());
        out.back().first.push_back(m_first[i]);
        out.back().second.push_back(m_second[i]);
    }
    return out;
}

void Optimiser::step(double rate)
{
    const c10::NoGradGuard noGradients;
    ++m_steps;
    const bool adam = m_recipe.opt == "adamw";
    for (const Group& group : m_groups) {
        const double decay = group.decays ? m_recipe.weightDecay : 0, own = rate * group.rateScale;
        for (Lists& lists : listsOf(group)) adam ? stepAdamW(lists, decay, own) : stepSgd(lists, decay, own);
    }
}

void Optimiser::stepSgd(Lists& lists, double decay, double rate) const
{
    if (decay > 0) at::_foreach_add_(lists.gradients, lists.values, decay);
    if (m_recipe.momentum > 0) {
        at::_foreach_mul_(lists.first, m_recipe.momentum);
        at::_foreach_add_(lists.first, lists.gradients);
        if (m_recipe.nesterov) at::_foreach_add_(lists.gradients, lists.first, m_recipe.momentum);
        else lists.gradients = lists.first;
    }
    at::_foreach_add_(lists.values, lists.gradients, -rate);
}

void Optimiser::stepAdamW(Lists& lists, double decay, double rate) const
{
    const double b1 = m_recipe.beta1, b2 = m_recipe.beta2, steps = static_cast<double>(m_steps);
    if (decay > 0) at::_foreach_mul_(lists.values, 1 - rate * decay);
    at::_foreach_mul_(lists.first, b1);
    at::_foreach_add_(lists.first, lists.gradients, 1 - b1);
    at::_foreach_mul_(lists.second, b2);
    at::_foreach_addcmul_(lists.second, lists.gradients, lists.gradients, 1 - b2);
    std::vector<at::Tensor> denominators = at::_foreach_sqrt(lists.second);
    at::_foreach_div_(denominators, std::sqrt(1 - std::pow(b2, steps)));
    at::_foreach_add_(denominators, m_recipe.optEps);
    at::_foreach_addcdiv_(lists.values, lists.first, denominators, -rate / (1 - std::pow(b1, steps)));
}

}  // namespace fovea
