// Zoph, Vasudevan, Shlens, Le: "Learning Transferable Architectures for Scalable Image Recognition",
// arXiv 1707.07012, figure 4 and appendix A.4 (NASNet-A, 4 @ 1056), named as the PyTorch port of the published
// weights is (pretrainedmodels, timm). Poolings and convolutions of stride 2 that "SAME" pads at the end only are
// written there, and here, as one more unit at the beginning that is cut off again.
#include "core/zoo/blocks.h"
#include "core/zoo/recipe.h"

#include <limits>
#include <utility>

namespace fovea::zoo {

namespace {

constexpr std::int64_t kEnd = std::numeric_limits<std::int64_t>::max();

struct Cells {
    Builder& b;

    // One more unit at the beginning, cut off again behind a layer of stride 2.
    Port padBefore(Port x, std::string_view name) const
    {
        return b.add("ZeroPad2d", name, {x}, {{"padding", Ints{1, 1, 0, 0}}});
    }
    Port withoutFirst(Port x, std::string_view name = "getitem") const
    {
        return b.add("Slice", name, {x},
                     {{"dim", Ints{2, 3}}, {"start", Ints{1, 1}}, {"end", Ints{kEnd, kEnd}}, {"step", Ints{1, 1}}});
    }

    Port pool(Port x, const std::string& name, bool average, std::int64_t stride) const
    {
        const Pool pool{.kernel = 3, .stride = stride, .padding = 1, .countIncludePad = false};
        return average ? b.avgPool(x, name, pool) : b.maxPool(x, name, pool);
    }
    Port shiftedPool(Port x, const std::string& name, bool average) const
    {
        const auto scope = b.scope(name);
        return withoutFirst(pool(padBefore(x, "pad"), "pool", average, 2));
    }

    Port convNorm(Port x, const std::string& name, std::int64_t out) const
    {
        const auto scope = b.scope(name);
        return b.batchNorm(b.conv(b.relu(x), "conv", {.out = out, .kernel = 1}), "bn");
    }

    Port separable(Port x, std::string_view name, std::int64_t in, const Conv& conv) const
    {
        const auto scope = b.scope(name);
        x = b.conv(x, "depthwise_conv2d", depthwise(in, conv.kernel, conv.stride));
        return b.conv(x, "pointwise_conv2d", {.out = conv.out, .kernel = 1});
    }

    struct Branch {
        std::int64_t in, middle, out, kernel, stride = 1;
        bool shifted = false;
    };
    // Two separable convolutions, each behind a ReLU.
    Port branch(Port x, const std::string& name, const Branch& branch) const
    {
        const auto scope = b.scope(name);
        x = b.relu(x);
        if (branch.shifted) x = padBefore(x, "padding");
        x = separable(x, "separable_1", branch.in,
                      {.out = branch.middle, .kernel = branch.kernel, .stride = branch.stride});
        if (branch.shifted) x = withoutFirst(x);
        x = b.relu(b.batchNorm(x, "bn_sep_1"), "relu1");
        x = separable(x, "separable_2", branch.middle, {.out = branch.out, .kernel = branch.kernel});
        return b.batchNorm(x, "bn_sep_2");
    }
    Port square(Port x, const std::string& name, std::int64_t filters, std::int64_t kernel) const
    {
        return branch(x, name, {filters, filters, filters, kernel});
    }

    // Two 1x1 convolutions of every second unit, the second one unit further on.
    Port factorised(Port x, std::int64_t filters) const
    {
        const auto path = [&](Port from, const char* name) {
            const auto scope = b.scope(name);
            from = b.avgPool(from, "avgpool", {.kernel = 1, .stride = 2, .countIncludePad = false});
            return b.conv(from, "conv", {.out = filters / 2, .kernel = 1});
        };
        x = b.relu(x);
        const Port first = path(x, "path_1");
        Port shifted = b.add("ZeroPad2d", "path_2.pad", {x}, {{"padding", Ints{0, 0, 1, 1}}});
        shifted = withoutFirst(shifted, "path_2.getitem");
        return b.batchNorm(b.concat({first, path(shifted, "path_2")}), "final_path_bn");
    }

    // Figure 4 right. `right` reads h[i-1], `left` h[i]; stride 2.
    struct Reduction {
        std::int64_t filters, rightIn;
        bool shifted;
    };
    Port reduction(Port left, Port right, const Reduction& r) const
    {
        const bool s = r.shifted;
        const std::int64_t f = r.filters;
        const auto wide = [&](const char* name, std::int64_t kernel) {
            return branch(right, name, {r.rightIn, f, f, kernel, 2, s});
        };
        const auto pooled = [&](const char* name, bool average) {
            return s ? shiftedPool(left, name, average) : pool(left, name, average, 2);
        };
        const Port left0 = branch(left, "comb_iter_0_left", {f, f, f, 5, 2, s});
        const Port comb0 = b.sum(left0, wide("comb_iter_0_right", 7));
        const Port left1 = pooled("comb_iter_1_left", false);
        const Port comb1 = b.sum(left1, wide("comb_iter_1_right", 7));
        const Port left2 = pooled("comb_iter_2_left", true);
        const Port comb2 = b.sum(left2, wide("comb_iter_2_right", 5));
        const Port comb3 = b.sum(pool(comb0, "comb_iter_3_right", true, 1), comb1);
        const Port left4 = branch(comb0, "comb_iter_4_left", {f, f, f, 3, 1, s});
        const Port comb4 = b.sum(left4, pooled("comb_iter_4_right", false));
        return b.concat({comb1, comb2, comb3, comb4});
    }

    // Figure 4 left.
    Port normal(Port left, Port right, std::int64_t f) const
    {
        const Port left0 = square(right, "comb_iter_0_left", f, 5);
        const Port comb0 = b.sum(left0, square(left, "comb_iter_0_right", f, 3));
        const Port left1 = square(left, "comb_iter_1_left", f, 5);
        const Port comb1 = b.sum(left1, square(left, "comb_iter_1_right", f, 3));
        const Port comb2 = b.sum(pool(right, "comb_iter_2_left", true, 1), left);
        const Port left3 = pool(left, "comb_iter_3_left", true, 1);
        const Port comb3 = b.sum(left3, pool(left, "comb_iter_3_right", true, 1));
        const Port comb4 = b.sum(square(right, "comb_iter_4_left", f, 3), right);
        return b.concat({left, comb0, comb1, comb2, comb3, comb4});
    }

    Port stem0(Port x, std::int64_t stem, std::int64_t f) const
    {
        const auto scope = b.scope("cell_stem_0");
        return reduction(convNorm(x, "conv_1x1", f), x, {f, stem, false});
    }
    Port stem1(Port x, Port before, std::int64_t f) const
    {
        const auto scope = b.scope("cell_stem_1");
        const Port left = convNorm(x, "conv_1x1", f);
        return reduction(left, factorised(before, f), {f, f, true});
    }
    Port reductionCell(Port x, Port before, const std::string& name, std::int64_t f) const
    {
        const auto scope = b.scope(name);
        const Port right = convNorm(before, "conv_prev_1x1", f);
        return reduction(convNorm(x, "conv_1x1", f), right, {f, f, true});
    }
    // `halved`: the map before has twice the side.
    Port normalCell(Port x, Port before, int number, std::int64_t f, bool halved) const
    {
        const auto scope = b.scope("cell_" + std::to_string(number));
        const Port left = halved ? factorised(before, f) : convNorm(before, "conv_prev_1x1", f);
        return normal(left, convNorm(x, "conv_1x1", f), f);
    }
};

Port nasnet(Builder& b, Port x, const Parameters& p)
{
    const Cells cells{b};
    const std::int64_t quarter = p.scaled(11), stem = p.scaled(32);
    b.setNorm(1e-3);
    {
        const auto scope = b.scope("conv0");
        x = b.batchNorm(b.conv(x, "conv", {.out = stem, .kernel = 3, .stride = 2, .padding = 0}), "bn");
    }
    const Port image = x;
    Port before = cells.stem0(image, stem, quarter);
    x = cells.stem1(before, image, 2 * quarter);
    for (int stage = 0; stage < 3; ++stage) {
        const std::int64_t filters = (4 * quarter) << stage;
        if (stage > 0) {
            const Port made = cells.reductionCell(x, before, "reduction_cell_" + std::to_string(stage - 1), filters);
            before = std::exchange(x, made);
        }
        for (int i = 0; i < 4; ++i) {
            const Port made = cells.normalCell(x, before, 6 * stage + i, filters, i == 0);
            before = std::exchange(x, made);
        }
    }
    x = b.flatten(b.adaptiveAvgPool(b.relu(x), "avg_pool", 1));
    return b.linear(b.dropout(x, "dropout"), "last_linear", p.classes());
}

}  // namespace

std::vector<Recipe> nasnetRecipes()
{
    return {{{"nasnet_a_mobile", "NASNet", 2017, "arXiv 1707.07012", 224,
              "Cells of five sums that read the two cells before."},
             1000,
             {kWidth},
             nasnet}};
}

}  // namespace fovea::zoo
