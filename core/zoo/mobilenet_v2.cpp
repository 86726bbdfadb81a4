// Sandler, Howard, Zhu, Zhmoginov, Chen: "MobileNetV2: Inverted Residuals and Linear Bottlenecks",
// arXiv 1801.04381, table 2, as torchvision builds it.
#include "core/zoo/blocks.h"
#include "core/zoo/recipe.h"

#include <algorithm>

namespace fovea::zoo {

namespace {

struct Row {
    int expansion, channels, repeats, stride;  // t, c, n, s
};
constexpr Row kTable[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                          {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};

Port invertedResidual(Builder& b, Port image, std::int64_t in, std::int64_t out, int expansion, int stride)
{
    Port x = image;
    {
        const auto conv = b.scope("conv");
        int index = 0;
        const auto next = [&] { return std::to_string(index++); };
        if (expansion != 1) x = convNorm(b, x, next(), {.out = in * expansion, .kernel = 1}, "ReLU6");
        x = convNorm(b, x, next(), depthwise(in * expansion, 3, stride), "ReLU6");
        x = b.conv(x, next(), {.out = out, .kernel = 1});
        x = b.batchNorm(x, next());
    }
    return stride == 1 && in == out ? b.sum(image, x) : x;
}

Port mobilenet(Builder& b, Port x, const Parameters& p)
{
    {
        const auto features = b.scope("features");
        std::int64_t in = divisible(32 * p.width());
        std::size_t index = 0;
        x = convNorm(b, x, std::to_string(index++), {.out = in, .kernel = 3, .stride = 2}, "ReLU6");
        for (const Row& row : kTable)
            for (std::int64_t i = 0; i < p.repeats(row.repeats); ++i) {
                const auto block = b.scope(index++);
                const std::int64_t out = divisible(row.channels * p.width());
                x = invertedResidual(b, x, in, out, row.expansion, i == 0 ? row.stride : 1);
                in = out;
            }
        const std::int64_t last = divisible(1280 * std::max(1.0, p.width()));
        x = convNorm(b, x, std::to_string(index), {.out = last, .kernel = 1}, "ReLU6");
    }
    x = b.flatten(b.adaptiveAvgPool(x, "adaptive_avg_pool2d", 1));
    const auto classifier = b.scope("classifier");
    return b.linear(b.dropout(x, "0", 0.2), "1", p.classes());
}

}  // namespace

std::vector<Recipe> mobilenetV2Recipes()
{
    return {{{"mobilenet_v2", "MobileNet", 2018, "arXiv 1801.04381", 224, "Inverted residuals: narrow, wide, narrow."},
             1000,
             {kWidth, kDepth},
             mobilenet}};
}

}  // namespace fovea::zoo
