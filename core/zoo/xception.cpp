// Chollet: "Xception: Deep Learning with Depthwise Separable Convolutions", arXiv 1610.02357, figure 5, as Keras
// builds it (no bias in its convolutions), named as the PyTorch ports of its weights are.
#include "core/zoo/blocks.h"
#include "core/zoo/recipe.h"

namespace fovea::zoo {

namespace {

struct Row {
    int out, convolutions, stride;
    bool startsWithRelu, growsFirst;  // growsFirst: the first convolution of the block widens, not the last
};
constexpr Row kTable[] = {
    {128, 2, 2, false, true}, {256, 2, 2, true, true}, {728, 2, 2, true, true}, {728, 3, 1, true, true},
    {728, 3, 1, true, true},  {728, 3, 1, true, true}, {728, 3, 1, true, true}, {728, 3, 1, true, true},
    {728, 3, 1, true, true},  {728, 3, 1, true, true}, {728, 3, 1, true, true}, {1024, 2, 2, true, false},
};

Port separable(Builder& b, Port x, const std::string& name, std::int64_t in, std::int64_t out)
{
    const auto scope = b.scope(name);
    return b.conv(b.conv(x, "conv1", depthwise(in, 3)), "pointwise", {.out = out, .kernel = 1});
}

Port layers(Builder& b, Port x, std::int64_t in, std::int64_t out, const Row& row)
{
    const auto scope = b.scope("rep");
    int index = 0;
    const auto next = [&] { return std::to_string(index++); };
    for (int i = 0; i < row.convolutions; ++i) {
        const bool wide = row.growsFirst || i + 1 == row.convolutions;
        if (i > 0 || row.startsWithRelu) x = b.relu(x, next());
        x = b.batchNorm(separable(b, x, next(), i > 0 && row.growsFirst ? out : in, wide ? out : in), next());
    }
    return row.stride == 1 ? x : b.maxPool(x, next(), {.kernel = 3, .stride = row.stride, .padding = 1});
}

Port block(Builder& b, Port image, std::int64_t in, std::int64_t out, const Row& row)
{
    const Port x = layers(b, image, in, out, row);
    if (in == out && row.stride == 1) return b.sum(x, image);
    const Port skip = b.conv(image, "skip", {.out = out, .kernel = 1, .stride = row.stride});
    return b.sum(x, b.batchNorm(skip, "skipbn"));
}

Port xception(Builder& b, Port x, const Parameters& p)
{
    b.setNorm(1e-3, 0.01);
    x = b.conv(x, "conv1", {.out = p.scaled(32), .kernel = 3, .stride = 2, .padding = 0});
    x = b.relu(b.batchNorm(x, "bn1"), "relu1");
    x = b.conv(x, "conv2", {.out = p.scaled(64), .kernel = 3, .padding = 0});
    x = b.relu(b.batchNorm(x, "bn2"), "relu2");
    std::int64_t in = p.scaled(64);
    int index = 1;
    for (const Row& row : kTable) {
        const auto scope = b.scope("block" + std::to_string(index++));
        x = block(b, x, in, p.scaled(row.out), row);
        in = p.scaled(row.out);
    }
    x = b.relu(b.batchNorm(separable(b, x, "conv3", in, p.scaled(1536)), "bn3"), "relu3");
    x = b.relu(b.batchNorm(separable(b, x, "conv4", p.scaled(1536), p.scaled(2048)), "bn4"), "relu4");
    return b.classifier(x, "avgpool", "fc", p.classes());
}

}  // namespace

std::vector<Recipe> xceptionRecipes()
{
    return {{{"xception", "Xception", 2016, "arXiv 1610.02357", 299,
              "Residual blocks of depthwise separable convolutions."},
             1000,
             {kWidth},
             xception}};
}

}  // namespace fovea::zoo
