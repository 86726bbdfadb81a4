// Krizhevsky: "One weird trick for parallelizing convolutional neural networks", arXiv 1404.5997: AlexNet (2012)
// without its two columns, as torchvision builds it.
#include "core/zoo/recipe.h"

namespace fovea::zoo {

namespace {

Port features(Builder& b, Port x, const Parameters& p)
{
    const auto scope = b.scope("features");
    x = b.conv(x, "0", {.out = p.scaled(64), .kernel = 11, .stride = 4, .padding = 2, .bias = true});
    x = b.maxPool(b.relu(x, "1"), "2", {.kernel = 3, .stride = 2});
    x = b.conv(x, "3", {.out = p.scaled(192), .kernel = 5, .bias = true});
    x = b.maxPool(b.relu(x, "4"), "5", {.kernel = 3, .stride = 2});
    x = b.relu(b.conv(x, "6", {.out = p.scaled(384), .kernel = 3, .bias = true}), "7");
    x = b.relu(b.conv(x, "8", {.out = p.scaled(256), .kernel = 3, .bias = true}), "9");
    x = b.relu(b.conv(x, "10", {.out = p.scaled(256), .kernel = 3, .bias = true}), "11");
    return b.maxPool(x, "12", {.kernel = 3, .stride = 2});
}

Port alexnet(Builder& b, Port image, const Parameters& p)
{
    Port x = b.flatten(b.adaptiveAvgPool(features(b, image, p), "avgpool", 6));
    const auto scope = b.scope("classifier");
    x = b.relu(b.linear(b.dropout(x, "0"), "1", 4096), "2");
    x = b.relu(b.linear(b.dropout(x, "3"), "4", 4096), "5");
    return b.linear(x, "6", p.classes());
}

}  // namespace

std::vector<Recipe> alexnetRecipes()
{
    return {{{"alexnet", "AlexNet", 2012, "arXiv 1404.5997", 224, "Five convolutions, large kernels first."},
             1000,
             {kWidth},
             alexnet}};
}

}  // namespace fovea::zoo
