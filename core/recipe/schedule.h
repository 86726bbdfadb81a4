// The learning rate at every step of a recipe.
#pragma once

#include "core/recipe/recipe.h"

namespace fovea {

// Steps of the whole run: epochs times steps per epoch, or max-steps where that is fewer.
std::int64_t totalSteps(const Recipe& recipe, std::int64_t stepsPerEpoch);

// During warm-up a line from warmup-lr to lr. After it, with t from 0 to 1 over the remaining steps:
// cosine: min-lr + (lr - min-lr) (1 + cos(pi t)) / 2 (Loshchilov and Hutter 2017); step: lr decay-rate^n after n times
// decay-epochs; constant: lr. onecycle: PyTorch's OneCycleLR (up from lr / 25, then down to
// lr / 250,000, both as cosines; Smith and Topin 2019), whose way up is the recipe's warm-up where it has one, else 30 %.
double learningRate(const Recipe& recipe, std::int64_t step, std::int64_t stepsPerEpoch);

}  // namespace fovea
