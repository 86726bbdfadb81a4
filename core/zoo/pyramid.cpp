// Lin, Dollár, Girshick, He, Hariharan, Belongie: "Feature Pyramid Networks for Object Detection", arXiv 1612.03144,
// figure 3, on ResNet-50 as torchvision builds it (resnet_fpn_backbone).
#include "core/zoo/resnet.h"

namespace fovea::zoo {

namespace {

Port fpn(Builder& b, Port image, const Parameters& p)
{
    std::array<Port, 4> stages;
    {
        const auto body = b.scope("body");
        stages = resnetStages(b, image, kResnet50, p);
    }
    const auto scope = b.scope("fpn");
    const std::int64_t channels = p.classes();
    std::array<Port, 4> levels;
    Port above;
    for (std::size_t i = stages.size(); i-- > 0;) {
        const std::string index = std::to_string(i) + ".0";
        const Port lateral = b.conv(stages[i], "inner_blocks." + index, {.out = channels, .kernel = 1, .bias = true});
        above = i == 3 ? lateral : b.sum(lateral, b.resizeLike(above, lateral, "nearest"));
        levels[i] = b.conv(above, "layer_blocks." + index, {.out = channels, .kernel = 3, .bias = true});
    }
    const Port last = b.maxPool(levels[3], "extra_blocks.max_pool2d", {.kernel = 1, .stride = 2});
    for (std::size_t i = 0; i < levels.size(); ++i) b.output(levels[i], "p" + std::to_string(i + 2));
    b.output(last, "p6");
    return {};
}

}  // namespace

std::vector<Recipe> pyramidRecipes()
{
    Recipe recipe{
        {"fpn_resnet50", "Detection", 2016, "arXiv 1612.03144", 800, "A ResNet-50 whose five outputs differ in scale."},
        256,
        {kWidth, kDepth, kOutputStride},
        fpn};
    return {recipe};
}

}  // namespace fovea::zoo
