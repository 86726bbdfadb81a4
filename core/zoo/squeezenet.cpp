// Iandola et al.: "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters", arXiv 1602.07360, table 1, and the
// authors' lighter version 1.1, as torchvision builds them.
#include "core/zoo/recipe.h"

namespace fovea::zoo {

namespace {

// Channels of the squeeze and of each expand convolution of a fire module; 0: a 3x3 max pooling of stride 2.
using Table = std::vector<std::pair<int, int>>;
const Table kVersion0 = {{0, 0},    {16, 64},  {16, 64},  {32, 128}, {0, 0},   {32, 128},
                         {48, 192}, {48, 192}, {64, 256}, {0, 0},    {64, 256}};
const Table kVersion1 = {{0, 0}, {16, 64},  {16, 64},  {0, 0},    {32, 128}, {32, 128},
                         {0, 0}, {48, 192}, {48, 192}, {64, 256}, {64, 256}};

Port fire(Builder& b, Port x, const std::string& name, std::int64_t squeeze, std::int64_t expand)
{
    const auto scope = b.scope(name);
    x = b.relu(b.conv(x, "squeeze", {.out = squeeze, .kernel = 1, .bias = true}), "squeeze_activation");
    const Port one = b.conv(x, "expand1x1", {.out = expand, .kernel = 1, .bias = true});
    const Port ones = b.relu(one, "expand1x1_activation");
    const Port three = b.conv(x, "expand3x3", {.out = expand, .kernel = 3, .bias = true});
    return b.concat({ones, b.relu(three, "expand3x3_activation")});
}

Port squeezenet(Builder& b, Port x, const Parameters& p, const Conv& stem, const Table& table)
{
    {
        const auto features = b.scope("features");
        x = b.relu(b.conv(x, "0", stem), "1");
        std::size_t index = 2;
        for (const auto& [squeeze, expand] : table) {
            const std::string name = std::to_string(index++);
            x = squeeze ? fire(b, x, name, p.scaled(squeeze), p.scaled(expand))
                        : b.maxPool(x, name, {.kernel = 3, .stride = 2, .ceilMode = true});
        }
    }
    const auto classifier = b.scope("classifier");
    x = b.relu(b.conv(b.dropout(x, "0"), "1", {.out = p.classes(), .kernel = 1, .bias = true}), "2");
    return b.flatten(b.adaptiveAvgPool(x, "3", 1));
}

}  // namespace

std::vector<Recipe> squeezenetRecipes()
{
    const auto version0 = [](Builder& b, Port image, const Parameters& p) {
        return squeezenet(b, image, p, {.out = p.scaled(96), .kernel = 7, .stride = 2, .padding = 0, .bias = true},
                          kVersion0);
    };
    const auto version1 = [](Builder& b, Port image, const Parameters& p) {
        return squeezenet(b, image, p, {.out = p.scaled(64), .kernel = 3, .stride = 2, .padding = 0, .bias = true},
                          kVersion1);
    };
    return {{{"squeezenet1_0", "SqueezeNet", 2016, "arXiv 1602.07360", 224, "Fire modules: squeeze, then expand."},
             1000,
             {kWidth},
             version0},
            {{"squeezenet1_1", "SqueezeNet", 2016, "arXiv 1602.07360", 224,
              "Fire modules with a smaller stem and earlier poolings."},
             1000,
             {kWidth},
             version1}};
}

}  // namespace fovea::zoo
