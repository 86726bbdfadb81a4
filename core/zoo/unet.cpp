// Ronneberger, Fischer, Brox: "U-Net: Convolutional Networks for Biomedical Image Segmentation", arXiv 1505.04597,
// figure 1. By default the 3x3 convolutions are padded, so that any side that 16 divides fits; `padding=0` is the
// paper's network (`unet,padding=0,size=572,channels=1`), which crops what it hands over.
#include "core/zoo/recipe.h"

#include <array>

namespace fovea::zoo {

namespace {

constexpr int kLevels = 4;

Port twice(Builder& b, Port x, const std::string& name, std::int64_t out, std::int64_t padding)
{
    const auto scope = b.scope(name);
    const Conv conv{.out = out, .kernel = 3, .padding = padding, .bias = true};
    x = b.relu(b.conv(x, "conv1", conv), "relu1");
    return b.relu(b.conv(x, "conv2", conv), "relu2");
}

// What 3x3 convolutions without padding take off the border of the map `levels` poolings below, in units of the
// map that is handed over: two convolutions of the same level, and twice as much as the level below.
std::int64_t border(int level) { return level == kLevels ? 4 : 2 * (border(level + 1) + 4); }

Port handedOver(Builder& b, Port x, int level, std::int64_t padding)
{
    if (padding != 0) return x;
    const std::int64_t cut = -border(level);
    return b.add("ZeroPad2d", "crop" + std::to_string(level), {x}, {{"padding", Ints{cut, cut, cut, cut}}});
}

Port unet(Builder& b, Port x, const Parameters& p)
{
    const std::int64_t padding = p.getInt("padding", 0, 1);
    std::array<Port, kLevels> skips;
    for (int level = 1; level <= kLevels; ++level) {
        const std::string number = std::to_string(level);
        x = skips[static_cast<std::size_t>(level - 1)] =
            twice(b, x, "encoder" + number, p.scaled(32 << level), padding);
        if (level == kLevels) x = b.dropout(x, "dropout4");
        x = b.maxPool(x, "pool" + number, {.kernel = 2, .stride = 2});
    }
    x = b.dropout(twice(b, x, "bottleneck", p.scaled(32 << (kLevels + 1)), padding), "dropout5");
    for (int level = kLevels; level >= 1; --level) {
        const std::string number = std::to_string(level);
        const std::int64_t channels = p.scaled(32 << level);
        x = b.convTranspose(x, "upconv" + number,
                            {.out = channels, .kernel = 2, .stride = 2, .padding = 0, .bias = true});
        x = b.concat({handedOver(b, skips[static_cast<std::size_t>(level - 1)], level, padding), x});
        x = twice(b, x, "decoder" + number, channels, padding);
    }
    return b.conv(x, "conv", {.out = p.classes(), .kernel = 1, .bias = true});
}

}  // namespace

std::vector<Recipe> unetRecipes()
{
    const ZooParameter padding{"padding", "1", "of the 3x3 convolutions; 0 is the paper's, for 572x572"};
    return {{{"unet", "Segmentation", 2015, "arXiv 1505.04597", 512,
              "A contracting path and an expanding one that reads it."},
             2,
             {kWidth, padding},
             unet}};
}

}  // namespace fovea::zoo
