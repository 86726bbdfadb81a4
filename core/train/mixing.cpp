#include "core/train/mixing.h"

#include "core/base/random.h"
#include "core/train/purposes.h"

#include <algorithm>
#include <cmath>

namespace fovea {

namespace {

// A box whose share of the image is 1 - lambda before it is cut off at the edges.
at::Tensor pasted(const at::Tensor& images, RandomStream& stream, double lambda, double& own)
{
    const std::int64_t height = images.size(2), width = images.size(3);
    const double side = std::sqrt(1 - lambda);
    const auto spanOf = [&](std::int64_t length) {
        const auto half = static_cast<std::int64_t>(side * static_cast<double>(length)) / 2;
        const auto middle = static_cast<std::int64_t>(stream.below(static_cast<std::uint64_t>(length)));
        return std::pair<std::int64_t, std::int64_t>(std::max<std::int64_t>(middle - half, 0),
                                                     std::min(middle + half, length));
    };
    const auto [top, bottom] = spanOf(height);
    const auto [left, right] = spanOf(width);
    own = 1 - static_cast<double>((bottom - top) * (right - left)) / static_cast<double>(height * width);
    at::Tensor out = images.clone();
    const auto boxOf = [&, t = top, b = bottom, l = left, r = right](const at::Tensor& tensor) {
        return tensor.slice(2, t, b).slice(3, l, r);
    };
    boxOf(out).copy_(boxOf(images.flip({0})));
    return out;
}

}  // namespace

Mixed mixBatch(const at::Tensor& images, const Recipe& recipe, std::int64_t step)
{
    if (recipe.mixup <= 0 && recipe.cutmix <= 0) return {images, 1};
    RandomStream stream(static_cast<std::uint64_t>(recipe.seed), {kMixPurpose, static_cast<std::uint64_t>(step)});
    if (stream.uniform() >= recipe.mixupProb) return {images, 1};
    const bool cut = recipe.cutmix > 0 && (recipe.mixup <= 0 || stream.uniform() < recipe.mixupSwitchProb);
    const double alpha = cut ? recipe.cutmix : recipe.mixup;
    Mixed out;
    out.own = stream.beta(alpha, alpha);
    if (cut) out.images = pasted(images, stream, out.own, out.own);
    else out.images = images * out.own + images.flip({0}) * (1 - out.own);
    return out;
}

at::Tensor mixedLoss(const at::Tensor& logits, const at::Tensor& labels, double own, double smoothing)
{
    const auto loss = [&](const at::Tensor& wanted) {
        return at::cross_entropy_loss(logits, wanted, {}, at::Reduction::Mean, -100, smoothing);
    };
    return own >= 1 ? loss(labels) : loss(labels) * own + loss(labels.flip({0})) * (1 - own);
}

}  // namespace fovea
