#include "core/recipe/schedule.h"

#include <gtest/gtest.h>

namespace fovea {
namespace {

Recipe recipeOf(const char* sched)
{
    Recipe recipe;
    recipe.sched = sched;
    recipe.lr = 0.4;
    recipe.epochs = 2;
    return recipe;
}

// torch.optim.lr_scheduler.OneCycleLR(max_lr=0.4, total_steps=20, cycle_momentum=False) of PyTorch 1.13.
TEST(Schedule, OneCycleIsPyTorchs)
{
    const double rates[] = {
        0.016,          0.05266873708,   0.14866873708,   0.26733126292,   0.36333126292,    0.4,       0.394985602494,
        0.380193852805, 0.356366471028,  0.32469826158,   0.286777200717,  0.244504808775,   0.2000008, 0.155496791225,
        0.113224399283, 0.0753033384201, 0.0436351289716, 0.0198077471946, 0.00501599750597, 1.6e-06};
    for (int step = 0; step < 20; ++step)
        EXPECT_NEAR(learningRate(recipeOf("onecycle"), step, 10), rates[step], 1e-11) << step;
}

// Seven of twenty steps are a pct_start of 0.35.
TEST(Schedule, AWarmUpSaysHowLongOneCycleRises)
{
    Recipe recipe = recipeOf("onecycle");
    recipe.warmupEpochs = 0.7;
    EXPECT_DOUBLE_EQ(learningRate(recipe, 6, 10), 0.4);
    EXPECT_LT(learningRate(recipe, 5, 10), 0.4);
    EXPECT_DOUBLE_EQ(learningRate(recipe, 3, 10), (0.4 + 0.016) / 2);
    EXPECT_NEAR(learningRate(recipe, 19, 10), 1.6e-06, 1e-15);
}

TEST(Schedule, CosineFallsFromTheRateToTheLowestOne)
{
    Recipe recipe = recipeOf("cosine");
    recipe.minLr = 0.1;
    EXPECT_DOUBLE_EQ(learningRate(recipe, 0, 10), 0.4);
    EXPECT_DOUBLE_EQ(learningRate(recipe, 10, 10), 0.25);  // half way
    EXPECT_NEAR(learningRate(recipe, 5, 10), 0.1 + 0.15 * (1 + 0.70710678118654752), 1e-15);
    EXPECT_DOUBLE_EQ(learningRate(recipe, 20, 10), 0.1);
}

TEST(Schedule, WarmUpIsALineAndTheScheduleBeginsAfterIt)
{
    Recipe recipe = recipeOf("cosine");
    recipe.warmupEpochs = 0.5;
    recipe.warmupLr = 0;
    EXPECT_DOUBLE_EQ(learningRate(recipe, 0, 10), 0);
    EXPECT_DOUBLE_EQ(learningRate(recipe, 2, 10), 0.16);
    EXPECT_DOUBLE_EQ(learningRate(recipe, 5, 10), 0.4);
}

TEST(Schedule, StepsMultiplyTheRate)
{
    Recipe recipe = recipeOf("step");
    recipe.epochs = 4;
    recipe.decayEpochs = 1;
    recipe.decayRate = 0.5;
    EXPECT_DOUBLE_EQ(learningRate(recipe, 9, 10), 0.4);
    EXPECT_DOUBLE_EQ(learningRate(recipe, 10, 10), 0.2);
    EXPECT_DOUBLE_EQ(learningRate(recipe, 39, 10), 0.05);
    EXPECT_DOUBLE_EQ(learningRate(recipeOf("constant"), 19, 10), 0.4);
}

TEST(Schedule, ARunEndsAtTheSmallerOfEpochsAndSteps)
{
    Recipe recipe;
    recipe.epochs = 3;
    EXPECT_EQ(totalSteps(recipe, 10), 30);
    recipe.maxSteps = 12;
    EXPECT_EQ(totalSteps(recipe, 10), 12);
    recipe.maxSteps = 100;
    EXPECT_EQ(totalSteps(recipe, 10), 30);
}

}  // namespace
}  // namespace fovea
