#include "app/studio/training/trained_network.h"

#include "app/studio/look/words.h"
#include "core/base/files.h"
#include "core/io/json/graph_json.h"
#include "core/io/pytorch/keys.h"
#include "core/io/safetensors/safetensors.h"

namespace fovea::studio {

namespace {

constexpr std::size_t kMaxGraph = 1u << 28;

Origins sharedOrigins(const Graph& trained, const Graph& now)
{
    Origins out;
    for (const Graph::NodePtr& node : trained.nodes()) {
        const Node* old = now.find(node->id);
        if (old && old->origin && old->sameAs(*node)) out[node->id] = old->origin;
    }
    return out;
}

Graph readGraph(const std::filesystem::path& file, const Graph& now)
{
    try {
        const Json json = parseJson(readText(file, kMaxGraph));
        const Graph graph = graphFrom(JsonAt(json));
        const Origins origins = sharedOrigins(graph, now);
        return origins.empty() ? graph : graphFrom(JsonAt(json), origins);
    } catch (Error& error) {
        throw error.within("'" + file.string() + "'");
    }
}

}  // namespace

TrainedNetwork trainedNetwork(const RunFolder& folder, const Network& now)
{
    TrainedNetwork out;
    try {
        auto graph = std::make_shared<const Graph>(readGraph(folder.graph(), *now.graph));
        auto weights = std::make_shared<Weights>(*now.weights);
        const Weights best = weightsFromStateDict(*graph, readSafetensors(folder.best()));
        for (const auto& [name, tensor] : best.tensors()) weights->set(name, tensor);
        out.tensors = best.tensors().size();
        out.network = {std::move(graph), std::move(weights)};
    } catch (const std::exception& error) {
        out.error = QString::fromUtf8(error.what());
    }
    return out;
}

}  // namespace fovea::studio
