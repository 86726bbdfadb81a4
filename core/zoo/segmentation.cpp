// Long, Shelhamer, Darrell: "Fully Convolutional Networks for Semantic Segmentation", arXiv 1411.4038, and Chen,
// Papandreou, Schroff, Adam: "Rethinking Atrous Convolution for Semantic Image Segmentation", arXiv 1706.05587,
// figure 5, both on ResNet-50 as torchvision builds them, without auxiliary heads.
#include "core/zoo/blocks.h"
#include "core/zoo/resnet.h"

namespace fovea::zoo {

namespace {

Port backbone(Builder& b, Port image, const Parameters& p)
{
    const auto scope = b.scope("backbone");
    return resnetStages(b, image, kResnet50, p)[3];
}

Port fcn(Builder& b, Port image, const Parameters& p)
{
    Port x = backbone(b, image, p);
    {
        const auto classifier = b.scope("classifier");
        x = b.relu(b.batchNorm(b.conv(x, "0", {.out = p.scaled(512), .kernel = 3}), "1"), "2");
        x = b.conv(b.dropout(x, "3", 0.1), "4", {.out = p.classes(), .kernel = 1, .bias = true});
    }
    return b.resizeLike(x, image, "bilinear");
}

// Atrous spatial pyramid pooling: the same map at four dilations, and its mean.
Port pyramid(Builder& b, Port x, std::int64_t channels)
{
    std::vector<Port> parts{convNorm(b, x, "convs.0", {.out = channels, .kernel = 1})};
    for (const std::int64_t rate : {12, 24, 36})
        parts.push_back(
            convNorm(b, x, "convs." + std::to_string(rate / 12), {.out = channels, .kernel = 3, .dilation = rate}));
    {
        const auto scope = b.scope("convs.4");
        Port mean = b.conv(b.adaptiveAvgPool(x, "0", 1), "1", {.out = channels, .kernel = 1});
        mean = b.relu(b.batchNorm(mean, "2"), "3");
        parts.push_back(b.resizeLike(mean, x, "bilinear"));
    }
    x = convNorm(b, b.concat(std::move(parts)), "project", {.out = channels, .kernel = 1});
    return b.dropout(x, "project.3");
}

Port deeplab(Builder& b, Port image, const Parameters& p)
{
    Port x = backbone(b, image, p);
    {
        const auto classifier = b.scope("classifier");
        const std::int64_t channels = p.scaled(256);
        {
            const auto first = b.scope("0");
            x = pyramid(b, x, channels);
        }
        x = b.relu(b.batchNorm(b.conv(x, "1", {.out = channels, .kernel = 3}), "2"), "3");
        x = b.conv(x, "4", {.out = p.classes(), .kernel = 1, .bias = true});
    }
    return b.resizeLike(x, image, "bilinear");
}

}  // namespace

std::vector<Recipe> segmentationRecipes()
{
    const std::vector<ZooParameter> parameters{kWidth, kDepth, withDefault(kOutputStride, "8")};
    return {{{"fcn_resnet50", "Segmentation", 2014, "arXiv 1411.4038", 520,
              "A ResNet-50 that keeps an eighth of the side."},
             21,
             parameters,
             fcn},
            {{"deeplabv3_resnet50", "Segmentation", 2017, "arXiv 1706.05587", 520,
              "A ResNet-50 with dilated branches behind."},
             21,
             parameters,
             deeplab}};
}

}  // namespace fovea::zoo
