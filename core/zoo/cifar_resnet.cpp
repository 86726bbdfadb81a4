// He, Zhang, Ren, Sun: "Deep Residual Learning for Image Recognition", arXiv 1512.03385, section 4.2: 6n + 2 layers
// for 32x32 images, with shortcuts that have no parameters (option A: every second unit, channels padded with zeros).
#include "core/zoo/recipe.h"

#include <limits>

namespace fovea::zoo {

namespace {

Port shortcut(Builder& b, Port x, std::int64_t in, std::int64_t out)
{
    const std::int64_t end = std::numeric_limits<std::int64_t>::max(), before = (out - in) / 2;
    x = b.add("Slice", "shortcut.slice", {x},
              {{"dim", Ints{2, 3}}, {"start", Ints{0, 0}}, {"end", Ints{end, end}}, {"step", Ints{2, 2}}});
    return b.add("ZeroPad2d", "shortcut.pad", {x}, {{"channel_padding", Ints{before, out - in - before}}});
}

Port residual(Builder& b, Port image, std::int64_t in, std::int64_t out)
{
    const std::int64_t stride = in == out ? 1 : 2;
    Port x = b.relu(b.batchNorm(b.conv(image, "conv1", {.out = out, .kernel = 3, .stride = stride}), "bn1"));
    x = b.batchNorm(b.conv(x, "conv2", {.out = out, .kernel = 3}), "bn2");
    return b.relu(b.sum(x, stride == 1 ? image : shortcut(b, image, in, out)));
}

Port resnet(Builder& b, Port x, int n, const Parameters& p)
{
    std::int64_t channels = p.scaled(16);
    x = b.relu(b.batchNorm(b.conv(x, "conv1", {.out = channels, .kernel = 3}), "bn1"));
    for (int stage = 1; stage <= 3; ++stage) {
        const auto layer = b.scope("layer" + std::to_string(stage));
        for (std::int64_t i = 0; i < p.repeats(n); ++i) {
            const auto block = b.scope(static_cast<std::size_t>(i));
            const std::int64_t out = stage > 1 && i == 0 ? 2 * channels : channels;
            x = residual(b, x, channels, out);
            channels = out;
        }
    }
    return b.classifier(x, "avgpool", "fc", p.classes());
}

Recipe recipe(const char* name, int n)
{
    return {{name, "ResNet", 2015, "arXiv 1512.03385", 32, "Residual blocks for 32x32 images, without a pooling stem."},
            10,
            {kWidth, kDepth},
            [n](Builder& b, Port image, const Parameters& p) { return resnet(b, image, n, p); }};
}

}  // namespace

std::vector<Recipe> cifarResnetRecipes() { return {recipe("resnet20", 3), recipe("resnet56", 9)}; }

}  // namespace fovea::zoo
