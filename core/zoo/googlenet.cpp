// Szegedy et al.: "Going Deeper with Convolutions", arXiv 1409.4842, table 1, as torchvision builds it: with batch
// normalisation, 3x3 where the paper has 5x5 (the branch of table 1's "#5x5"), and without auxiliary heads.
#include "core/zoo/blocks.h"
#include "core/zoo/recipe.h"

namespace fovea::zoo {

namespace {

// A row of table 1: "#1x1", "#3x3 reduce", "#3x3", "#5x5 reduce", "#5x5", "pool proj".
struct Module {
    const char* name;
    int one, threeReduce, three, fiveReduce, five, pool;
};

struct Googlenet {
    Builder& b;
    const Parameters& p;

    Port conv(Port x, std::string_view name, std::int64_t out, Conv conv) const
    {
        conv.out = p.scaled(out);
        return basicConv(b, x, name, conv);
    }

    Port module(Port x, const Module& m) const
    {
        const auto scope = b.scope(m.name);
        const Port one = conv(x, "branch1", m.one, {.kernel = 1});
        const Port three =
            conv(conv(x, "branch2.0", m.threeReduce, {.kernel = 1}), "branch2.1", m.three, {.kernel = 3});
        const Port five = conv(conv(x, "branch3.0", m.fiveReduce, {.kernel = 1}), "branch3.1", m.five, {.kernel = 3});
        Port pool = b.maxPool(x, "branch4.0", {.kernel = 3, .stride = 1, .padding = 1, .ceilMode = true});
        pool = conv(pool, "branch4.1", m.pool, {.kernel = 1});
        return b.concat({one, three, five, pool});
    }

    Port pool(Port x, std::string_view name, std::int64_t kernel = 3) const
    {
        return b.maxPool(x, name, {.kernel = kernel, .stride = 2, .ceilMode = true});
    }
};

Port googlenet(Builder& b, Port x, const Parameters& p)
{
    const Googlenet net{b, p};
    b.setNorm(1e-3);
    x = net.pool(net.conv(x, "conv1", 64, {.kernel = 7, .stride = 2}), "maxpool1");
    x = net.conv(x, "conv2", 64, {.kernel = 1});
    x = net.pool(net.conv(x, "conv3", 192, {.kernel = 3}), "maxpool2");
    x = net.module(x, {"inception3a", 64, 96, 128, 16, 32, 32});
    x = net.module(x, {"inception3b", 128, 128, 192, 32, 96, 64});
    x = net.pool(x, "maxpool3");
    x = net.module(x, {"inception4a", 192, 96, 208, 16, 48, 64});
    x = net.module(x, {"inception4b", 160, 112, 224, 24, 64, 64});
    x = net.module(x, {"inception4c", 128, 128, 256, 24, 64, 64});
    x = net.module(x, {"inception4d", 112, 144, 288, 32, 64, 64});
    x = net.module(x, {"inception4e", 256, 160, 320, 32, 128, 128});
    x = net.pool(x, "maxpool4", 2);
    x = net.module(x, {"inception5a", 256, 160, 320, 32, 128, 128});
    x = net.module(x, {"inception5b", 384, 192, 384, 48, 128, 128});
    x = b.dropout(b.flatten(b.adaptiveAvgPool(x, "avgpool", 1)), "dropout", 0.2);
    return b.linear(x, "fc", p.classes());
}

}  // namespace

std::vector<Recipe> googlenetRecipes()
{
    return {
        {{"googlenet", "Inception", 2014, "arXiv 1409.4842", 224, "Modules of four branches with different fields."},
         1000,
         {kWidth},
         googlenet}};
}

}  // namespace fovea::zoo
