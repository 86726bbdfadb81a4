// How a network is trained: every setting, under the name that timm
// (https://github.com/huggingface/pytorch-image-models) gives it. One table of options drives the command line,
// recipe.json and the studio's form.
#pragma once

#include "core/io/json/json_reader.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace fovea {

struct Recipe {
    // Optimiser. Norms' and biases' parameters (all of one dimension) are never decayed.
    std::string opt = "sgd";  // "sgd" or "adamw"
    double lr = 0.05, momentum = 0.9;
    bool nesterov = true;
    double beta1 = 0.9, beta2 = 0.999, optEps = 1e-8;  // AdamW
    double weightDecay = 1e-4;
    double clipGrad = 0;    // largest norm of all gradients together; 0: not clipped
    double layerDecay = 1;  // learning rate of each layer as a share of the next one's; 1: the same everywhere
    std::string freeze;     // this layer, or group, and all before it stay as they are, norms in eval mode; empty: none

    // Schedule, in epochs, evaluated at every step (schedule.h).
    std::string sched = "cosine";  // "cosine", "step", "constant", "onecycle"
    std::int64_t epochs = 10;
    double warmupEpochs = 0, warmupLr = 1e-5, minLr = 1e-5;
    double decayEpochs = 30, decayRate = 0.1;  // step
    std::int64_t maxSteps = 0;                 // ends there too; 0: no such limit

    // Data
    std::int64_t batchSize = 64;
    double valSplit = 0.2;
    double hflip = 0.5;
    double scaleMin = 1, scaleMax = 1;  // area of a random resized crop
    double ratioMin = 1, ratioMax = 1;
    std::int64_t cropPad = 0;  // pixels of zeros around the image before a random crop
    std::int64_t workers = 0;  // 0: as many as there are processors, less one

    // Loss and regularisation
    double smoothing = 0;
    double mixup = 0, cutmix = 0;  // alpha of the beta distribution; 0: off
    double mixupProb = 1, mixupSwitchProb = 0.5;
    bool modelEma = false;
    double modelEmaDecay = 0.999;

    // Running
    bool amp = false, channelsLast = false;
    bool unfoldNorms = true;    // norms that an exporter folded into convolutions are put back first
    std::int64_t patience = 0;  // epochs without a better top-1 before it stops early; 0: never
    std::int64_t seed = 42;
    std::int64_t logInterval = 20;        // steps between two lines of metrics
    std::int64_t checkpointInterval = 0;  // steps between two checkpoints inside an epoch; 0: at its end only
    bool tensorboard = false;             // event files beside metrics.jsonl

    bool operator==(const Recipe&) const = default;
};

struct RecipeOption {
    using Member = std::variant<double Recipe::*, std::int64_t Recipe::*, bool Recipe::*, std::string Recipe::*>;
    const char* name;  // as on the command line, without its dashes: "weight-decay"; underscores in JSON
    Member member;
    double low = 0, high = 0;               // inclusive; numbers only
    std::vector<const char*> choices = {};  // texts only; empty: any
    const char* group;                      // heading in the form: "Optimiser", "Schedule", ...
    const char* doc;                        // one sentence, with the unit
};

std::span<const RecipeOption> recipeOptions();
const RecipeOption* findRecipeOption(std::string_view name);  // null where there is none

std::string optionText(const Recipe& recipe, const RecipeOption& option);
// Error(Usage) where the text is no value of the option, or out of its range.
void setOption(Recipe& recipe, const RecipeOption& option, const std::string& text);

// What no single option shows: Error(Usage) with what to change.
void checkRecipe(const Recipe& recipe);

Json toJson(const Recipe& recipe);
void read(const JsonAt& at, Recipe& out);  // what is absent keeps its default. Error(Format)

struct RecipePreset {
    const char* name;   // "quick", "fine-tune", "scratch"
    const char* title;  // "Quick check"
    const char* doc;
    Recipe recipe;
};
std::span<const RecipePreset> recipePresets();
const RecipePreset& recipePreset(std::string_view name);  // Error(Usage) with the names there are

}  // namespace fovea
