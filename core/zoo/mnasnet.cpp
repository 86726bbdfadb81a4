// Tan et al.: "MnasNet: Platform-Aware Neural Architecture Search for Mobile", arXiv 1807.11626, figure 7 (B1, without
// squeeze-and-excitation), as torchvision builds it.
#include "core/zoo/blocks.h"
#include "core/zoo/recipe.h"

namespace fovea::zoo {

namespace {

struct Row {
    int channels, kernel, stride, expansion, repeats;
};
constexpr Row kTable[] = {{24, 3, 2, 3, 3}, {40, 5, 2, 3, 3},  {80, 5, 2, 6, 3},
                          {96, 3, 1, 6, 2}, {192, 5, 2, 6, 4}, {320, 3, 1, 6, 1}};

Port invertedResidual(Builder& b, Port image, std::int64_t in, std::int64_t out, const Row& row, std::int64_t stride)
{
    Port x = image;
    {
        const auto layers = b.scope("layers");
        const std::int64_t wide = in * row.expansion;
        x = b.relu(b.batchNorm(b.conv(x, "0", {.out = wide, .kernel = 1}), "1"), "2");
        x = b.relu(b.batchNorm(b.conv(x, "3", depthwise(wide, row.kernel, stride)), "4"), "5");
        x = b.batchNorm(b.conv(x, "6", {.out = out, .kernel = 1}), "7");
    }
    return stride == 1 && in == out ? b.sum(x, image) : x;
}

Port mnasnet(Builder& b, Port x, const Parameters& p)
{
    const auto wide = [&](int channels) { return divisible(channels * p.width()); };
    b.setNorm(1e-5, 3e-4);
    {
        const auto layers = b.scope("layers");
        x = b.relu(b.batchNorm(b.conv(x, "0", {.out = wide(32), .kernel = 3, .stride = 2}), "1"), "2");
        x = b.relu(b.batchNorm(b.conv(x, "3", depthwise(wide(32), 3)), "4"), "5");
        x = b.batchNorm(b.conv(x, "6", {.out = wide(16), .kernel = 1}), "7");
        std::int64_t in = wide(16);
        std::size_t index = 8;
        for (const Row& row : kTable) {
            const auto stack = b.scope(index++);
            for (std::int64_t i = 0; i < p.repeats(row.repeats); ++i) {
                const auto block = b.scope(static_cast<std::size_t>(i));
                x = invertedResidual(b, x, in, wide(row.channels), row, i == 0 ? row.stride : 1);
                in = wide(row.channels);
            }
        }
        x = b.relu(b.batchNorm(b.conv(x, "14", {.out = 1280, .kernel = 1}), "15"), "16");
    }
    x = b.mean(x);
    const auto classifier = b.scope("classifier");
    return b.linear(b.dropout(x, "0", 0.2), "1", p.classes());
}

Recipe recipe(const char* name, const char* width)
{
    return {{name, "MnasNet", 2018, "arXiv 1807.11626", 224, "Inverted residuals of 3x3 and 5x5, found by search."},
            1000,
            {withDefault(kWidth, width), kDepth},
            mnasnet};
}

}  // namespace

std::vector<Recipe> mnasnetRecipes()
{
    return {recipe("mnasnet0_5", "0.5"), recipe("mnasnet0_75", "0.75"), recipe("mnasnet1_0", "1"),
            recipe("mnasnet1_3", "1.3")};
}

}  // namespace fovea::zoo
