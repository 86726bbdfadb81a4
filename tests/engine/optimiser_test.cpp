#include "core/train/mixing.h"
#include "core/train/optimiser.h"

#include <gtest/gtest.h>

namespace fovea {
namespace {

// Three steps on sum(w^2) / 2 + 0.1 (sum(w) - 1)^2, as torch.optim of PyTorch 1.13 does them.
std::vector<float> afterThreeSteps(const Recipe& recipe, bool decays = true)
{
    at::Tensor w = at::tensor({0.5f, -1.0f, 2.0f, 0.25f}).reshape({2, 2}).set_requires_grad(true);
    Optimiser optimiser(recipe, {{"w", w, 1, decays}});
    for (int step = 0; step < 3; ++step) {
        optimiser.clearGradients();
        ((w * w).sum() * 0.5 + at::pow(w.sum() - 1, 2) * 0.1).backward();
        optimiser.step(0.1);
    }
    const at::Tensor flat = w.detach().flatten();
    return {flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()};
}

void expectNear(const std::vector<float>& values, const std::vector<float>& expected)
{
    ASSERT_EQ(values.size(), expected.size());
    for (std::size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(values[i], expected[i], 2e-7) << i;
}

Recipe recipeOf(const char* opt)
{
    Recipe recipe;
    recipe.opt = opt;
    recipe.weightDecay = 0.01;
    return recipe;
}

TEST(Optimiser, SgdIsPyTorchs)
{
    Recipe recipe = recipeOf("sgd");
    expectNear(afterThreeSteps(recipe), {0.116911702f, -0.365877807f, 0.599701107f, 0.0364467725f});
    recipe.nesterov = false;
    expectNear(afterThreeSteps(recipe), {0.185023963f, -0.536962807f, 0.907010674f, 0.0646928325f});
}

TEST(Optimiser, AdamWIsPyTorchs)
{
    expectNear(afterThreeSteps(recipeOf("adamw")), {0.204425126f, -0.698297441f, 1.69519746f, -0.0355364233f});
}

TEST(Optimiser, WhatDoesNotDecayIsLeftOut)
{
    Recipe without = recipeOf("sgd");
    without.weightDecay = 0;
    expectNear(afterThreeSteps(recipeOf("sgd"), false), afterThreeSteps(without));
    EXPECT_NE(afterThreeSteps(recipeOf("sgd")), afterThreeSteps(without));
}

TEST(Optimiser, LayersLearnAtTheirOwnRate)
{
    at::Tensor a = at::ones({1}).set_requires_grad(true), b = at::ones({1}).set_requires_grad(true);
    Recipe recipe;
    recipe.momentum = 0;
    recipe.nesterov = false;
    Optimiser optimiser(recipe, {{"a", a, 1, false}, {"b", b, 0.5, false}});
    (a + b).sum().backward();
    optimiser.step(0.1);
    EXPECT_FLOAT_EQ(a.item<float>(), 0.9f);
    EXPECT_FLOAT_EQ(b.item<float>(), 0.95f);
}

TEST(Optimiser, ClipsAllGradientsTogether)
{
    at::Tensor w = at::tensor({3.0f, 4.0f}).set_requires_grad(true);
    Optimiser optimiser(Recipe{}, {{"w", w}});
    (w * w).sum().backward();
    optimiser.clipGradients(1);
    EXPECT_NEAR(w.grad()[0].item<float>(), 0.599999964f, 1e-7);
    EXPECT_NEAR(w.grad()[1].item<float>(), 0.799999952f, 1e-7);
    optimiser.clipGradients(10);  // already below
    EXPECT_NEAR(w.grad()[1].item<float>(), 0.799999952f, 1e-6);
}

TEST(Mixing, LossIsPyTorchs)
{
    const at::Tensor logits = at::tensor({1.0f, 2.0f, 0.5f, 0.1f, -0.3f, 0.7f}).reshape({2, 3});
    const at::Tensor labels = at::tensor({1, 2}, at::kLong);
    EXPECT_NEAR(mixedLoss(logits, labels, 1, 0.1).item<float>(), 0.6258178949f, 1e-6);
    EXPECT_NEAR(mixedLoss(logits, labels, 0.3, 0.1).item<float>(), 1.4133179188f, 1e-6);
}

TEST(Mixing, IsAFunctionOfSeedAndStep)
{
    const at::Tensor images = at::arange(4 * 3 * 8 * 8, at::kFloat).reshape({4, 3, 8, 8});
    Recipe recipe;
    EXPECT_TRUE(mixBatch(images, recipe, 3).images.is_same(images));
    recipe.mixup = 0.4;
    recipe.cutmix = 1;
    bool cut = false, mixed = false;
    for (std::int64_t step = 0; step < 20; ++step) {
        const Mixed first = mixBatch(images, recipe, step), again = mixBatch(images, recipe, step);
        EXPECT_TRUE(first.images.equal(again.images));
        EXPECT_EQ(first.own, again.own);
        EXPECT_GE(first.own, 0);
        EXPECT_LE(first.own, 1);
        // Every pixel of cutmix is one of the two; its share of own pixels is the label's share.
        const at::Tensor own = first.images.eq(images), partners = first.images.eq(images.flip({0}));
        if (own.logical_or(partners).all().item<bool>()) {
            cut = true;
            EXPECT_NEAR(own.to(at::kDouble).mean().item<double>(), first.own, 1e-9);
        } else {
            mixed = true;
            EXPECT_TRUE(first.images.allclose(images * first.own + images.flip({0}) * (1 - first.own)));
        }
    }
    EXPECT_TRUE(cut);
    EXPECT_TRUE(mixed);
}

}  // namespace
}  // namespace fovea
