// Huang, Liu, van der Maaten, Weinberger: "Densely Connected Convolutional Networks", arXiv 1608.06993, table 1
// (DenseNet-BC), as torchvision builds it.
#include "core/zoo/recipe.h"

#include <array>

namespace fovea::zoo {

namespace {

struct Row {
    const char* name;
    const char* note;
    std::int64_t growth, stem;
    std::array<int, 4> layers;
};

constexpr Row kTable[] = {
    {"densenet121", "Every layer of a block reads all before it; 121 layers.", 32, 64, {6, 12, 24, 16}},
    {"densenet161", "Every layer of a block reads all before it; 161 wide layers.", 48, 96, {6, 12, 36, 24}},
    {"densenet169", "Every layer of a block reads all before it; 169 layers.", 32, 64, {6, 12, 32, 32}},
    {"densenet201", "Every layer of a block reads all before it; 201 layers.", 32, 64, {6, 12, 48, 32}},
};

Port joined(Builder& b, const std::vector<Port>& parts) { return parts.size() == 1 ? parts[0] : b.concat(parts); }

Port denseBlock(Builder& b, Port x, std::size_t number, int layers, std::int64_t growth)
{
    const auto block = b.scope("denseblock" + std::to_string(number));
    std::vector<Port> parts{x};
    for (int index = 1; index <= layers; ++index) {
        const auto layer = b.scope("denselayer" + std::to_string(index));
        x = b.relu(b.batchNorm(joined(b, parts), "norm1"), "relu1");
        x = b.conv(x, "conv1", {.out = 4 * growth, .kernel = 1});
        x = b.relu(b.batchNorm(x, "norm2"), "relu2");
        parts.push_back(b.conv(x, "conv2", {.out = growth, .kernel = 3}));
    }
    return b.concat(std::move(parts));
}

Port transition(Builder& b, Port x, std::size_t number, std::int64_t channels)
{
    const auto scope = b.scope("transition" + std::to_string(number));
    x = b.conv(b.relu(b.batchNorm(x, "norm")), "conv", {.out = channels, .kernel = 1});
    return b.avgPool(x, "pool", {.kernel = 2, .stride = 2});
}

Port features(Builder& b, Port x, const Row& row, const Parameters& p)
{
    const auto scope = b.scope("features");
    const std::int64_t growth = p.scaled(row.growth);
    std::int64_t channels = p.scaled(row.stem);
    x = b.conv(x, "conv0", {.out = channels, .kernel = 7, .stride = 2});
    x = b.maxPool(b.relu(b.batchNorm(x, "norm0"), "relu0"), "pool0", {.kernel = 3, .stride = 2, .padding = 1});
    for (std::size_t i = 0; i < row.layers.size(); ++i) {
        x = denseBlock(b, x, i + 1, row.layers[i], growth);
        channels += row.layers[i] * growth;
        if (i + 1 < row.layers.size()) x = transition(b, x, i + 1, channels /= 2);
    }
    return b.batchNorm(x, "norm5");
}

Recipe recipe(const Row& row)
{
    return {{row.name, "DenseNet", 2016, "arXiv 1608.06993", 224, row.note},
            1000,
            {kWidth},
            [row](Builder& b, Port image, const Parameters& p) {
                const Port x = b.relu(features(b, image, row, p));
                return b.classifier(x, "adaptive_avg_pool2d", "classifier", p.classes());
            }};
}

}  // namespace

std::vector<Recipe> densenetRecipes()
{
    std::vector<Recipe> out;
    for (const Row& row : kTable) out.push_back(recipe(row));
    return out;
}

}  // namespace fovea::zoo
