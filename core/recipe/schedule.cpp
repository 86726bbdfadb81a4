#include "core/recipe/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace fovea {

namespace {

double cosineBetween(double from, double to, double share)
{
    return to + (from - to) / 2 * (1 + std::cos(std::numbers::pi * share));
}

// `rise`: steps until the top.
double oneCycle(double lr, double step, double rise, double total)
{
    constexpr double kStart = 25, kEnd = 1e4;
    const double top = rise - 1, last = total - 1;
    const double start = lr / kStart;
    if (step <= top) return cosineBetween(start, lr, top > 0 ? step / top : 1);
    return cosineBetween(lr, start / kEnd, last > top ? std::min((step - top) / (last - top), 1.0) : 1);
}

}  // namespace

std::int64_t totalSteps(const Recipe& recipe, std::int64_t stepsPerEpoch)
{
    const std::int64_t all = recipe.epochs * stepsPerEpoch;
    return recipe.maxSteps > 0 ? std::min(recipe.maxSteps, all) : all;
}

double learningRate(const Recipe& recipe, std::int64_t step, std::int64_t stepsPerEpoch)
{
    const double total = static_cast<double>(totalSteps(recipe, stepsPerEpoch)), at = static_cast<double>(step);
    const double perEpoch = static_cast<double>(stepsPerEpoch);
    const double warm = std::min(recipe.warmupEpochs * perEpoch, total);
    constexpr double kRise = 0.3;  // of all steps, where no warm-up says otherwise
    if (recipe.sched == "onecycle") return oneCycle(recipe.lr, at, warm > 0 ? warm : kRise * total, total);
    if (at < warm) return recipe.warmupLr + (recipe.lr - recipe.warmupLr) * at / warm;
    if (recipe.sched == "step")
        return recipe.lr * std::pow(recipe.decayRate, std::floor((at - warm) / (recipe.decayEpochs * perEpoch)));
    if (recipe.sched == "constant" || total <= warm) return recipe.lr;
    return cosineBetween(recipe.lr, std::min(recipe.minLr, recipe.lr), std::min((at - warm) / (total - warm), 1.0));
}

}  // namespace fovea
