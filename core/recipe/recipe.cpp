#include "core/recipe/recipe.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace fovea {

namespace {

constexpr double kMany = 1e9;

const std::vector<RecipeOption>& table()
{
    using R = Recipe;
    static const std::vector<RecipeOption> options = {
        {"opt", &R::opt, 0, 0, {"sgd", "adamw"}, "Optimiser", "SGD with momentum, or AdamW."},
        {"lr", &R::lr, 0, 1e3, {}, "Optimiser", "Learning rate after warm-up."},
        {"momentum", &R::momentum, 0, 0.99999, {}, "Optimiser", "Momentum of SGD."},
        {"nesterov", &R::nesterov, 0, 0, {}, "Optimiser", "Nesterov's momentum instead of the classical one."},
        {"beta1", &R::beta1, 0, 0.99999, {}, "Optimiser", "AdamW's decay of the mean gradient."},
        {"beta2", &R::beta2, 0, 0.9999999, {}, "Optimiser", "AdamW's decay of the mean squared gradient."},
        {"opt-eps", &R::optEps, 1e-16, 1, {}, "Optimiser", "Added to AdamW's denominator."},
        {"weight-decay", &R::weightDecay, 0, 10, {}, "Optimiser", "Weight decay; norms and biases are left out."},
        {"clip-grad", &R::clipGrad, 0, 1e9, {}, "Optimiser", "Largest norm of all gradients together; 0: not clipped."},
        {"layer-decay",
         &R::layerDecay,
         1e-3,
         1,
         {},
         "Optimiser",
         "Learning rate of each layer as a share of the next layer's; 1: the same everywhere."},
        {"freeze", &R::freeze, 0, 0, {}, "Optimiser", "This layer or group, and all before it, stay as they are; empty: none."},
        {"sched",
         &R::sched,
         0,
         0,
         {"cosine", "step", "constant", "onecycle"},
         "Schedule",
         "How the learning rate falls."},
        {"epochs", &R::epochs, 1, 1e6, {}, "Schedule", "Passes over the training images."},
        {"warmup-epochs",
         &R::warmupEpochs,
         0,
         1e6,
         {},
         "Schedule",
         "Epochs in which the learning rate rises to its full value; may be a fraction."},
        {"warmup-lr", &R::warmupLr, 0, 1e3, {}, "Schedule", "Learning rate at the start of warm-up."},
        {"min-lr", &R::minLr, 0, 1e3, {}, "Schedule", "Learning rate at the end of the cosine."},
        {"decay-epochs", &R::decayEpochs, 1e-3, 1e6, {}, "Schedule", "Epochs between two steps of schedule 'step'."},
        {"decay-rate", &R::decayRate, 1e-6, 1, {}, "Schedule", "Factor at each step of schedule 'step'."},
        {"max-steps", &R::maxSteps, 0, kMany, {}, "Schedule", "Ends after this many steps too; 0: no such limit."},
        {"batch-size", &R::batchSize, 1, 65536, {}, "Data", "Images in a step."},
        {"val-split",
         &R::valSplit,
         0.001,
         0.9,
         {},
         "Data",
         "Share of the images kept for validation, where the data has no split of its own."},
        {"hflip", &R::hflip, 0, 1, {}, "Data", "Probability of a horizontal flip."},
        {"scale-min", &R::scaleMin, 0.01, 1, {}, "Data", "Smallest share of the area that a random crop takes."},
        {"scale-max", &R::scaleMax, 0.01, 1, {}, "Data", "Largest share of the area that a random crop takes."},
        {"ratio-min", &R::ratioMin, 0.1, 10, {}, "Data", "Smallest width to height of a random crop."},
        {"ratio-max", &R::ratioMax, 0.1, 10, {}, "Data", "Largest width to height of a random crop."},
        {"crop-pad", &R::cropPad, 0, 512, {}, "Data", "Pixels of zeros around the image before a random crop."},
        {"workers", &R::workers, 0, 256, {}, "Data", "Threads that prepare images; 0: one less than processors."},
        {"smoothing", &R::smoothing, 0, 0.999, {}, "Regularisation", "Label smoothing."},
        {"mixup", &R::mixup, 0, 100, {}, "Regularisation", "Alpha of mixup; 0: off."},
        {"cutmix", &R::cutmix, 0, 100, {}, "Regularisation", "Alpha of cutmix; 0: off."},
        {"mixup-prob", &R::mixupProb, 0, 1, {}, "Regularisation", "Probability that a batch is mixed at all."},
        {"mixup-switch-prob",
         &R::mixupSwitchProb,
         0,
         1,
         {},
         "Regularisation",
         "Probability of cutmix instead of mixup where both are on."},
        {"model-ema",
         &R::modelEma,
         0,
         0,
         {},
         "Regularisation",
         "Keep a moving average of the weights, and evaluate and save that."},
        {"model-ema-decay", &R::modelEmaDecay, 0, 0.9999999, {}, "Regularisation", "Decay of the average per step."},
        {"amp", &R::amp, 0, 0, {}, "Running", "Mixed precision (bfloat16); on a GPU only."},
        {"channels-last", &R::channelsLast, 0, 0, {}, "Running", "Memory order that GPUs' tensor cores like."},
        {"unfold-norms",
         &R::unfoldNorms,
         0,
         0,
         {},
         "Running",
         "Put back the norms that an exporter folded into convolutions, without changing the output."},
        {"patience",
         &R::patience,
         0,
         1e6,
         {},
         "Running",
         "Epochs without a better top-1 before it stops early; 0: never."},
        {"seed", &R::seed, 0, 9e15, {}, "Running", "Of every random decision."},
        {"log-interval", &R::logInterval, 1, 1e6, {}, "Running", "Steps between two lines of metrics."},
        {"checkpoint-interval",
         &R::checkpointInterval,
         0,
         kMany,
         {},
         "Running",
         "Steps between two checkpoints inside an epoch; 0: at its end only."},
        {"tensorboard", &R::tensorboard, 0, 0, {}, "Running", "Write event files for TensorBoard too."},
    };
    return options;
}

std::string keyOf(const RecipeOption& option)
{
    std::string key = option.name;
    std::replace(key.begin(), key.end(), '-', '_');
    return key;
}

std::string numberText(double value)
{
    char buffer[32];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
    return {buffer, end};
}

[[noreturn]] void refuse(const RecipeOption& option, const std::string& text, const std::string& must)
{
    throw Error(ErrorCode::Usage,
                "Option '" + std::string(option.name) + "' must be " + must + ", but is '" + text + "'.");
}

std::string rangeOf(const RecipeOption& option)
{
    const auto text = [&](double limit) {
        const bool isCount = std::holds_alternative<std::int64_t Recipe::*>(option.member);
        return isCount ? std::to_string(static_cast<std::int64_t>(limit)) : numberText(limit);
    };
    return "from " + text(option.low) + " to " + text(option.high);
}

template <typename Number>
Number numberFrom(const RecipeOption& option, const std::string& text, const char* what)
{
    Number value{};
    const char* end = text.data() + text.size();
    const auto [stop, code] = std::from_chars(text.data(), end, value);
    const double real = static_cast<double>(value);
    if (code != std::errc() || stop != end || !(real >= option.low && real <= option.high))
        refuse(option, text, what + rangeOf(option));
    return value;
}

void checkChoice(const RecipeOption& option, const std::string& text)
{
    if (option.choices.empty() ||
        std::any_of(option.choices.begin(), option.choices.end(), [&](const char* choice) { return text == choice; }))
        return;
    std::string names;
    for (const char* choice : option.choices) names += (names.empty() ? "" : ", ") + std::string(choice);
    refuse(option, text, "one of " + names);
}

}  // namespace

std::span<const RecipeOption> recipeOptions() { return table(); }

const RecipeOption* findRecipeOption(std::string_view name)
{
    for (const RecipeOption& option : table())
        if (name == option.name) return &option;
    return nullptr;
}

std::string optionText(const Recipe& recipe, const RecipeOption& option)
{
    return std::visit(
        [&](auto member) -> std::string {
            const auto& value = recipe.*member;
            using Value = std::decay_t<decltype(value)>;
            if constexpr (std::is_same_v<Value, std::string>) return value;
            else if constexpr (std::is_same_v<Value, bool>) return value ? "true" : "false";
            else if constexpr (std::is_same_v<Value, double>) return numberText(value);
            else return std::to_string(value);
        },
        option.member);
}

void setOption(Recipe& recipe, const RecipeOption& option, const std::string& text)
{
    std::visit(
        [&](auto member) {
            auto& value = recipe.*member;
            using Value = std::decay_t<decltype(value)>;
            if constexpr (std::is_same_v<Value, std::string>) {
                checkChoice(option, text);
                value = text;
            } else if constexpr (std::is_same_v<Value, bool>) {
                if (text != "true" && text != "false") refuse(option, text, "true or false");
                value = text == "true";
            } else if constexpr (std::is_same_v<Value, double>) {
                value = numberFrom<double>(option, text, "a number ");
            } else {
                value = numberFrom<std::int64_t>(option, text, "a whole number ");
            }
        },
        option.member);
}

void checkRecipe(const Recipe& recipe)
{
    const auto refused = [](const std::string& sentence) { throw Error(ErrorCode::Usage, sentence); };
    for (const RecipeOption& option : table()) {
        Recipe copy = recipe;
        setOption(copy, option, optionText(recipe, option));
    }
    if (recipe.scaleMin > recipe.scaleMax)
        refused("Option 'scale-min' (" + numberText(recipe.scaleMin) + ") must not be above 'scale-max' (" +
                numberText(recipe.scaleMax) + ").");
    if (recipe.ratioMin > recipe.ratioMax)
        refused("Option 'ratio-min' (" + numberText(recipe.ratioMin) + ") must not be above 'ratio-max' (" +
                numberText(recipe.ratioMax) + ").");
    const bool isResized = recipe.scaleMin != 1 || recipe.scaleMax != 1 || recipe.ratioMin != 1 || recipe.ratioMax != 1;
    if (recipe.cropPad > 0 && isResized)
        refused("Option 'crop-pad' is for crops of the image's own size: set 'scale-min', 'scale-max', 'ratio-min' and "
                "'ratio-max' to 1, or leave it out.");
    if (recipe.nesterov && recipe.opt == "sgd" && recipe.momentum == 0)
        refused("Nesterov's momentum needs a momentum: set 'momentum' above 0, or 'nesterov' to false.");
    if (recipe.warmupEpochs >= static_cast<double>(recipe.epochs))
        refused("The warm-up of " + numberText(recipe.warmupEpochs) + " epochs must be shorter than the " +
                std::to_string(recipe.epochs) + " epochs of the whole run.");
}

Json toJson(const Recipe& recipe)
{
    Json out = Json::object();
    for (const RecipeOption& option : table())
        std::visit([&](auto member) { out[keyOf(option)] = recipe.*member; }, option.member);
    return out;
}

void read(const JsonAt& at, Recipe& out)
{
    at.object();
    for (const RecipeOption& option : table()) {
        const std::string key = keyOf(option);
        const auto found = at.find(key.c_str());
        if (!found) continue;
        std::visit(
            [&](auto member) {
                auto& value = out.*member;
                using Value = std::decay_t<decltype(value)>;
                if constexpr (std::is_same_v<Value, std::string>) value = found->text();
                else if constexpr (std::is_same_v<Value, bool>) value = found->boolean();
                else if constexpr (std::is_same_v<Value, double>) value = found->real(option.low, option.high);
                else
                    value =
                        found->integer(static_cast<std::int64_t>(option.low), static_cast<std::int64_t>(option.high));
            },
            option.member);
        if (!option.choices.empty()) {
            try {
                checkChoice(option, optionText(out, option));
            } catch (const Error& error) {
                throw Error(ErrorCode::Format, error.what());
            }
        }
    }
}

}  // namespace fovea
