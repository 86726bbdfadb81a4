#include "app/cli/command.h"

#include "core/base/error.h"
#include "core/base/printable.h"
#include "core/base/spelling.h"
#include "core/graph/first_image.h"
#include "core/io/model/model.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace fovea::cli {

namespace {

// NAME=k3s2p1; layer names may hold '=' themselves, reaches do not.
Graph stateReach(const Graph& graph, const std::string& text)
{
    const std::size_t equals = text.rfind('=');
    if (equals == std::string::npos || equals == 0)
        throw Error(ErrorCode::Usage, "Option '--reach' takes LAYER=REACH such as conv1=k3s2p1, but got '" + text + "'.");
    return withReach(graph, text.substr(0, equals), text.substr(equals + 1));
}

bool isInput(const Graph& graph, const std::string& name)
{
    const Node* node = graph.findByName(name);
    return node && node->kind == "Input";
}

void checkInput(const Graph& graph, const std::string& name)
{
    std::vector<std::string> names;
    for (const auto& node : graph.nodes())
        if (node->kind == "Input") names.push_back(node->name);
    if (!isInput(graph, name))
        throw Error(ErrorCode::Usage, "The network has no input called '" + name + "'." + suggestion(name, names));
    const Ints* shape = graph.findByName(name)->attrs.getInts("shape");
    if (!shape || shape->size() != 4)
        throw Error(ErrorCode::Usage, "Input '" + name + "' is no image: it needs rank 4 (NxCxHxW), but has " + (shape ? std::to_string(shape->size()) : "none") + ".");
}

}  // namespace

Opened openFor(const Arguments& arguments, SideUse use)
{
    // Cheap mistakes first: a wrong option should not cost reading a large file.
    const auto size = arguments.value("--size");
    const Side side = size ? parseSide(*size, "--size") : Side{};
    Opened opened;
    opened.model = openModel(arguments.operand(0));
    opened.options.pointwise = arguments.has("--pointwise");
    opened.graph = opened.model.graph;
    if (const auto input = arguments.value("--input")) {
        if (!isInput(opened.graph, *input) && hasInnerTensor(opened.graph, *input)) {
            if (size || arguments.has("--sizes"))
                throw Error(ErrorCode::Usage, "'" + *input + "' is an inner tensor, which has the file's own size; leave out " + (size ? "'--size'." : "'--sizes'."));
            opened.graph = withInnerImage(opened.graph, *input);
        }
        checkInput(opened.graph, *input);
        opened.options.input = *input;
    }
    for (const std::string& reach : arguments.values("--reach")) opened.graph = stateReach(opened.graph, reach);
    if (size) opened.graph = withSide(opened.graph, side.h, side.w, opened.options.input, use);
    opened.graph = statePreprocessing(std::move(opened.graph), arguments);
    return opened;
}

std::string statedSidesText(const Graph& model, const Graph& written)
{
    const std::vector<std::string> symbols = statedSymbols(model, written);
    const Node* image = symbols.empty() ? nullptr : firstImage(written);
    const auto dims = image ? imageDims(*image) : std::nullopt;
    if (!dims) return {};
    std::string names;
    for (const std::string& symbol : symbols)
        if (symbol != kUnnamed) names += (names.empty() ? " (" : ", ") + symbol;
    const Ints& shape = *image->attrs.getInts("shape");
    return "The file leaves height and width open" + names + (names.empty() ? "" : ")") + "; they are written as " +
           std::to_string(shape[dims->h]) + "x" + std::to_string(shape[dims->w]) + ".\n";
}

std::vector<OptionSpec> joined(std::vector<OptionSpec> options, const std::vector<OptionSpec>& more)
{
    options.insert(options.end(), more.begin(), more.end());
    return options;
}

MemoryOptions memoryOptions(const Arguments& arguments)
{
    MemoryOptions options;
    if (const auto batch = arguments.value("--batch")) options.batch = parseWhole(*batch, "--batch", 1, 1'000'000'000);
    if (const auto element = arguments.value("--element")) {
        const auto type = elementType(*element);
        if (!type) throw Error(ErrorCode::Usage, "Option '--element' takes float32, float16, bfloat16, float64 or int8, but got '" + *element + "'.");
        options.element = *type;
    }
    return options;
}

void refuseOverwrite(const std::string& input, const std::string& output)
{
    namespace fs = std::filesystem;
    std::error_code failed;
    bool same = fs::equivalent(input, output, failed);
    if (failed) same = fs::absolute(input, failed).lexically_normal() == fs::absolute(output, failed).lexically_normal();
    if (same) throw Error(ErrorCode::Usage, "'" + output + "' is the model that is read; choose another name for the output.");
    // A run is a folder.
    if (fs::is_directory(input, failed) && fs::exists(output, failed) &&
        fs::equivalent(fs::absolute(output, failed).parent_path(), input, failed))
        throw Error(ErrorCode::Usage, "'" + output + "' is a file of the run that is read; choose another name for the output.");
}

std::string wroteText(const std::string& path, const std::vector<std::string>& initialised)
{
    std::string out = "Wrote " + path + ".\n";
    if (initialised.empty()) return out;
    out += std::to_string(initialised.size()) + (initialised.size() == 1 ? " tensor" : " tensors") +
           " had no values and were initialised as PyTorch does: ";
    constexpr std::size_t kNamed = 5;
    for (std::size_t i = 0; i < initialised.size() && i < kNamed; ++i) out += (i ? ", " : "") + printable(initialised[i]);
    return out + (initialised.size() > kNamed ? ", ...\n" : "\n");
}

}  // namespace fovea::cli
