// He, Zhang, Ren, Sun: "Deep Residual Learning for Image Recognition", arXiv 1512.03385, table 1 and section
// 4.2, as torchvision builds it ("v1.5": the stride of a bottleneck stands in its 3x3 convolution).
#include "core/zoo/recipe.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace fovea::zoo {

namespace {

struct Block {
    std::int64_t planes;
    std::int64_t stride;
    bool bottleneck;
    std::int64_t out() const { return bottleneck ? 4 * planes : planes; }
};

Port residual(Builder& b, Port x, std::int64_t inChannels, const Block& block)
{
    const auto convNorm = [&](Port in, int index, const Conv& conv) {
        const std::string number = std::to_string(index);
        return b.batchNorm(b.conv(in, "conv" + number, conv), "bn" + number);
    };
    Port y;
    if (block.bottleneck) {
        y = b.relu(convNorm(x, 1, {.out = block.planes, .kernel = 1}));
        y = b.relu(convNorm(y, 2, {.out = block.planes, .kernel = 3, .stride = block.stride}));
        y = convNorm(y, 3, {.out = block.out(), .kernel = 1});
    } else {
        y = b.relu(convNorm(x, 1, {.out = block.planes, .kernel = 3, .stride = block.stride}));
        y = convNorm(y, 2, {.out = block.planes, .kernel = 3});
    }
    if (block.stride != 1 || inChannels != block.out()) {
        const auto scope = b.scope("downsample");
        x = b.batchNorm(b.conv(x, "0", {.out = block.out(), .kernel = 1, .stride = block.stride}), "1");
    }
    return b.relu(b.sum(y, x));
}

// Stages of `counts` residual blocks, channels doubling and sides halving from the second stage on.
Port stages(Builder& b, Port x, std::vector<int> counts, std::int64_t planes, bool bottleneck)
{
    std::int64_t channels = planes;
    for (std::size_t stage = 0; stage < counts.size(); ++stage, planes *= 2)
        for (int index = 0; index < counts[stage]; ++index) {
            const auto outer = b.scope("layer" + std::to_string(stage + 1));
            const auto inner = b.scope(static_cast<std::size_t>(index));
            const Block block{planes, stage > 0 && index == 0 ? 2 : 1, bottleneck};
            x = residual(b, x, channels, block);
            channels = block.out();
        }
    return x;
}

std::int64_t scaled(std::int64_t channels, const Parameters& p)
{
    return std::max<std::int64_t>(1, std::llround(static_cast<double>(channels) * p.getReal("width", 0, 64)));
}

Port imageNet(Builder& b, Port x, const Parameters& p, const std::vector<int>& counts, bool bottleneck)
{
    const std::int64_t planes = scaled(64, p);
    x = b.relu(b.batchNorm(b.conv(x, "conv1", {.out = planes, .kernel = 7, .stride = 2}), "bn1"));
    x = b.maxPool(x, "maxpool", {.kernel = 3, .stride = 2, .padding = 1});
    return b.classifier(stages(b, x, counts, planes, bottleneck), "avgpool", "fc", p.classes());
}

const Parameter kWidth{"width", "1", "factor on the channels of every stage"};

Recipe imageNetRecipe(const char* name, const char* note, std::vector<int> counts, bool bottleneck)
{
    return {{name, "ResNet", 2015, "arXiv 1512.03385", 224, note},
            1000,
            {kWidth},
            [counts, bottleneck](Builder& b, Port image, const Parameters& p) {
                return imageNet(b, image, p, counts, bottleneck);
            }};
}

}  // namespace

std::vector<Recipe> resnetRecipes()
{
    const bool kBasic = false, kBottleneck = true;
    std::vector<Recipe> out = {
        imageNetRecipe("resnet18", "Residual blocks of two 3x3 convolutions.", {2, 2, 2, 2}, kBasic),
        imageNetRecipe("resnet34", "Residual blocks of two 3x3 convolutions.", {3, 4, 6, 3}, kBasic),
        imageNetRecipe("resnet50", "Bottleneck blocks; torchvision's variant, stride in the 3x3.", {3, 4, 6, 3},
                       kBottleneck),
        imageNetRecipe("resnet101", "Bottleneck blocks; torchvision's variant, stride in the 3x3.", {3, 4, 23, 3},
                       kBottleneck),
        imageNetRecipe("resnet152", "Bottleneck blocks; torchvision's variant, stride in the 3x3.", {3, 8, 36, 3},
                       kBottleneck),
    };
    Recipe example = imageNetRecipe(
        kExampleSpec, "A ResNet-18 of half the width on 32x32 images: its last layers have nothing left to see.",
        {2, 2, 2, 2}, kBasic);
    example.entry.size = 32;
    example.classes = 10;
    example.extra[0].fallback = "0.5";
    out.push_back(example);
    return out;
}

}  // namespace fovea::zoo
