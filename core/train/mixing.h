// Mixup (Zhang et al. 2018) and cutmix (Yun et al. 2019) of a batch with itself in reverse order, as timm does it.
// Private to this room.
#pragma once

#include "core/recipe/recipe.h"

#include <ATen/ATen.h>

namespace fovea {

struct Mixed {
    at::Tensor images;
    double own = 1;  // weight of an image's own label; its partner in the reversed batch has the rest
};

// A function of the recipe's seed and the step alone.
Mixed mixBatch(const at::Tensor& images, const Recipe& recipe, std::int64_t step);

// Cross-entropy with label smoothing of mixed labels, a mean over the batch.
at::Tensor mixedLoss(const at::Tensor& logits, const at::Tensor& labels, double own, double smoothing);

}  // namespace fovea
