// Howard et al.: "Searching for MobileNetV3", arXiv 1905.02244, tables 1 and 2, as torchvision builds it.
#include "core/zoo/blocks.h"
#include "core/zoo/recipe.h"

namespace fovea::zoo {

namespace {

struct Row {
    int kernel, expanded, out;
    bool gated;
    const char* activation;
    int stride;
};
using Table = std::vector<Row>;

constexpr const char *kRelu = "ReLU", *kSwish = "Hardswish";

const Table kLarge = {
    {3, 16, 16, false, kRelu, 1},   {3, 64, 24, false, kRelu, 2},   {3, 72, 24, false, kRelu, 1},
    {5, 72, 40, true, kRelu, 2},    {5, 120, 40, true, kRelu, 1},   {5, 120, 40, true, kRelu, 1},
    {3, 240, 80, false, kSwish, 2}, {3, 200, 80, false, kSwish, 1}, {3, 184, 80, false, kSwish, 1},
    {3, 184, 80, false, kSwish, 1}, {3, 480, 112, true, kSwish, 1}, {3, 672, 112, true, kSwish, 1},
    {5, 672, 160, true, kSwish, 2}, {5, 960, 160, true, kSwish, 1}, {5, 960, 160, true, kSwish, 1},
};
const Table kSmall = {
    {3, 16, 16, true, kRelu, 2},   {3, 72, 24, false, kRelu, 2},  {3, 88, 24, false, kRelu, 1},
    {5, 96, 40, true, kSwish, 2},  {5, 240, 40, true, kSwish, 1}, {5, 240, 40, true, kSwish, 1},
    {5, 120, 48, true, kSwish, 1}, {5, 144, 48, true, kSwish, 1}, {5, 288, 96, true, kSwish, 2},
    {5, 576, 96, true, kSwish, 1}, {5, 576, 96, true, kSwish, 1},
};

Port invertedResidual(Builder& b, Port image, std::int64_t in, std::int64_t wide, std::int64_t out, const Row& row)
{
    Port x = image;
    {
        const auto scope = b.scope("block");
        int index = 0;
        const auto next = [&] { return std::to_string(index++); };
        if (wide != in) x = convNorm(b, x, next(), {.out = wide, .kernel = 1}, row.activation);
        x = convNorm(b, x, next(), depthwise(wide, row.kernel, row.stride), row.activation);
        if (row.gated)
            x = squeezeExcitation(b, x, next(),
                                  {wide, divisible(static_cast<double>(wide / 4)), "ReLU", "Hardsigmoid"});
        x = convNorm(b, x, next(), {.out = out, .kernel = 1}, nullptr);
    }
    return row.stride == 1 && in == out ? b.sum(x, image) : x;
}

Port mobilenet(Builder& b, Port x, const Parameters& p, const Table& table, int head)
{
    const auto wide = [&](int channels) { return divisible(channels * p.width()); };
    b.setNorm(1e-3, 0.01);
    {
        const auto features = b.scope("features");
        std::int64_t in = wide(16);
        std::size_t index = 0;
        x = convNorm(b, x, std::to_string(index++), {.out = in, .kernel = 3, .stride = 2}, kSwish);
        for (const Row& row : table) {
            const auto scope = b.scope(index++);
            x = invertedResidual(b, x, in, wide(row.expanded), wide(row.out), row);
            in = wide(row.out);
        }
        x = convNorm(b, x, std::to_string(index), {.out = 6 * in, .kernel = 1}, kSwish);
    }
    x = b.flatten(b.adaptiveAvgPool(x, "avgpool", 1));
    const auto classifier = b.scope("classifier");
    x = b.dropout(b.activation(b.linear(x, "0", wide(head)), "1", kSwish), "2", 0.2);
    return b.linear(x, "3", p.classes());
}

Recipe recipe(const char* name, const char* note, const Table& table, int head)
{
    return {
        {name, "MobileNet", 2019, "arXiv 1905.02244", 224, note},
        1000,
        {kWidth},
        [&table, head](Builder& b, Port image, const Parameters& p) { return mobilenet(b, image, p, table, head); }};
}

}  // namespace

std::vector<Recipe> mobilenetV3Recipes()
{
    return {
        recipe("mobilenet_v3_small", "Inverted residuals with gates, found by search; the small one.", kSmall, 1024),
        recipe("mobilenet_v3_large", "Inverted residuals with gates, found by search; the large one.", kLarge, 1280)};
}

}  // namespace fovea::zoo
