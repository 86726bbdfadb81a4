#include "core/recipe/recipe.h"

#include <gtest/gtest.h>

#include <set>

namespace fovea {
namespace {

std::string refusal(const std::function<void()>& body)
{
    try {
        body();
    } catch (const Error& error) {
        return error.what();
    }
    return {};
}

Recipe recipeFrom(const Json& json)
{
    Recipe out;
    read(JsonAt(json), out);
    return out;
}

// Another value than the default for every option, so that one that is forgotten anywhere is seen.
Recipe changedRecipe()
{
    Recipe recipe;
    for (const RecipeOption& option : recipeOptions()) {
        std::string text = "true";
        if (std::holds_alternative<bool Recipe::*>(option.member))
            text = optionText(recipe, option) == "true" ? "false" : "true";
        else if (!option.choices.empty()) text = option.choices.back();
        else if (std::holds_alternative<std::string Recipe::*>(option.member)) text = "layer1.0";
        else if (std::holds_alternative<double Recipe::*>(option.member))
            text = optionText(recipe, option) == "0.5" ? "0.25" : "0.5";
        else text = "3";
        setOption(recipe, option, text);
        EXPECT_NE(optionText(recipe, option), optionText(Recipe{}, option)) << option.name;
        EXPECT_EQ(optionText(recipe, option), text) << option.name;
    }
    return recipe;
}

TEST(Recipe, EveryOptionSurvivesJson)
{
    const Recipe recipe = changedRecipe();
    EXPECT_EQ(recipeFrom(toJson(recipe)), recipe);
    EXPECT_EQ(recipeFrom(parseJson(toJson(recipe).dump())), recipe);
}

TEST(Recipe, EveryOptionHasADocAndANameOfItsOwn)
{
    std::set<std::string> names;
    for (const RecipeOption& option : recipeOptions()) {
        EXPECT_TRUE(names.insert(option.name).second) << option.name;
        EXPECT_GT(std::string(option.doc).size(), 10u) << option.name;
        EXPECT_EQ(std::string(option.doc).back(), '.') << option.name;
        EXPECT_EQ(findRecipeOption(option.name), &option);
    }
    EXPECT_EQ(toJson(Recipe{}).size(), names.size());
}

TEST(Recipe, WhatIsAbsentKeepsItsDefault) { EXPECT_EQ(recipeFrom(Json{{"unknown", 1}}), Recipe{}); }

TEST(Recipe, ValuesOutOfRangeAreRefusedWithTheRange)
{
    Recipe recipe;
    EXPECT_EQ(refusal([&] { setOption(recipe, *findRecipeOption("epochs"), "0"); }),
              "Option 'epochs' must be a whole number from 1 to 1000000, but is '0'.");
    EXPECT_EQ(refusal([&] { setOption(recipe, *findRecipeOption("sched"), "linear"); }),
              "Option 'sched' must be one of cosine, step, constant, onecycle, but is 'linear'.");
    EXPECT_EQ(refusal([&] { setOption(recipe, *findRecipeOption("amp"), "yes"); }),
              "Option 'amp' must be true or false, but is 'yes'.");
    EXPECT_EQ(refusal([&] { setOption(recipe, *findRecipeOption("lr"), "nan"); }),
              "Option 'lr' must be a number from 0 to 1000, but is 'nan'.");
    EXPECT_EQ(refusal([] {
                  recipeFrom(Json{{"smoothing", 1.5}});
              }),
              "smoothing must lie between 0.0 and 0.999, but is 1.5.");
    EXPECT_EQ(refusal([] { recipeFrom(Json{{"opt", 3}}); }), "opt must be a string, but is a whole number.");
    EXPECT_NE(refusal([] { recipeFrom(Json{{"opt", "lion"}}); }), "");
}

TEST(Recipe, PaddingBesideRandomResizedCropsIsRefused)
{
    Recipe recipe;
    recipe.cropPad = 4;
    EXPECT_NO_THROW(checkRecipe(recipe));
    recipe.scaleMin = 0.5;
    EXPECT_EQ(refusal([&] { checkRecipe(recipe); }),
              "Option 'crop-pad' is for crops of the image's own size: set 'scale-min', 'scale-max', 'ratio-min' and "
              "'ratio-max' to 1, or leave it out.");
}

TEST(Recipe, WhatNoSingleOptionShowsIsRefused)
{
    Recipe recipe;
    recipe.warmupEpochs = 10;
    EXPECT_EQ(refusal([&] { checkRecipe(recipe); }),
              "The warm-up of 10 epochs must be shorter than the 10 epochs of the whole run.");
    recipe = {};
    recipe.momentum = 0;
    EXPECT_NE(refusal([&] { checkRecipe(recipe); }), "");
    recipe = {};
    recipe.scaleMin = 0.9;
    recipe.scaleMax = 0.5;
    EXPECT_NE(refusal([&] { checkRecipe(recipe); }), "");
}

TEST(Recipe, PresetsAreSound)
{
    EXPECT_EQ(recipePresets().size(), 3u);
    for (const RecipePreset& preset : recipePresets()) EXPECT_NO_THROW(checkRecipe(preset.recipe)) << preset.name;
    EXPECT_TRUE(recipePreset("fine-tune").recipe.unfoldNorms);
    EXPECT_EQ(refusal([] { recipePreset("slow"); }), "There is no preset 'slow'; there are quick, fine-tune, scratch.");
}

}  // namespace
}  // namespace fovea
