// Liu, Mao, Wu, Feichtenhofer, Darrell, Xie: "A ConvNet for the 2020s", arXiv 2201.03545, section 3, as torchvision
// builds it. Stochastic depth acts in training only and is left out.
#include "core/zoo/blocks.h"
#include "core/zoo/recipe.h"

#include <array>

namespace fovea::zoo {

namespace {

struct Row {
    const char* name;
    std::int64_t channels;  // of the first stage; doubled by each that follows
    std::array<int, 4> layers;
};
constexpr Row kTable[] = {
    {"convnext_tiny", 96, {3, 3, 9, 3}},
    {"convnext_small", 96, {3, 3, 27, 3}},
    {"convnext_base", 128, {3, 3, 27, 3}},
    {"convnext_large", 192, {3, 3, 27, 3}},
};

Port layerNorm(Builder& b, Port x, std::string_view name) { return b.add("LayerNorm", name, {x}, {{"eps", 1e-6}}); }

Port permute(Builder& b, Port x, std::string_view name, Ints order)
{
    return b.add("Permute", name, {x}, {{"dims", order}});
}

// Over the channels of an image.
Port layerNorm2d(Builder& b, Port x, const std::string& name)
{
    x = b.inItsModule(layerNorm(b, permute(b, x, name + ".permute", {0, 2, 3, 1}), name));
    return permute(b, x, name + ".permute", {0, 3, 1, 2});
}

Port scaleLayer(Builder& b, Port x, std::int64_t channels)
{
    return b.scale(x, "mul", "layer_scale", {channels, 1, 1}, 1e-6);
}

Port block(Builder& b, Port image, std::int64_t channels)
{
    Port x = image;
    {
        const auto scope = b.scope("block");
        Conv conv = depthwise(channels, 7);
        conv.bias = true;
        x = permute(b, b.conv(x, "0", conv), "1", {0, 2, 3, 1});
        x = b.activation(b.linear(layerNorm(b, x, "2"), "3", 4 * channels), "4", "GELU");
        x = permute(b, b.linear(x, "5", channels), "6", {0, 3, 1, 2});
    }
    return b.sum(scaleLayer(b, x, channels), image);
}

Port features(Builder& b, Port x, const Row& row, const Parameters& p)
{
    const auto scope = b.scope("features");
    std::int64_t channels = p.scaled(row.channels);
    x = b.conv(x, "0.0", {.out = channels, .kernel = 4, .stride = 4, .padding = 0, .bias = true});
    x = layerNorm2d(b, x, "0.1");
    for (std::size_t stage = 0; stage < row.layers.size(); ++stage) {
        if (stage > 0) {
            const auto downsample = b.scope(2 * stage);
            channels *= 2;
            x = layerNorm2d(b, x, "0");
            x = b.conv(x, "1", {.out = channels, .kernel = 2, .stride = 2, .padding = 0, .bias = true});
        }
        const auto blocks = b.scope(2 * stage + 1);
        for (std::int64_t i = 0; i < p.repeats(row.layers[stage]); ++i) {
            const auto index = b.scope(static_cast<std::size_t>(i));
            x = block(b, x, channels);
        }
    }
    return x;
}

Recipe recipe(const Row& row)
{
    return {
        {row.name, "ConvNeXt", 2022, "arXiv 2201.03545", 224, "Depthwise 7x7 and linear layers, without batch norm."},
        1000,
        {kWidth, kDepth},
        [row](Builder& b, Port image, const Parameters& p) {
            const Port x = b.adaptiveAvgPool(features(b, image, row, p), "avgpool", 1);
            const auto scope = b.scope("classifier");
            return b.linear(b.flatten(layerNorm2d(b, x, "0"), "1"), "2", p.classes());
        }};
}

}  // namespace

std::vector<Recipe> convnextRecipes()
{
    std::vector<Recipe> out;
    for (const Row& row : kTable) out.push_back(recipe(row));
    return out;
}

}  // namespace fovea::zoo
