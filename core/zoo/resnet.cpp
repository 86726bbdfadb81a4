// He, Zhang, Ren, Sun: "Deep Residual Learning for Image Recognition", arXiv 1512.03385, table 1, as torchvision
// builds it ("v1.5": the stride of a bottleneck stands in its 3x3 convolution); Xie et al.: "Aggregated Residual
// Transformations for Deep Neural Networks", arXiv 1611.05431, table 1; Zagoruyko, Komodakis: "Wide Residual
// Networks", arXiv 1605.07146. TF-slim's version 1 (tensorflow/models, slim/nets/resnet_v1.py) has the stride in the
// last unit of its first three stages, whose shortcut is then a 1x1 max pooling, and pads its pooling as needed.
#include "core/zoo/resnet.h"

#include <algorithm>

namespace fovea::zoo {

namespace {

struct Block {
    std::int64_t in, planes, stride, dilation;
    std::int64_t out(const Resnet& net) const { return net.bottleneck ? 4 * planes : planes; }
    std::int64_t width(const Resnet& net) const
    {
        return std::max(planes * net.groupWidth / 64, std::int64_t{1}) * net.groups;
    }
};

Port shortcut(Builder& b, Port x, const Block& block, const Resnet& net)
{
    if (net.slim && block.in == block.out(net))
        return block.stride == 1 ? x : b.maxPool(x, "shortcut", {.kernel = 1, .stride = block.stride});
    if (block.stride == 1 && block.in == block.out(net)) return x;
    const auto scope = b.scope("downsample");
    return b.batchNorm(b.conv(x, "0", {.out = block.out(net), .kernel = 1, .stride = block.stride}), "1");
}

Port layers(Builder& b, Port x, const Block& block, const Resnet& net)
{
    const auto convNorm = [&](Port in, const std::string& number, const Conv& conv) {
        return b.batchNorm(b.conv(in, "conv" + number, conv), "bn" + number);
    };
    const Conv strided{.kernel = 3, .stride = block.stride, .dilation = block.dilation};
    Conv first = strided;
    first.out = net.bottleneck ? block.width(net) : block.planes;
    if (!net.bottleneck) {
        x = b.relu(convNorm(x, "1", first));
        return convNorm(x, "2", {.out = block.planes, .kernel = 3, .dilation = block.dilation});
    }
    first.groups = net.groups;
    x = b.relu(convNorm(x, "1", {.out = first.out, .kernel = 1}));
    x = b.relu(convNorm(x, "2", first));
    return convNorm(x, "3", {.out = block.out(net), .kernel = 1});
}

Port residual(Builder& b, Port x, const Block& block, const Resnet& net)
{
    if (net.slim) {
        const Port skip = shortcut(b, x, block, net);
        return b.relu(b.sum(skip, layers(b, x, block, net)));
    }
    const Port made = layers(b, x, block, net);
    return b.relu(b.sum(made, shortcut(b, x, block, net)));
}

Port stem(Builder& b, Port x, const Resnet& net, const Parameters& p)
{
    x = b.relu(b.batchNorm(b.conv(x, "conv1", {.out = p.scaled(64), .kernel = 7, .stride = 2}), "bn1"));
    // "SAME": one unit at the end where the map, half the image, is even, else one on either side.
    const auto same = [](std::int64_t side) { return (side + 1) / 2 % 2; };
    const Pair begin = net.slim ? Pair(same(p.size().h), same(p.size().w)) : Pair(1);
    return b.maxPool(x, "maxpool", {.kernel = 3, .stride = 2, .padding = begin, .paddingEnd = 1});
}

}  // namespace

std::array<Port, 4> resnetStages(Builder& b, Port image, const Resnet& net, const Parameters& p)
{
    std::array<Port, 4> outputs;
    Port x = stem(b, image, net, p);
    std::int64_t channels = p.scaled(64), reduced = 4, dilation = 1;
    for (std::size_t stage = 0; stage < 4; ++stage) {
        const auto outer = b.scope("layer" + std::to_string(stage + 1));
        const std::int64_t count = p.repeats(net.counts[stage]);
        for (std::int64_t index = 0; index < count; ++index) {
            const auto inner = b.scope(static_cast<std::size_t>(index));
            const bool shrinks = net.slim ? stage < 3 && index + 1 == count : stage > 0 && index == 0;
            const bool dilates = shrinks && reduced * 2 > p.outputStride();
            const Block block{channels, p.scaled(64 << stage), shrinks && !dilates ? 2 : 1, dilation};
            x = residual(b, x, block, net);
            channels = block.out(net);
            reduced *= block.stride;
            if (dilates) dilation *= 2;
        }
        outputs[stage] = x;
    }
    return outputs;
}

namespace {

Recipe recipe(const char* name, const char* note, const Resnet& net, int year = 2015,
              const char* paper = "arXiv 1512.03385")
{
    return {{name, "ResNet", year, paper, 224, note},
            1000,
            {kWidth, kDepth, kOutputStride},
            [net](Builder& b, Port image, const Parameters& p) {
                return b.classifier(resnetStages(b, image, net, p)[3], "avgpool", "fc", p.classes());
            }};
}

Recipe example()
{
    Recipe recipe = zoo::recipe(
        kExampleSpec, "A ResNet-18 of half the width on 32x32 images: its last layers have nothing left to see.",
        {.counts = {2, 2, 2, 2}, .bottleneck = false});
    recipe.entry.size = 32;
    recipe.classes = 10;
    recipe.extra[0].fallback = "0.5";
    return recipe;
}

}  // namespace

std::vector<Recipe> resnetRecipes()
{
    const char* const basic = "Residual blocks of two 3x3 convolutions.";
    const char* const bottleneck = "Bottleneck blocks; torchvision's variant, stride in the 3x3.";
    return {
        recipe("resnet18", basic, {.counts = {2, 2, 2, 2}, .bottleneck = false}),
        recipe("resnet34", basic, {.counts = {3, 4, 6, 3}, .bottleneck = false}),
        recipe("resnet50", bottleneck, kResnet50),
        recipe("resnet101", bottleneck, {.counts = {3, 4, 23, 3}}),
        recipe("resnet152", bottleneck, {.counts = {3, 8, 36, 3}}),
        recipe("resnet50_slim_v1", "Bottleneck blocks; TF-slim's variant, stride in the last block of a stage.",
               {.counts = {3, 4, 6, 3}, .slim = true}),
        recipe("resnext50_32x4d", "Bottleneck blocks with 32 groups of 4 channels.",
               {.counts = {3, 4, 6, 3}, .groups = 32, .groupWidth = 4}, 2016, "arXiv 1611.05431"),
        recipe("wide_resnet50_2", "Bottleneck blocks with twice the channels in the 3x3.",
               {.counts = {3, 4, 6, 3}, .groupWidth = 128}, 2016, "arXiv 1605.07146"),
        example(),
    };
}

}  // namespace fovea::zoo
