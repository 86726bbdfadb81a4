#include "app/cli/engine_work.h"

#include "app/cli/programs.h"
#include "core/base/error.h"
#include "core/base/printable.h"
#include "core/data/loader.h"
#include "core/graph/first_image.h"
#include "core/io/model/model.h"
#include "core/io/safetensors/safetensors.h"
#include "core/recipe/run_folder.h"

#include <charconv>
#include <cstdio>
#include <filesystem>
#include <ostream>
#include <unistd.h>

namespace fovea::cli {

std::vector<OptionSpec> dataOptions()
{
    return joined({{"--data", true},
                   {"--part", true},
                   {"--images", true},
                   {"--batch-size", true},
                   {"--workers", true},
                   {"--val-split", true},
                   {"--seed", true},
                   {"--device", true}},
                  kPreprocessingOptions);
}

std::string dataHelp()
{
    return std::string(
               "  --data SOURCE        a folder with a folder of images for each class (or train/ and val/ of them), the "
               "binary\n"
               "                       files of CIFAR-10 or CIFAR-100, IDX files as MNIST has them, or "
               "patterns[:key=value,...],\n"
               "                       the built-in generator\n"
               "  --val-split SHARE    kept for validation where the data has no split of its own; without it a run's "
               "own,\n"
               "                       else 0.2\n"
               "  --seed N             of the split; without it a run's own, else 42\n"
               "  --batch-size N       images at once\n"
               "  --workers N          threads that prepare images\n"
               "  --device NAME        auto (default), cpu, cuda, cuda:1\n") +
           kPreprocessingHelp;
}

namespace {

std::string timeText(double seconds)
{
    if (seconds < 0) return "";
    const auto whole = static_cast<long long>(seconds + 0.5);
    char text[48];
    if (whole >= 3600) std::snprintf(text, sizeof text, ", %lld h %02lld min left", whole / 3600, whole / 60 % 60);
    else if (whole >= 60) std::snprintf(text, sizeof text, ", %lld min %02lld s left", whole / 60, whole % 60);
    else std::snprintf(text, sizeof text, ", %lld s left", whole);
    return text;
}

// "cat, dog, 8 more"
std::string listed(const std::vector<std::string>& names)
{
    constexpr std::size_t kMost = 5;
    std::string out;
    for (std::size_t i = 0; i < std::min(names.size(), kMost); ++i) out += (i == 0 ? "" : ", ") + names[i];
    return names.size() > kMost ? out + ", " + std::to_string(names.size() - kMost) + " more" : out;
}

std::string progressText(const Progress& progress)
{
    char text[160];
    const double share =
        progress.total > 0 ? 100.0 * static_cast<double>(progress.done) / static_cast<double>(progress.total) : 0;
    std::snprintf(text, sizeof text, "%s: %lld of %lld (%.0f %%), %.0f images/s%s, %.2f GiB", progress.phase.c_str(),
                  static_cast<long long>(progress.done), static_cast<long long>(progress.total), share,
                  progress.imagesPerSecond, timeText(progress.secondsLeft).c_str(),
                  static_cast<double>(progress.memory) / (1 << 30));
    return text;
}

}  // namespace

TemporaryFile::TemporaryFile()
{
    std::error_code none;
    const std::filesystem::path folder = std::filesystem::temp_directory_path(none);
    std::string name = (folder / "fovea-XXXXXX").string();
    const int descriptor = none ? -1 : ::mkstemp(name.data());
    if (descriptor < 0)
        throw Error(ErrorCode::File, none ? "There is no folder for temporary files: TMPDIR names none."
                                          : "Cannot make a temporary file in '" + folder.string() + "'.");
    ::close(descriptor);
    m_path = name;
}

TemporaryFile::~TemporaryFile()
{
    std::error_code ignored;
    std::filesystem::remove(m_path, ignored);
}

std::unique_ptr<EngineClient> startEngine()
{
    const auto program = findEngine();
    if (!program)
        throw Error(ErrorCode::Usage, "This needs fovea-engine, which is neither beside this program nor on PATH; "
                                      "'fovea doctor' says what to do.");
    return std::make_unique<EngineClient>(*program);
}

LoadReply loadInto(EngineClient& engine, const Graph& graph, const Weights& weights, const std::string& device,
                   std::uint64_t seed)
{
    LoadRequest request;
    request.graph = graph;
    request.device = device;
    request.seed = seed;
    if (weights.empty()) return engine.ask<LoadReply>(request);
    const TemporaryFile file;  // the engine maps it, and keeps the mapping
    writeSafetensors(weights, file.path());
    request.weights = {file.path().string()};
    return engine.ask<LoadReply>(request);
}

EngineClient::Heard tellTo(std::ostream& notes)
{
    const bool overwrites = ::isatty(STDERR_FILENO) != 0;
    return [&notes, overwrites](const std::string& method, const Json& params) {
        if (method == kLogMethod) notes << (overwrites ? "\r\033[K" : "") << messageFrom<Log>(params).text << std::endl;
        if (method == kProgressMethod && overwrites)
            notes << "\r\033[K" << progressText(messageFrom<Progress>(params)) << std::flush;
    };
}

double parseShare(const std::string& text, const std::string& option)
{
    double value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc() || end != text.data() + text.size() || !(value > 0 && value < 1))
        throw Error(ErrorCode::Usage, "Option '" + option + "' takes a share between 0 and 1, but got '" + text + "'.");
    return value;
}

void refuseWithout(const Arguments& arguments, const std::string& needed, const std::vector<OptionSpec>& options)
{
    if (arguments.has(needed)) return;
    for (const OptionSpec& option : options)
        if (arguments.has(option.name))
            throw Error(ErrorCode::Usage,
                        "Option '" + std::string(option.name) + "' has a meaning only together with '" + needed + "'.");
}

void checkDataOfRun(const std::string& model, const DataUse& use, std::ostream& notes)
{
    const RunFolder run{model};
    if (!isRunFolder(run.root)) return;
    const RunInfo info = readRunInfo(run);
    const std::vector<std::string>& own = info.classes;
    const DataParts parts =
        openData(use.source, {.validation = use.validation, .seed = static_cast<std::uint64_t>(use.splitSeed)});
    if (!own.empty() && own != parts.train->classes())
        throw Error(ErrorCode::Usage, "The classes of '" + use.source + "' are not those that the run '" + model +
                                          "' was trained on: " + listed(parts.train->classes()) + " instead of " +
                                          listed(own) + ".");
    const std::array<std::int64_t, 2> images{parts.train->size(), parts.validation->size()};
    if (absoluteSource(use.source) == info.data && info.images != std::array<std::int64_t, 2>{} && images != info.images)
        notes << "'" << use.source << "' has other images than when the run '" << model
              << "' began, so it is split otherwise: some that are scored may be among those it was trained on.\n";
}

DataUse dataUse(const Arguments& arguments)
{
    DataUse out;
    // The images that a run was not trained on are those that its own split kept.
    if (const RunFolder run{arguments.operand(0)}; isRunFolder(run.root)) {
        const Recipe recipe = readRecipe(run.recipe());
        out.validation = recipe.valSplit;
        out.splitSeed = recipe.seed;
    }
    const auto source = arguments.value("--data");
    if (!source)
        throw Error(ErrorCode::Usage, "Option '--data' is missing: it names the images. 'patterns' makes some.");
    out.source = *source;
    const auto count = [&](const char* option, std::int64_t least, std::int64_t most, std::int64_t& value) {
        if (const auto text = arguments.value(option)) value = parseWhole(*text, option, least, most);
    };
    // As a recipe has it, so that what a run was made with can be said again.
    const auto asInRecipe = [&](const char* name, std::int64_t& value) {
        const RecipeOption& option = *findRecipeOption(name);
        count((std::string("--") + name).c_str(), static_cast<std::int64_t>(option.low),
              static_cast<std::int64_t>(option.high), value);
    };
    if (const auto part = arguments.value("--part")) out.part = *part;
    if (const auto share = arguments.value("--val-split")) out.validation = parseShare(*share, "--val-split");
    count("--images", 1, 1'000'000'000, out.images);
    asInRecipe("batch-size", out.batch);
    asInRecipe("workers", out.workers);
    asInRecipe("seed", out.splitSeed);
    return out;
}

std::optional<Other> openOther(const Arguments& arguments, const Graph& first)
{
    const auto name = arguments.value("--against");
    if (!name) return std::nullopt;
    Model model = openModel(*name);
    Other out{*name, std::move(model.graph), std::move(model.weights)};
    const Node* image = imageInput(first);
    if (const Shape shape = image && isImage(*image) ? imageShape(*image) : Shape(); shape.hasRank() && shape[2] > 0 && shape[3] > 0)
        out.graph = withSide(out.graph, shape[2], shape[3], {});
    out.graph = statePreprocessing(std::move(out.graph), arguments);
    return out;
}

std::string percent(double share)
{
    char text[32];
    std::snprintf(text, sizeof text, "%.2f %%", share * 100);
    return text;
}

void tellBroken(const BrokenImages& broken, std::ostream& notes)
{
    if (broken.count == 0) return;
    notes << broken.count << (broken.count == 1 ? " image could not be read and was left out:\n" : " images could not be read and were left out:\n");
    for (const BrokenName& image : broken.named) notes << "  " << printable(image.name) << ": " << printable(image.why) << "\n";
}

}  // namespace fovea::cli
