#include "core/train/preparation.h"

#include "core/ops/classifier.h"
#include "core/ops/folded_norms.h"
#include "core/recipe/frozen_layers.h"
#include "core/train/device.h"
#include "core/train/norms.h"
#include "core/train/scores.h"

namespace fovea {

DataParts dataFor(const std::string& source, const Recipe& recipe)
{
    if (source.empty()) throw Error(ErrorCode::Usage, "No data was given to train on.");
    DataParts out = openData(source, {.validation = recipe.valSplit, .seed = static_cast<std::uint64_t>(recipe.seed)});
    refuseOneClass(out, source);
    return out;
}

namespace {

// Norms that an exporter folded away are put back, so that they can move while the network learns.
TrainStart unfolded(TrainStart start, const Recipe& recipe, const DataParts& data, const JobWatch& watch)
{
    if (!recipe.unfoldNorms || foldedConvolutions(start.graph).empty()) return start;
    UnfoldRequest request;
    request.data.splitSeed = recipe.seed;
    request.data.batch = recipe.batchSize;
    request.data.workers = recipe.workers;
    Unfolded unfolded = unfoldNorms(start, data, request, watch);
    watch.log(std::to_string(unfolded.reply.norms) +
              " norms that were folded into convolutions are put back; the output differs by " +
              Json(unfolded.reply.difference).dump() + " of its largest value.");
    start.graph = std::move(unfolded.graph);
    start.weights = std::move(unfolded.weights);
    return start;
}

// The network as it will be trained: norms of its own, a head for the data's classes, and a preprocessing. `fresh`
// receives the head's tensors where it is a new one.
TrainStart fitted(const TrainStart& given, const Recipe& recipe, const DataParts& data, const JobWatch& watch,
                  std::vector<std::string>& fresh)
{
    TrainStart start = unfolded(given, recipe, data, watch);
    const auto classes = static_cast<std::int64_t>(data.train->classes().size());
    const auto classifier = classifierOf(start.graph);
    start.graph = withClasses(withPreprocessing(std::move(start.graph), *data.train, watch.stop), classes, &fresh);
    if (fresh.empty()) return start;
    watch.log("The network gets a new head: " + std::to_string(classes) + " classes instead of " +
              std::to_string(classifier->classes) + ".");
    start.weights = materialise(start.graph, without(start.weights, fresh), static_cast<std::uint64_t>(recipe.seed));
    return start;
}

// What becomes of what the file held, and where every tensor comes from.
TransferPlan planOf(const TrainStart& given, const Graph& trained, const std::vector<std::string>& fresh)
{
    const Weights known = without(given.given, fresh);
    return known.empty() ? planStart(trained, known) : TransferFrom(given.graph, &known).to(trained);
}

// A convolution whose norm was put back is frozen with it: whoever named the convolution could not name the norm.
std::string frozenWithNorm(const std::string& name, const Graph& given, const Graph& trained)
{
    const Node* layer = given.findByName(name);
    for (const auto& node : trained.nodes())
        if (layer && node->kind == "BatchNorm2d" && !node->inputs.empty() && node->inputs[0].node == layer->id &&
            !given.findByName(node->name))
            return node->name;
    return name;
}

}  // namespace

PreparedTraining prepareTraining(const TrainStart& given, const Recipe& recipe, const DataParts& data,
                                 const JobWatch& watch)
{
    // Before images are read.
    classifierIn(given.graph);
    if (recipe.amp) refuseMixedPrecisionOn(given.device);
    frozenLayers(given.graph, recipe.freeze);
    std::vector<std::string> fresh;
    PreparedTraining out{fitted(given, recipe, data, watch, fresh), recipe};
    out.recipe.freeze = frozenWithNorm(recipe.freeze, given.graph, out.start.graph);
    watch.log("Tensors: " + transferText(planOf(given, out.start.graph, fresh)));
    watch.log("Images: " + preprocessingText(*out.start.graph.preprocessing(), given.graph.preprocessing().has_value()));
    if (recipe.hflip <= 0 || data.train->canBeMirrored()) return out;
    watch.log("Images are not mirrored: in this data a mirrored image is of another class.");
    out.recipe.hflip = 0;
    return out;
}

}  // namespace fovea
