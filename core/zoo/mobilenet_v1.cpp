// Howard et al.: "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications",
// arXiv 1704.04861, table 1.
#include "core/zoo/blocks.h"
#include "core/zoo/recipe.h"

namespace fovea::zoo {

namespace {

// Channels and stride of each depthwise separable block.
constexpr std::pair<int, int> kTable[] = {
    {64, 1},  {128, 2}, {128, 1}, {256, 2}, {256, 1},  {512, 2},  {512, 1},
    {512, 1}, {512, 1}, {512, 1}, {512, 1}, {1024, 2}, {1024, 1},
};

Port mobilenet(Builder& b, Port x, const Parameters& p)
{
    const auto wide = [&](int channels) { return divisible(channels * p.width()); };
    {
        const auto features = b.scope("features");
        std::int64_t in = wide(32);
        std::size_t index = 0;
        x = convNorm(b, x, std::to_string(index++), {.out = in, .kernel = 3, .stride = 2});
        for (const auto& [channels, stride] : kTable) {
            const auto block = b.scope(index++);
            x = convNorm(b, x, "0", depthwise(in, 3, stride));
            x = convNorm(b, x, "1", {.out = wide(channels), .kernel = 1});
            in = wide(channels);
        }
    }
    x = b.flatten(b.adaptiveAvgPool(x, "avgpool", 1));
    const auto classifier = b.scope("classifier");
    return b.linear(b.dropout(x, "0", 0.001), "1", p.classes());
}

}  // namespace

std::vector<Recipe> mobilenetV1Recipes()
{
    return {
        {{"mobilenet_v1", "MobileNet", 2017, "arXiv 1704.04861", 224, "Depthwise separable convolutions in a chain."},
         1000,
         {kWidth},
         mobilenet}};
}

}  // namespace fovea::zoo
