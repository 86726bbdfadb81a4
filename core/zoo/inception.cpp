// Szegedy, Vanhoucke, Ioffe, Shlens, Wojna: "Rethinking the Inception Architecture for Computer Vision",
// arXiv 1512.00567, table 1, figures 5 to 7 and 10, as torchvision builds it, without the auxiliary head.
#include "core/zoo/blocks.h"
#include "core/zoo/recipe.h"

namespace fovea::zoo {

namespace {

struct Inception {
    Builder& b;
    const Parameters& p;

    Port conv(Port x, std::string_view name, std::int64_t out, Conv conv) const
    {
        conv.out = p.scaled(out);
        return basicConv(b, x, name, conv);
    }
    Port one(Port x, std::string_view name, std::int64_t out) const { return conv(x, name, out, {.kernel = 1}); }
    Port three(Port x, std::string_view name, std::int64_t out) const { return conv(x, name, out, {.kernel = 3}); }
    Port valid(Port x, std::string_view name, std::int64_t out, Pair stride) const
    {
        return conv(x, name, out, {.kernel = 3, .stride = stride, .padding = 0});
    }
    Port wide(Port x, std::string_view name, std::int64_t out, std::int64_t k) const
    {
        return conv(x, name, out, {.kernel = {1, k}});
    }
    Port tall(Port x, std::string_view name, std::int64_t out, std::int64_t k) const
    {
        return conv(x, name, out, {.kernel = {k, 1}});
    }
    Port pooled(Port x, std::int64_t out) const
    {
        return one(b.avgPool(x, "avg_pool2d", {.kernel = 3, .stride = 1, .padding = 1}), "branch_pool", out);
    }
    Port shrunk(Port x) const { return b.maxPool(x, "max_pool2d", {.kernel = 3, .stride = 2}); }

    Port a(Port x, const char* name, std::int64_t pool) const  // figure 5, with a 5x5 branch
    {
        const auto scope = b.scope(name);
        const Port single = one(x, "branch1x1", 64);
        const Port five = conv(one(x, "branch5x5_1", 48), "branch5x5_2", 64, {.kernel = 5});
        Port twice = three(one(x, "branch3x3dbl_1", 64), "branch3x3dbl_2", 96);
        twice = three(twice, "branch3x3dbl_3", 96);
        return b.concat({single, five, twice, pooled(x, pool)});
    }

    Port reduceA(Port x, const char* name) const  // figure 10
    {
        const auto scope = b.scope(name);
        const Port single = valid(x, "branch3x3", 384, 2);
        const Port twice = three(one(x, "branch3x3dbl_1", 64), "branch3x3dbl_2", 96);
        return b.concat({single, valid(twice, "branch3x3dbl_3", 96, 2), shrunk(x)});
    }

    Port c(Port x, const char* name, std::int64_t seven) const  // figure 6
    {
        const auto scope = b.scope(name);
        const Port single = one(x, "branch1x1", 192);
        Port once = wide(one(x, "branch7x7_1", seven), "branch7x7_2", seven, 7);
        once = tall(once, "branch7x7_3", 192, 7);
        Port twice = tall(one(x, "branch7x7dbl_1", seven), "branch7x7dbl_2", seven, 7);
        twice = tall(wide(twice, "branch7x7dbl_3", seven, 7), "branch7x7dbl_4", seven, 7);
        twice = wide(twice, "branch7x7dbl_5", 192, 7);
        return b.concat({single, once, twice, pooled(x, 192)});
    }

    Port reduceC(Port x, const char* name) const
    {
        const auto scope = b.scope(name);
        const Port three = valid(one(x, "branch3x3_1", 192), "branch3x3_2", 320, 2);
        Port seven = wide(one(x, "branch7x7x3_1", 192), "branch7x7x3_2", 192, 7);
        seven = valid(tall(seven, "branch7x7x3_3", 192, 7), "branch7x7x3_4", 192, 2);
        return b.concat({three, seven, shrunk(x)});
    }

    Port e(Port x, const char* name) const  // figure 7
    {
        const auto scope = b.scope(name);
        const Port single = one(x, "branch1x1", 320);
        const Port once = crossed(one(x, "branch3x3_1", 384), "branch3x3_2");
        const Port twice = crossed(three(one(x, "branch3x3dbl_1", 448), "branch3x3dbl_2", 384), "branch3x3dbl_3");
        return b.concat({single, once, twice, pooled(x, 192)});
    }
    Port crossed(Port x, const std::string& name) const  // 1x3 beside 3x1
    {
        const Port a = wide(x, name + "a", 384, 3);
        return b.concat({a, tall(x, name + "b", 384, 3)});
    }
};

Port inception(Builder& b, Port x, const Parameters& p)
{
    const Inception net{b, p};
    b.setNorm(1e-3);
    x = net.valid(x, "Conv2d_1a_3x3", 32, 2);
    x = net.three(net.valid(x, "Conv2d_2a_3x3", 32, 1), "Conv2d_2b_3x3", 64);
    x = b.maxPool(x, "maxpool1", {.kernel = 3, .stride = 2});
    x = net.valid(net.one(x, "Conv2d_3b_1x1", 80), "Conv2d_4a_3x3", 192, 1);
    x = b.maxPool(x, "maxpool2", {.kernel = 3, .stride = 2});
    x = net.a(x, "Mixed_5b", 32);
    x = net.a(x, "Mixed_5c", 64);
    x = net.a(x, "Mixed_5d", 64);
    x = net.reduceA(x, "Mixed_6a");
    x = net.c(x, "Mixed_6b", 128);
    x = net.c(x, "Mixed_6c", 160);
    x = net.c(x, "Mixed_6d", 160);
    x = net.c(x, "Mixed_6e", 192);
    x = net.reduceC(x, "Mixed_7a");
    x = net.e(x, "Mixed_7b");
    x = net.e(x, "Mixed_7c");
    x = b.dropout(b.adaptiveAvgPool(x, "avgpool", 1), "dropout");
    return b.linear(b.flatten(x), "fc", p.classes());
}

}  // namespace

std::vector<Recipe> inceptionRecipes()
{
    return {{{"inception_v3", "Inception", 2015, "arXiv 1512.00567", 299, "Factorised kernels: 1x7 and 7x1 layers."},
             1000,
             {kWidth},
             inception}};
}

}  // namespace fovea::zoo
