#include "app/cli/engine_work.h"
#include "core/base/error.h"
#include "core/data/loader.h"
#include "core/graph/first_image.h"
#include "core/io/json/json_reader.h"
#include "core/io/model/model.h"
#include "core/io/pytorch/export_job.h"
#include "core/ops/classifier.h"
#include "core/ops/folded_norms.h"
#include "core/recipe/run_folder.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <ostream>
#include <set>

namespace fovea::cli {

namespace {

const std::string& help()
{
    static const std::string text = [] {
        std::string out =
            "Trains a network on labelled images, on this machine, into a folder that can be watched and resumed.\n\n"
            "Usage: fovea train MODEL --data SOURCE -o RUN [options]\n"
            "       fovea train RUN --resume [--device NAME] [--epochs N] [--patience N] [--data SOURCE]\n"
            "       fovea train MODEL --data SOURCE --export-job DIR [options]\n"
            "       fovea train MODEL --data SOURCE --find-lr [options]\n\n"
            "  -o RUN               the folder to make: graph, recipe.json, metrics.jsonl, best.safetensors,\n"
            "                       last.safetensors with its state, log.txt\n"
            "  --resume             go on where the run's last checkpoint stands; with more --epochs or another\n"
            "                       --patience also where it has ended; --data: where its images are now\n"
            "  --export-job DIR     write a job for torchrun on other machines instead: model.py, its weights, "
            "train.py\n"
            "  --find-lr            try rising learning rates instead, and suggest one\n"
            "  --preset NAME        quick, fine-tune (default) or scratch; single options win\n"
            "  --data SOURCE        as 'fovea eval --help' says\n"
            "  --size N|HxW         input side; without it the model's own\n"
            "  --device NAME        auto (default), cpu, cuda, cuda:1\n"
            "  --json               the result as JSON (schema fovea.train/1)\n\n"
            "How images are prepared, where the model does not say it or is to say something else; without that, mean "
            "and\n"
            "deviation are taken from the images:\n";
        out += kPreprocessingHelp;
        out += "\nCtrl+C stops within one batch and writes a checkpoint.\n";
        std::string group;
        for (const RecipeOption& option : recipeOptions()) {
            if (group != option.group) out += "\n" + (group = option.group) + "\n";
            std::string line = std::string("  --") + option.name;
            const bool isFlag = std::holds_alternative<bool Recipe::*>(option.member);
            line += isFlag ? std::string(", --no-") + option.name : " VALUE";
            line.resize(std::max<std::size_t>(line.size() + 2, 36), ' ');
            out += line + option.doc + " [" + optionText(recipePreset("fine-tune").recipe, option) + "]\n";
        }
        out += "\nNames are timm's; what stands in brackets is the fine-tune preset's.\n\n"
               "Example: fovea train refined.onnx --data photos --size 64 -o runs/refined --epochs 20 --amp\n";
        return out;
    }();
    return text;
}

// Every recipe option, and "--no-X" of those that are on or off. The names live as long as the program.
const std::vector<OptionSpec>& recipeSpecs()
{
    static const std::vector<std::string> names = [] {
        std::vector<std::string> out;
        for (const RecipeOption& option : recipeOptions()) {
            out.push_back(std::string("--") + option.name);
            out.push_back(std::string("--no-") + option.name);
        }
        return out;
    }();
    static const std::vector<OptionSpec> specs = [] {
        std::vector<OptionSpec> out;
        for (std::size_t i = 0; i < recipeOptions().size(); ++i) {
            const bool isFlag = std::holds_alternative<bool Recipe::*>(recipeOptions()[i].member);
            out.push_back({names[2 * i].c_str(), !isFlag});
            if (isFlag) out.push_back({names[2 * i + 1].c_str()});
        }
        return out;
    }();
    return specs;
}

Recipe recipeFrom(const Arguments& arguments)
{
    Recipe recipe = recipePreset(arguments.value("--preset").value_or("fine-tune")).recipe;
    for (const RecipeOption& option : recipeOptions()) {
        const std::string name = std::string("--") + option.name;
        if (std::holds_alternative<bool Recipe::*>(option.member)) {
            if (arguments.has(name)) setOption(recipe, option, "true");
            if (arguments.has(std::string("--no-") + option.name)) setOption(recipe, option, "false");
        } else if (const auto value = arguments.value(name)) {
            setOption(recipe, option, *value);
        }
    }
    // A preset's warm-up is for its own number of epochs.
    if (!arguments.has("--warmup-epochs"))
        recipe.warmupEpochs = std::min(recipe.warmupEpochs, static_cast<double>(recipe.epochs) / 5);
    checkRecipe(recipe);
    return recipe;
}

int report(const TrainReply& reply, const std::string& run, bool json, std::ostream& out, std::ostream& notes)
{
    tellBroken(reply.broken, notes);
    if (json) {
        Json text = toJson(reply);
        text["schema"] = "fovea.train/1";
        text["run"] = textJson(run);
        out << jsonLine(text) << "\n";
        return 0;
    }
    out << reply.reason << "\n";
    if (reply.bestTop1)
        out << "best top-1    " << percent(*reply.bestTop1) << " in epoch " << reply.bestEpoch + 1 << "\n"
            << "weights       " << RunFolder{run}.best().string() << "\n";
    return 0;
}

int findRate(EngineClient& engine, const Arguments& arguments, const Recipe& recipe, std::ostream& out,
             std::ostream& notes)
{
    RateRequest request;
    request.data = *arguments.value("--data");
    request.recipe = recipe;
    const auto reply = engine.ask<RateReply>(request, tellTo(notes));
    tellBroken(reply.broken, notes);
    if (arguments.has("--json")) {
        Json text = toJson(reply);
        text["schema"] = "fovea.rates/1";
        out << jsonLine(text) << "\n";
        return 0;
    }
    for (std::size_t i = 0; i < reply.rates.size(); i += std::max<std::size_t>(reply.rates.size() / 20, 1)) {
        char line[64];
        std::snprintf(line, sizeof line, "%-12.3g %.4f\n", reply.rates[i], reply.losses[i]);
        out << line;
    }
    if (reply.suggested) out << "suggested     --lr " << Json(*reply.suggested).dump() << "\n";
    else out << "The loss falls at none of these rates.\n";
    return 0;
}

int exportJob(const Opened& opened, const std::string& model, const std::string& data, const Recipe& recipe,
              const std::string& folder, std::ostream& out, std::ostream& notes)
{
    const DataParts parts =
        openData(data, {.validation = recipe.valSplit, .seed = static_cast<std::uint64_t>(recipe.seed)});
    refuseOneClass(parts, data);
    std::vector<std::string> fresh;
    ExportJob job;
    job.recipe = recipe;
    if (recipe.hflip > 0 && !parts.train->canBeMirrored()) {
        job.recipe.hflip = 0;
        notes << "Images are not mirrored: in this data a mirrored image is of another class.\n";
    }
    job.graph = withClasses(withPreprocessing(opened.graph, *parts.train),
                            static_cast<std::int64_t>(parts.train->classes().size()), &fresh);
    job.weights = without(opened.model.weights, fresh);
    job.info.name = opened.graph.name();
    job.info.data = absoluteSource(data);
    job.info.from = model;
    job.info.classes = parts.train->classes();
    job.info.images = {parts.train->size(), parts.validation->size()};
    for (const auto& node : job.graph.nodes())
        if (isImage(*node)) job.info.size = {imageShape(*node)[2], imageShape(*node)[3]};
    writeExportJob(folder, job);
    notes << "Tensors of " << model << ": " << transferText(planStart(job.graph, job.weights)) << "\n";
    if (const std::size_t folded = recipe.unfoldNorms ? foldedConvolutions(job.graph).size() : 0)
        notes << "train.py leaves norms folded that an exporter folded into convolutions (" << folded
              << " here): 'fovea recalibrate MODEL --unfold' puts them back first.\n";
    out << "Wrote the job '" << folder << "'; its README.txt says how to run it.\n";
    return 0;
}

// What the engine has written before it died is a run that goes on.
TrainReply trained(EngineClient& engine, const TrainRequest& request, std::ostream& notes)
{
    try {
        return engine.ask<TrainReply>(request, tellTo(notes));
    } catch (const Error& error) {
        std::error_code none;
        if (error.code() != ErrorCode::Internal || !std::filesystem::exists(RunFolder{request.run}.last(), none)) throw;
        throw Error(ErrorCode::Internal, std::string(error.what()) + " 'fovea train " + request.run +
                                             " --resume' goes on from the last checkpoint.");
    }
}

int resume(const Arguments& arguments, std::ostream& out, std::ostream& notes)
{
    const std::string& model = arguments.operand(0);
    if (!isRunFolder(model))
        throw Error(ErrorCode::Usage,
                    "'" + model + "' holds no training run: 'fovea train RUN --resume' goes on with one.");
    const std::set<std::string> further{"--epochs", "--patience"};
    for (const OptionSpec& option : joined({{"--size"}, {"-o"}, {"--preset"}, {"--find-lr"}, {"--export-job"}},
                                           joined(kPreprocessingOptions, recipeSpecs())))
        if (arguments.has(option.name) && !further.contains(option.name))
            throw Error(ErrorCode::Usage, "Option '" + std::string(option.name) +
                                              "' cannot be given with '--resume': a run goes on with the recipe "
                                              "that it began with.");
    TrainRequest request;
    request.run = model;
    request.resume = true;
    request.device = arguments.value("--device").value_or("auto");
    if (const auto data = arguments.value("--data")) request.data = absoluteSource(*data);
    const auto number = [&](const char* name, std::int64_t& value, std::int64_t Recipe::*member) {
        if (!arguments.has(std::string("--") + name)) return;
        Recipe recipe;
        setOption(recipe, *findRecipeOption(name), *arguments.value(std::string("--") + name));
        value = recipe.*member;
    };
    number("epochs", request.epochs, &Recipe::epochs);
    number("patience", request.patience, &Recipe::patience);
    const auto engine = startEngine();
    return report(trained(*engine, request, notes), model, arguments.has("--json"), out, notes);
}

int run(const std::vector<std::string>& words, std::ostream& out, std::ostream& notes)
{
    const Arguments arguments("train", words,
                              joined({{"--data", true},
                                      {"--size", true},
                                      {"-o", true},
                                      {"--resume"},
                                      {"--find-lr"},
                                      {"--export-job", true},
                                      {"--preset", true},
                                      {"--device", true},
                                      {"--json"}},
                                     joined(kPreprocessingOptions, recipeSpecs())),
                              {"MODEL"});
    const std::string device = arguments.value("--device").value_or("auto");
    const std::string& model = arguments.operand(0);
    if (arguments.has("--resume")) return resume(arguments, out, notes);
    const auto data = arguments.value("--data");
    if (!data) throw Error(ErrorCode::Usage, "Option '--data' is missing: it names the images. 'patterns' makes some.");
    const auto folder = arguments.value("-o");
    const auto job = arguments.value("--export-job");
    for (const char* option : {"--device", "--json"})
        if (job && arguments.has(option))
            throw Error(ErrorCode::Usage, std::string("Option '") + option +
                                              "' has no meaning with '--export-job', which trains nothing here.");
    for (const char* option : {"-o", "--find-lr"})
        if (job && arguments.has(option))
            throw Error(ErrorCode::Usage, std::string("Options '--export-job' and '") + option +
                                              "' cannot be given together: one writes a job for other machines, the "
                                              "other trains here.");
    if (folder && arguments.has("--find-lr"))
        throw Error(ErrorCode::Usage, "Options '-o' and '--find-lr' cannot be given together: finding a rate writes nothing.");
    if (!folder && !job && !arguments.has("--find-lr"))
        throw Error(ErrorCode::Usage, "Option '-o' is missing: it names the folder of the run.");
    if (folder && isRunFolder(*folder))
        throw Error(ErrorCode::Usage, "'" + *folder + "' holds a training run already: resume it with 'fovea train " +
                                          *folder + " --resume', or name another folder.");
    const Recipe recipe = recipeFrom(arguments);
    const Opened opened = openFor(arguments, SideUse::Written);
    classifierIn(opened.graph);  // what cannot be trained is said before anything starts
    if (job) return exportJob(opened, model, *data, recipe, *job, out, notes);
    const auto engine = startEngine();
    const LoadReply loaded =
        loadInto(*engine, opened.graph, opened.model.weights, device, static_cast<std::uint64_t>(recipe.seed));
    if (arguments.has("--find-lr")) return findRate(*engine, arguments, recipe, out, notes);
    TrainRequest request;
    request.run = *folder;
    request.data = *data;
    request.recipe = recipe;
    request.name = opened.graph.name();
    request.from = loaded.given > 0 ? model : "";
    return report(trained(*engine, request, notes), *folder, arguments.has("--json"), out, notes);
}

}  // namespace

const Command kTrain{"train", "train or fine-tune on labelled images", help().c_str(), run, true};

}  // namespace fovea::cli
