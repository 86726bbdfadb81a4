// Ma, Zhang, Zheng, Sun: "ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design",
// arXiv 1807.11164, table 5 and figure 3, as torchvision builds it.
#include "core/zoo/blocks.h"
#include "core/zoo/recipe.h"

#include <array>

namespace fovea::zoo {

namespace {

struct Row {
    const char* name;
    std::array<std::int64_t, 3> stages;
    std::int64_t head;
};
constexpr Row kTable[] = {
    {"shufflenet_v2_x0_5", {48, 96, 192}, 1024},
    {"shufflenet_v2_x1_0", {116, 232, 464}, 1024},
    {"shufflenet_v2_x1_5", {176, 352, 704}, 1024},
    {"shufflenet_v2_x2_0", {244, 488, 976}, 2048},
};
constexpr std::array<int, 3> kRepeats = {4, 8, 4};

Port skipBranch(Builder& b, Port x, std::int64_t in, std::int64_t out)
{
    const auto scope = b.scope("branch1");
    x = b.batchNorm(b.conv(x, "0", depthwise(in, 3, 2)), "1");
    return b.relu(b.batchNorm(b.conv(x, "2", {.out = out, .kernel = 1}), "3"), "4");
}

Port mainBranch(Builder& b, Port x, std::int64_t out, std::int64_t stride)
{
    const auto scope = b.scope("branch2");
    x = b.relu(b.batchNorm(b.conv(x, "0", {.out = out, .kernel = 1}), "1"), "2");
    x = b.batchNorm(b.conv(x, "3", depthwise(out, 3, stride)), "4");
    return b.relu(b.batchNorm(b.conv(x, "5", {.out = out, .kernel = 1}), "6"), "7");
}

Port unit(Builder& b, Port x, std::int64_t in, std::int64_t out, bool shrinks)
{
    Port skip, read = x;
    if (shrinks) {
        skip = skipBranch(b, x, in, out / 2);
    } else {
        skip = b.add("Split", "chunk", {x}, {{"dim", std::int64_t{1}}, {"chunks", std::int64_t{2}}});
        read = {skip.node, 1};
    }
    x = b.concat({skip, mainBranch(b, read, out / 2, shrinks ? 2 : 1)});
    return b.add("ChannelShuffle", "channel_shuffle", {x}, {{"groups", std::int64_t{2}}});
}

Port shufflenet(Builder& b, Port x, const Row& row, const Parameters& p)
{
    std::int64_t in = p.scaled(24);
    x = b.maxPool(convNorm(b, x, "conv1", {.out = in, .kernel = 3, .stride = 2}), "maxpool",
                  {.kernel = 3, .stride = 2, .padding = 1});
    for (std::size_t stage = 0; stage < kRepeats.size(); ++stage) {
        const auto scope = b.scope("stage" + std::to_string(stage + 2));
        const std::int64_t out = 2 * p.scaled(row.stages[stage] / 2);
        for (std::int64_t i = 0; i < p.repeats(kRepeats[stage]); ++i) {
            const auto index = b.scope(static_cast<std::size_t>(i));
            x = unit(b, x, in, out, i == 0);
            in = out;
        }
    }
    x = convNorm(b, x, "conv5", {.out = p.scaled(row.head), .kernel = 1});
    return b.linear(b.mean(x), "fc", p.classes());
}

Recipe recipe(const Row& row)
{
    return {
        {row.name, "ShuffleNet", 2018, "arXiv 1807.11164", 224, "Half of the channels pass, then all are shuffled."},
        1000,
        {kWidth, kDepth},
        [row](Builder& b, Port image, const Parameters& p) { return shufflenet(b, image, row, p); }};
}

}  // namespace

std::vector<Recipe> shufflenetRecipes()
{
    std::vector<Recipe> out;
    for (const Row& row : kTable) out.push_back(recipe(row));
    return out;
}

}  // namespace fovea::zoo
