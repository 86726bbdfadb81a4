#include "core/io/model/model.h"

#include "core/base/error.h"
#include "core/io/document/document_file.h"
#include "core/io/model/foreign.h"
#include "core/io/pytorch/keys.h"
#include "core/io/pytorch/source.h"
#include "core/io/safetensors/safetensors.h"
#include "core/recipe/run_folder.h"
#include "core/zoo/zoo.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

namespace fovea {

namespace {

constexpr std::string_view kZoo = "zoo:";

std::string endingOf(const std::string& path)
{
    std::string ending = std::filesystem::path(path).extension().string();
    std::transform(ending.begin(), ending.end(), ending.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return ending;
}

std::string listed(const std::vector<std::string>& items)
{
    std::string out;
    for (const std::string& item : items) out += (out.empty() ? "" : ", ") + item;
    return out;
}

// The network of a training run with the weights of its best validation, of its last checkpoint, or those that an
// exported job starts from.
Model readRun(const RunFolder& folder)
{
    Model model;
    model.graph = readRunGraph(folder);
    for (const std::filesystem::path& file : {folder.best(), folder.last(), folder.jobStart()}) {
        if (!std::filesystem::exists(file)) continue;
        try {
            model.weights = weightsFromStateDict(model.graph, readSafetensors(file));
        } catch (Error& error) {
            throw error.within("'" + file.string() + "'");
        }
        return model;
    }
    return model;
}

}  // namespace

std::vector<std::string> readableEndings() { return {".onnx", ".fovea"}; }
std::vector<std::string> writableEndings() { return {".onnx", ".fovea", ".py"}; }

Model openModel(const std::string& name)
{
    if (name.starts_with(kZoo)) return Model{buildZoo(name.substr(kZoo.size())), {}, nullptr};
    if (isRunFolder(name)) return readRun({name});
    if (const auto what = foreignModel(name)) throw Error(ErrorCode::Format, *what);
    const std::string ending = endingOf(name);
    if (ending == ".onnx") return readOnnx(name);
    if (ending == ".fovea") return readDocument(name);
    throw Error(ErrorCode::Usage, "Cannot open '" + name + "': a model is a file that ends in " +
                                      listed(readableEndings()) +
                                      ", the folder of a training run, or zoo:NAME for a built-in network.");
}

std::vector<std::string> saveModel(const Model& model, const std::string& path)
{
    const std::string ending = endingOf(path);
    if (ending == ".onnx") return writeOnnx(model, path);
    if (ending == ".fovea") {
        // Tensors without values stay so: they are made from the seed and their name whenever they are needed,
        // and a layer that is resized later starts fresh instead of from zero-padded noise.
        writeDocument(model, path);
        return {};
    }
    if (ending == ".py") return writePytorch(model.graph, model.weights, path);
    throw Error(ErrorCode::Usage,
                "Cannot write '" + path + "': its name must end in " + listed(writableEndings()) + ".");
}

}  // namespace fovea
