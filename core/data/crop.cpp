#include "core/data/crop.h"

#include <algorithm>
#include <cmath>

namespace fovea {

namespace {

constexpr int kTries = 10;  // as PyTorch's RandomResizedCrop has it

bool cropsAtRandom(const Augmentation& augmentation)
{
    return augmentation.scale != std::array<double, 2>{1, 1} || augmentation.ratio != std::array<double, 2>{1, 1};
}

std::int64_t ceiling(double value) { return static_cast<std::int64_t>(std::ceil(value)); }

std::int64_t upTo(std::int64_t last, RandomStream& stream)
{
    return static_cast<std::int64_t>(stream.below(static_cast<std::uint64_t>(last + 1)));
}

// As large a part as the ratios allow, from the middle.
PixelWindow largestPart(const Augmentation& augmentation, std::int64_t height, std::int64_t width)
{
    const double ratio = static_cast<double>(width) / static_cast<double>(height);
    PixelWindow out{0, 0, height, width};
    if (ratio < augmentation.ratio[0]) out.height = std::llround(static_cast<double>(width) / augmentation.ratio[0]);
    else if (ratio > augmentation.ratio[1])
        out.width = std::llround(static_cast<double>(height) * augmentation.ratio[1]);
    out.height = std::clamp<std::int64_t>(out.height, 1, height);
    out.width = std::clamp<std::int64_t>(out.width, 1, width);
    out.top = (height - out.height) / 2;
    out.left = (width - out.width) / 2;
    return out;
}

PixelWindow randomPart(const Augmentation& augmentation, double share, std::int64_t height, std::int64_t width,
                       RandomStream& stream)
{
    for (int tries = 0; tries < kTries; ++tries) {
        if (tries > 0) share = stream.uniform(augmentation.scale[0], augmentation.scale[1]);
        const double area = share * static_cast<double>(height) * static_cast<double>(width);
        const double ratio = std::exp(stream.uniform(std::log(augmentation.ratio[0]), std::log(augmentation.ratio[1])));
        const std::int64_t w = std::llround(std::sqrt(area * ratio)), h = std::llround(std::sqrt(area / ratio));
        if (w < 1 || h < 1 || w > width || h > height) continue;
        const std::int64_t top = upTo(height - h, stream);
        return {top, upTo(width - w, stream), h, w};
    }
    return largestPart(augmentation, height, width);
}

// The image's sides after its shorter one became `shorter`.
void resizeShorter(std::int64_t shorter, std::int64_t height, std::int64_t width, Frame& frame)
{
    frame.height = height <= width ? shorter : std::max<std::int64_t>(1, shorter * height / width);
    frame.width = height <= width ? std::max<std::int64_t>(1, shorter * width / height) : shorter;
}

// Python rounds halves to the even number, and PyTorch's CenterCrop with it.
std::int64_t middle(std::int64_t size, std::int64_t part)
{
    return static_cast<std::int64_t>(std::nearbyint(static_cast<double>(size - part) / 2));
}

std::int64_t cutAt(std::int64_t size, std::int64_t part, std::int64_t pad, RandomStream& stream)
{
    const std::int64_t room = size + 2 * pad - part;
    return pad > 0 && room > 0 ? upTo(room, stream) - pad : middle(size, part);
}

}  // namespace

FramePlan planFrame(const LoadOptions& options, RandomStream& stream)
{
    const Augmentation& augmentation = options.augmentation;
    FramePlan plan;
    plan.share = stream.uniform(augmentation.scale[0], augmentation.scale[1]);
    plan.mirrored = stream.uniform() < augmentation.hflip;
    plan.leastSide =
        options.preprocessing.resize > 0 ? options.preprocessing.resize : std::max(options.height, options.width);
    if (cropsAtRandom(augmentation)) {
        const double tall = static_cast<double>(options.height) * std::sqrt(augmentation.ratio[1] / plan.share);
        const double wide = static_cast<double>(options.width) / std::sqrt(augmentation.ratio[0] * plan.share);
        plan.leastSide = ceiling(std::min(std::max(tall, wide), 1e9));
    }
    return plan;
}

Frame frameOf(const LoadOptions& options, const FramePlan& plan, std::int64_t height, std::int64_t width,
              RandomStream& stream)
{
    Frame frame{{0, 0, height, width}, options.height, options.width, {0, 0, options.height, options.width}};
    if (cropsAtRandom(options.augmentation)) {
        frame.source = randomPart(options.augmentation, plan.share, height, width, stream);
        return frame;
    }
    if (options.preprocessing.resize > 0) resizeShorter(options.preprocessing.resize, height, width, frame);
    frame.wanted.top = cutAt(frame.height, options.height, options.augmentation.pad, stream);
    frame.wanted.left = cutAt(frame.width, options.width, options.augmentation.pad, stream);
    return frame;
}

}  // namespace fovea
