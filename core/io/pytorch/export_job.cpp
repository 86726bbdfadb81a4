#include "core/io/pytorch/export_job.h"

#include "core/base/files.h"
#include "core/graph/first_image.h"
#include "core/io/json/graph_json.h"
#include "core/io/json/preprocessing_json.h"
#include "core/io/pytorch/layout.h"
#include "core/io/pytorch/scripts.h"
#include "core/io/pytorch/source.h"
#include "core/ops/classifier.h"
#include "core/ops/weight_decay.h"
#include "core/recipe/frozen_layers.h"

#include <set>

namespace fovea {

namespace {

constexpr const char* kReadme =
    "A training job that Fovea wrote for PyTorch's distributed engine.\n\n"
    "    torchrun --nproc_per_node=N train.py     N processes: one for each GPU, or parts of a processor\n"
    "    python3 train.py                         one process\n\n"
    "torchrun of Debian 12 (PyTorch 1.13 on Python 3.11) needs --redirects 1 --tee 1 before train.py.\n"
    "It needs PyTorch 1.13 or later, and Pillow for folders of image files. Started again, it goes on from the last\n"
    "checkpoint; --fresh starts anew, --data PLACE reads the images elsewhere, --device cpu|cuda chooses.\n"
    "Several machines: torchrun's own options (--nnodes, --rdzv-endpoint), with this folder shared between them.\n\n"
    "model.py and model.safetensors are the network and what it starts from, recipe.json how it is trained, run.json "
    "on\n"
    "what. metrics.jsonl, last.safetensors and best.safetensors appear here, and\n\n"
    "    fovea analyze FOLDER        fovea convert FOLDER trained.onnx\n\n"
    "open the best weights again. Norms that an exporter folded into convolutions stay folded: \"unfold_norms\" of "
    "the\n"
    "recipe is for Fovea's own engine. 'fovea recalibrate MODEL --unfold' puts them back before a job is written.\n";

// The method that gives the classifier's logits: forward() may also give other outputs, or end in a softmax.
Json classifierJson(const Graph& graph, const Classifier& classifier)
{
    const bool isWhole = graph.outputs().size() == 1 && graph.outputs()[0].port == classifier.logits;
    return Json{{"output", textJson(classifier.output)},
                {"classes", classifier.classes},
                {"method", isWhole ? "forward" : "logits"}};
}

// What train.py has to know of the layers: their tensors in execution order, how many with kernels come before (what
// layer-wise decay counts in), and which of them stay as they are.
Json layersJson(const TorchLayout& layout, const std::set<NodeId>& before)
{
    Json layers = Json::array(), keys = Json::array(), norms = Json::array();
    std::int64_t depth = 0;
    for (const TorchLayer& layer : layout.layers) {
        const bool frozen = before.contains(layer.entry->node->id);
        if (hasKernel(layer.entry->op->opClass)) ++depth;
        Json own = Json::array(), decayed = Json::array();
        for (const auto& [role, key] : layer.keys) {
            own.push_back(key);
            if (isDecayed(layer.entry->op->opClass, layer.dims.at(role))) decayed.push_back(key);
            if (frozen) keys.push_back(key);
        }
        if (frozen && layer.call.op == TorchOp::BatchNorm2d && !layer.module.empty()) norms.push_back(layer.module);
        if (!own.empty())
            layers.push_back(Json{{"name", textJson(layer.entry->node->name)},
                                  {"keys", own},
                                  {"decayed", decayed},
                                  {"depth", depth}});
    }
    return Json{{"layers", layers}, {"frozen", keys}, {"frozen_norms", norms}};
}

// The order of the image's dimensions, "NCHW" in most networks.
std::string imageLayoutOf(const Graph& graph)
{
    const Node* image = firstImage(graph);
    const Layout layout = image ? inputLayout(*image) : kNchw;
    std::string out(4, '?');
    for (const auto& [dim, letter] : {std::pair(layout.n, 'N'), std::pair(layout.c, 'C'), std::pair(layout.h, 'H'), std::pair(layout.w, 'W')})
        if (dim >= 0 && dim < 4) out[static_cast<std::size_t>(dim)] = letter;
    if (out.find('?') != std::string::npos)
        throw Error(ErrorCode::Usage, "The image input has no batch or no channels; a job needs both.");
    return out;
}

std::string fileText(const Json& value) { return value.dump(1) + "\n"; }

}  // namespace

std::vector<std::string> writeExportJob(const std::filesystem::path& folder, const ExportJob& job)
{
    const RunFolder run{folder};
    const std::filesystem::path model = folder / "model.py", script = folder / "train.py", images = folder / "images.py",
                                readme = folder / "README.txt";
    refuseTaken(run, {model, script, images, readme, run.job(), run.jobStart()});
    checkRecipe(job.recipe);
    const TorchLayout layout = layOutTorch(job.graph);
    const Classifier classifier = classifierIn(job.graph);
    const std::set<NodeId> frozen = frozenLayers(job.graph, job.recipe.freeze);
    Json settings{{"schema", "fovea.job/1"}, {"classifier", classifierJson(job.graph, classifier)}};
    settings.update(layersJson(layout, frozen));
    settings["layout"] = imageLayoutOf(job.graph);
    settings["preprocessing"] = toJson(job.graph.preprocessing().value_or(Preprocessing{}));
    LearningForm learning{{}, frozen};
    if (settings["classifier"]["method"] == "logits") learning.logits = classifier.logits;
    std::error_code failed;
    std::filesystem::create_directories(folder, failed);
    if (failed)
        throw Error(ErrorCode::File, "Cannot make the folder '" + folder.string() + "': " + failed.message() + ".");
    std::vector<std::string> fresh;
    // With the recipe's seed, as the engine makes them.
    const Weights start = materialise(job.graph, job.weights, static_cast<std::uint64_t>(job.recipe.seed), &fresh);
    writeAtomically(run.graph(), jsonLine(toJson(job.graph)) + "\n");
    writePytorch(job.graph, start, model, learning);
    writeAtomically(script, kTrainScript);
    writeAtomically(images, kImagesScript);
    writeAtomically(readme, kReadme);
    writeAtomically(run.job(), fileText(settings));
    writeAtomically(run.recipe(), fileText(toJson(job.recipe)));
    RunInfo info = job.info;
    info.state = "stopped";
    info.reason = "It has not begun: run train.py.";
    // Last, because it makes the folder a run.
    writeAtomically(run.info(), fileText(toJson(info)));
    return fresh;
}

}  // namespace fovea
