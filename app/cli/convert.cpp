#include "app/cli/command.h"
#include "core/base/error.h"
#include "core/io/model/model.h"
#include "core/ops/onnx_form.h"

#include <filesystem>
#include <ostream>

namespace fovea::cli {

namespace {

const std::string kHelp =
    std::string(
        "Writes a network in another format; the endings decide (.onnx, .fovea, .py).\n"
        "A .py is a PyTorch module; its weights go beside it, into a .safetensors.\n\n"
        "Usage: fovea convert IN OUT [options]\n\n"
        "  --size N|HxW         give the image input this side\n"
        "  --no-origin          write .onnx from Fovea's own records alone, without the nodes of the imported file\n"
        "  --opset N            write .onnx at this opset, 7 to 21, from Fovea's own records where the file has nodes of\n"
        "                       another one; without it such nodes keep theirs, and own records are of opset 17\n\n"
        "How images are prepared, which .onnx and .fovea hold and training and evaluation follow:\n") +
    kPreprocessingHelp + "\nExample: fovea convert zoo:example,classes=10 model.onnx\n";

std::vector<std::string> write(const Model& model, const std::string& path, const Arguments& arguments)
{
    OnnxWriteOptions options{.useOrigin = !arguments.has("--no-origin")};
    if (const auto opset = arguments.value("--opset")) options.opset = parseWhole(*opset, "--opset", kOldestOpset, kNewestOpset);
    const char* option = !options.useOrigin ? "--no-origin" : options.opset ? "--opset" : nullptr;
    if (!option) return saveModel(model, path);
    if (std::filesystem::path(path).extension() != ".onnx")
        throw Error(ErrorCode::Usage, std::string("Option '") + option + "' is about .onnx files, but the output is '" + path + "'.");
    return writeOnnx(model, path, options);
}

int run(const std::vector<std::string>& words, std::ostream& out, std::ostream&)
{
    const Arguments arguments("convert", words, joined({{"--size", true}, {"--no-origin"}, {"--opset", true}}, kPreprocessingOptions),
                              {"IN", "OUT"});
    refuseOverwrite(arguments.operand(0), arguments.operand(1));
    Opened opened = openFor(arguments, SideUse::Written);
    const std::string stated = statedSidesText(opened.model.graph, opened.graph);
    opened.model.graph = std::move(opened.graph);
    out << wroteText(arguments.operand(1), write(opened.model, arguments.operand(1), arguments)) << stated;
    return 0;
}

}  // namespace

const Command kConvert{"convert", "write a network in another format", kHelp.c_str(), run};

}  // namespace fovea::cli
