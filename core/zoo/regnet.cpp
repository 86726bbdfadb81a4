// Radosavovic, Kosaraju, Girshick, He, Dollár: "Designing Network Design Spaces", arXiv 2003.13678, figures 16 and 17
// (Y has squeeze-and-excitation), as torchvision builds it.
#include "core/zoo/blocks.h"
#include "core/zoo/recipe.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace fovea::zoo {

namespace {

struct Row {
    const char* name;
    bool gated;
    std::int64_t groupWidth;
    std::array<int, 4> depths;
    std::array<int, 4> widths;
};
constexpr Row kTable[] = {
    {"regnet_x_400mf", false, 16, {1, 2, 7, 12}, {32, 64, 160, 400}},
    {"regnet_x_800mf", false, 16, {1, 3, 7, 5}, {64, 128, 288, 672}},
    {"regnet_x_1_6gf", false, 24, {2, 4, 10, 2}, {72, 168, 408, 912}},
    {"regnet_x_3_2gf", false, 48, {2, 6, 15, 2}, {96, 192, 432, 1008}},
    {"regnet_x_8gf", false, 120, {2, 5, 15, 1}, {80, 240, 720, 1920}},
    {"regnet_x_16gf", false, 128, {2, 6, 13, 1}, {256, 512, 896, 2048}},
    {"regnet_x_32gf", false, 168, {2, 7, 13, 1}, {336, 672, 1344, 2520}},
    {"regnet_y_400mf", true, 8, {1, 3, 6, 6}, {48, 104, 208, 440}},
    {"regnet_y_800mf", true, 16, {1, 3, 8, 2}, {64, 144, 320, 784}},
    {"regnet_y_1_6gf", true, 24, {2, 6, 17, 2}, {48, 120, 336, 888}},
    {"regnet_y_3_2gf", true, 24, {2, 5, 13, 1}, {72, 216, 576, 1512}},
    {"regnet_y_8gf", true, 56, {2, 4, 10, 1}, {224, 448, 896, 2016}},
    {"regnet_y_16gf", true, 112, {2, 4, 11, 1}, {224, 448, 1232, 3024}},
    {"regnet_y_32gf", true, 232, {2, 5, 12, 1}, {232, 696, 1392, 3712}},
};

struct Block {
    std::int64_t in, out, stride, groups;
    bool gated;
};

Port transform(Builder& b, Port x, const Block& block)
{
    const auto scope = b.scope("f");
    x = convNorm(b, x, "a", {.out = block.out, .kernel = 1});
    x = convNorm(b, x, "b", {.out = block.out, .kernel = 3, .stride = block.stride, .groups = block.groups});
    if (block.gated)
        x = squeezeExcitation(b, x, "se",
                              {block.out, std::max(1LL, std::llround(0.25 * static_cast<double>(block.in)))});
    return convNorm(b, x, "c", {.out = block.out, .kernel = 1}, nullptr);
}

Port bottleneck(Builder& b, Port x, const Block& block)
{
    Port skip = x;
    if (block.in != block.out || block.stride != 1)
        skip = convNorm(b, x, "proj", {.out = block.out, .kernel = 1, .stride = block.stride}, nullptr);
    return b.relu(b.sum(skip, transform(b, x, block)), "activation");
}

// A width that whole groups fill, and how many they are.
std::pair<std::int64_t, std::int64_t> grouped(int width, const Row& row, const Parameters& p)
{
    const std::int64_t scaled = p.scaled(width), group = std::min(row.groupWidth, scaled);
    const std::int64_t whole = divisible(static_cast<double>(scaled), group);
    return {whole, whole / group};
}

Port regnet(Builder& b, Port x, const Row& row, const Parameters& p)
{
    std::int64_t in = p.scaled(32);
    x = convNorm(b, x, "stem", {.out = in, .kernel = 3, .stride = 2});
    for (std::size_t stage = 0; stage < row.widths.size(); ++stage) {
        const std::string name = "block" + std::to_string(stage + 1);
        const auto scope = b.scope("trunk_output." + name);
        const auto [out, groups] = grouped(row.widths[stage], row, p);
        for (std::int64_t i = 0; i < p.repeats(row.depths[stage]); ++i) {
            const auto block = b.scope(name + "-" + std::to_string(i));
            x = bottleneck(b, x, {in, out, i == 0 ? 2 : 1, groups, row.gated});
            in = out;
        }
    }
    return b.classifier(x, "avgpool", "fc", p.classes());
}

Recipe recipe(const Row& row)
{
    return {{row.name, "RegNet", 2020, "arXiv 2003.13678", 224,
             row.gated ? "Residual blocks of grouped convolutions with gates."
                       : "Residual blocks of grouped convolutions."},
            1000,
            {kWidth, kDepth},
            [row](Builder& b, Port image, const Parameters& p) { return regnet(b, image, row, p); }};
}

}  // namespace

std::vector<Recipe> regnetRecipes()
{
    std::vector<Recipe> out;
    for (const Row& row : kTable) out.push_back(recipe(row));
    return out;
}

}  // namespace fovea::zoo
