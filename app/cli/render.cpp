#include "app/cli/command.h"
#include "app/cli/programs.h"
#include "app/cli/renderer.h"
#include "core/base/error.h"

#include <algorithm>
#include <filesystem>
#include <ostream>

namespace fovea::cli {

namespace {

constexpr const char* kHelp =
    "Draws the network or its receptive-field chart into a file.\n\n"
    "Usage: fovea render MODEL --view graph|chart -o FILE.svg|.pdf|.png [--size N|HxW]\n\n"
    "  --view graph|chart   the network as boxes and wires, or the fields of its layers in order\n"
    "  --size N|HxW         input side; without it the model's own\n"
    "  -o FILE              the ending decides the format: .svg, .pdf or .png; what is too large to be read as .png\n"
    "                       is written as the others\n\n"
    "The drawing is done by fovea-studio, which must lie beside this program or on PATH; no display is needed.\n\n"
    "Example: fovea render model.onnx --view chart --size 64 -o chart.svg\n";

std::string checkedOutput(const Arguments& arguments)
{
    const auto output = arguments.value("-o");
    if (!output) throw Error(ErrorCode::Usage, "Option '-o' is missing: it names the picture to write. See 'fovea render --help'.");
    const std::string ending = std::filesystem::path(*output).extension().string();
    if (ending != ".svg" && ending != ".pdf" && ending != ".png")
        throw Error(ErrorCode::Usage, "Cannot draw '" + *output + "': its name must end in .svg, .pdf or .png.");
    refuseOverwrite(arguments.operand(0), *output);
    return *output;
}

std::string checkedView(const Arguments& arguments)
{
    const std::string view = arguments.value("--view").value_or("graph");
    if (view != "graph" && view != "chart") throw Error(ErrorCode::Usage, "Option '--view' takes graph or chart, but got '" + view + "'.");
    return view;
}

int run(const std::vector<std::string>& words, std::ostream& out, std::ostream& notes)
{
    const Arguments arguments("render", words, {{"--view", true}, {"--size", true}, {"-o", true}}, {"MODEL"});
    const std::string output = checkedOutput(arguments);
    std::vector<std::string> child{"--render", arguments.operand(0), "--view", checkedView(arguments), "-o", output};
    if (const auto size = arguments.value("--size")) {
        parseSide(*size, "--size");
        child.insert(child.end(), {"--size", *size});
    }
    const auto studio = findProgram("fovea-studio");
    if (!studio)
        throw Error(ErrorCode::Usage, "Drawing needs fovea-studio, which is neither beside this program nor on PATH: build or install it.");
    const ChildResult result = runChild(*studio, child);
    if (result.exitCode == 0) {
        out << "Wrote " << output << ".\n";
        return 0;
    }
    const std::string sentence = result.sentence.empty() ? "fovea-studio gave no reason." : result.sentence;
    if (result.exitCode < 0) throw Error(ErrorCode::Internal, "fovea-studio was ended by signal " + std::to_string(result.signal) + ": " + sentence);
    if (result.exitCode == 2) throw Error(ErrorCode::Usage, sentence);
    if (result.exitCode != 1) throw Error(ErrorCode::Internal, sentence);
    notes << "fovea: " << sentence << "\n";
    return 1;
}

}  // namespace

const Command kRender{"render", "draw the network or its chart", kHelp, run};

}  // namespace fovea::cli
