// Tan, Le: "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", arXiv 1905.11946, table 1 and
// the authors' coefficients, and "EfficientNetV2: Smaller Models and Faster Training", arXiv 2104.00298, table 4, as
// torchvision builds them. Stochastic depth acts in training only and is left out.
#include "core/zoo/blocks.h"
#include "core/zoo/recipe.h"

#include <algorithm>

namespace fovea::zoo {

namespace {

struct Row {
    bool fused;  // one k x k convolution expands, instead of a 1x1 and a depthwise one
    int expansion, kernel, stride, in, out, layers;
};
using Table = std::vector<Row>;

const Table kB = {{false, 1, 3, 1, 32, 16, 1},  {false, 6, 3, 2, 16, 24, 2},  {false, 6, 5, 2, 24, 40, 2},
                  {false, 6, 3, 2, 40, 80, 3},  {false, 6, 5, 1, 80, 112, 3}, {false, 6, 5, 2, 112, 192, 4},
                  {false, 6, 3, 1, 192, 320, 1}};
const Table kV2Small = {{true, 1, 3, 1, 24, 24, 2},   {true, 4, 3, 2, 24, 48, 4},    {true, 4, 3, 2, 48, 64, 4},
                        {false, 4, 3, 2, 64, 128, 6}, {false, 6, 3, 1, 128, 160, 9}, {false, 6, 3, 2, 160, 256, 15}};
const Table kV2Medium = {{true, 1, 3, 1, 24, 24, 3},   {true, 4, 3, 2, 24, 48, 5},     {true, 4, 3, 2, 48, 80, 5},
                         {false, 4, 3, 2, 80, 160, 7}, {false, 6, 3, 1, 160, 176, 14}, {false, 6, 3, 2, 176, 304, 18},
                         {false, 6, 3, 1, 304, 512, 5}};
const Table kV2Large = {{true, 1, 3, 1, 32, 32, 4},    {true, 4, 3, 2, 32, 64, 7},     {true, 4, 3, 2, 64, 96, 7},
                        {false, 4, 3, 2, 96, 192, 10}, {false, 6, 3, 1, 192, 224, 19}, {false, 6, 3, 2, 224, 384, 25},
                        {false, 6, 3, 1, 384, 640, 7}};

constexpr const char* kActivation = "SiLU";

struct Block {
    const Row& row;
    std::int64_t in, out, stride;
    std::int64_t wide() const { return divisible(static_cast<double>(in * row.expansion)); }
};

Port fusedLayers(Builder& b, Port x, const Block& block)
{
    const auto scope = b.scope("block");
    const bool expands = block.wide() != block.in;
    const Conv first{.out = expands ? block.wide() : block.out, .kernel = block.row.kernel, .stride = block.stride};
    x = convNorm(b, x, "0", first, kActivation);
    return expands ? convNorm(b, x, "1", {.out = block.out, .kernel = 1}, nullptr) : x;
}

Port separableLayers(Builder& b, Port x, const Block& block)
{
    const auto scope = b.scope("block");
    const std::int64_t wide = block.wide();
    int index = 0;
    const auto next = [&] { return std::to_string(index++); };
    if (wide != block.in) x = convNorm(b, x, next(), {.out = wide, .kernel = 1}, kActivation);
    x = convNorm(b, x, next(), depthwise(wide, block.row.kernel, block.stride), kActivation);
    x = squeezeExcitation(b, x, next(), {wide, std::max<std::int64_t>(1, block.in / 4), kActivation, "Sigmoid"});
    return convNorm(b, x, next(), {.out = block.out, .kernel = 1}, nullptr);
}

Port inverted(Builder& b, Port x, const Block& block)
{
    const Port made = block.row.fused ? fusedLayers(b, x, block) : separableLayers(b, x, block);
    return block.stride == 1 && block.in == block.out ? b.sum(made, x) : made;
}

// `head`: channels before the classifier, 0 for four times the last stage's.
Port efficientnet(Builder& b, Port x, const Parameters& p, const Table& table, int head, double dropout)
{
    const auto wide = [&](int channels) { return divisible(channels * p.width()); };
    {
        const auto features = b.scope("features");
        std::int64_t in = wide(table.front().in);
        std::size_t stage = 0;
        x = convNorm(b, x, std::to_string(stage++), {.out = in, .kernel = 3, .stride = 2}, kActivation);
        for (const Row& row : table) {
            const auto scope = b.scope(stage++);
            for (std::int64_t i = 0; i < p.repeats(row.layers); ++i) {
                const auto index = b.scope(static_cast<std::size_t>(i));
                x = inverted(b, x, {row, in, wide(row.out), i == 0 ? row.stride : 1});
                in = wide(row.out);
            }
        }
        x = convNorm(b, x, std::to_string(stage), {.out = head ? wide(head) : 4 * in, .kernel = 1}, kActivation);
    }
    x = b.flatten(b.adaptiveAvgPool(x, "avgpool", 1));
    const auto classifier = b.scope("classifier");
    return b.linear(b.dropout(x, "0", dropout), "1", p.classes());
}

struct Scale {
    const char *name, *width, *depth;
    int size;
    double dropout, momentum;
};
constexpr Scale kScales[] = {
    {"efficientnet_b0", "1", "1", 224, 0.2, 0.1},      {"efficientnet_b1", "1", "1.1", 240, 0.2, 0.1},
    {"efficientnet_b2", "1.1", "1.2", 260, 0.3, 0.1},  {"efficientnet_b3", "1.2", "1.4", 300, 0.3, 0.1},
    {"efficientnet_b4", "1.4", "1.8", 380, 0.4, 0.1},  {"efficientnet_b5", "1.6", "2.2", 456, 0.4, 0.01},
    {"efficientnet_b6", "1.8", "2.6", 528, 0.5, 0.01}, {"efficientnet_b7", "2", "3.1", 600, 0.5, 0.01},
};

Recipe recipe(const Scale& scale)
{
    return {{scale.name, "EfficientNet", 2019, "arXiv 1905.11946", scale.size,
             "Inverted residuals with gates; width, depth and side grow together."},
            1000,
            {withDefault(kWidth, scale.width), withDefault(kDepth, scale.depth)},
            [scale](Builder& b, Port image, const Parameters& p) {
                b.setNorm(scale.momentum < 0.1 ? 1e-3 : 1e-5, scale.momentum);
                return efficientnet(b, image, p, kB, 0, scale.dropout);
            }};
}

Recipe recipeV2(const char* name, int size, const Table& table, double dropout)
{
    return {{name, "EfficientNet", 2021, "arXiv 2104.00298", size, "Fused inverted residuals first, gates later."},
            1000,
            {kWidth, kDepth},
            [&table, dropout](Builder& b, Port image, const Parameters& p) {
                b.setNorm(1e-3);
                return efficientnet(b, image, p, table, 1280, dropout);
            }};
}

}  // namespace

std::vector<Recipe> efficientnetRecipes()
{
    std::vector<Recipe> out;
    for (const Scale& scale : kScales) out.push_back(recipe(scale));
    out.push_back(recipeV2("efficientnet_v2_s", 384, kV2Small, 0.2));
    out.push_back(recipeV2("efficientnet_v2_m", 480, kV2Medium, 0.3));
    out.push_back(recipeV2("efficientnet_v2_l", 480, kV2Large, 0.4));
    return out;
}

}  // namespace fovea::zoo
