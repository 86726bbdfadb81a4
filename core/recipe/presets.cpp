#include "core/recipe/recipe.h"

namespace fovea {

namespace {

Recipe quick()
{
    Recipe recipe;
    recipe.epochs = 3;
    recipe.sched = "onecycle";
    recipe.logInterval = 5;
    return recipe;
}

// A tenth of the rate from scratch, and little noise: the weights are good already.
Recipe fineTune()
{
    Recipe recipe;
    recipe.lr = 0.005;
    recipe.epochs = 15;
    recipe.warmupEpochs = 1;
    recipe.warmupLr = 1e-4;
    recipe.smoothing = 0.1;
    recipe.scaleMin = 0.6;
    recipe.ratioMin = 0.75;
    recipe.ratioMax = 4.0 / 3;
    recipe.clipGrad = 5;
    recipe.patience = 5;
    recipe.modelEma = true;
    recipe.modelEmaDecay = 0.99;
    return recipe;
}

Recipe scratch()
{
    Recipe recipe;
    recipe.lr = 0.1;
    recipe.epochs = 60;
    recipe.warmupEpochs = 3;
    recipe.warmupLr = 1e-3;
    recipe.weightDecay = 5e-4;
    recipe.smoothing = 0.1;
    recipe.scaleMin = 0.5;
    recipe.ratioMin = 0.75;
    recipe.ratioMax = 4.0 / 3;
    recipe.mixup = 0.2;
    recipe.unfoldNorms = false;
    return recipe;
}

}  // namespace

std::span<const RecipePreset> recipePresets()
{
    static const RecipePreset presets[] = {
        {"quick", "Quick check", "Three epochs: does it learn at all, and how fast?", quick()},
        {"fine-tune", "Fine-tune", "Goes on from the weights that are there: small rate, warm-up, average of weights.",
         fineTune()},
        {"scratch", "From scratch", "New weights, a long cosine, mixup.", scratch()},
    };
    return presets;
}

const RecipePreset& recipePreset(std::string_view name)
{
    std::string names;
    for (const RecipePreset& preset : recipePresets()) {
        if (name == preset.name) return preset;
        names += (names.empty() ? "" : ", ") + std::string(preset.name);
    }
    throw Error(ErrorCode::Usage, "There is no preset '" + std::string(name) + "'; there are " + names + ".");
}

}  // namespace fovea
