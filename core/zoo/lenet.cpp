// LeCun, Bottou, Bengio, Haffner: "Gradient-based learning applied to document recognition", Proceedings of the
// IEEE 86(11), 1998, figure 2, with the full connections of later versions and plain averages for subsampling.
#include "core/zoo/recipe.h"

namespace fovea::zoo {

namespace {

Port lenet(Builder& b, Port x, const Parameters& p)
{
    const std::int64_t padding = p.getInt("padding", 0, 1000);
    x = b.conv(x, "conv1", {.out = p.scaled(6), .kernel = 5, .padding = padding, .bias = true});
    x = b.avgPool(b.activation(x, "tanh1", "Tanh"), "pool1", {.kernel = 2, .stride = 2});
    x = b.conv(x, "conv2", {.out = p.scaled(16), .kernel = 5, .padding = 0, .bias = true});
    x = b.avgPool(b.activation(x, "tanh2", "Tanh"), "pool2", {.kernel = 2, .stride = 2});
    x = b.activation(b.linear(b.flatten(x), "fc1", p.scaled(120)), "tanh3", "Tanh");
    x = b.activation(b.linear(x, "fc2", p.scaled(84)), "tanh4", "Tanh");
    return b.linear(x, "fc3", p.classes());
}

}  // namespace

std::vector<Recipe> lenetRecipes()
{
    const ZooParameter padding{"padding", "0", "of the first convolution: 2 for images of 28x28"};
    return {
        {{"lenet5", "LeNet", 1998, "doi 10.1109/5.726791", 32, "Two convolutions and three linear layers for digits."},
         10,
         {kWidth, padding},
         lenet,
         1}};
}

}  // namespace fovea::zoo
