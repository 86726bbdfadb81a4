// What an ONNX file says about the modules of its layers: scopes in the names of nodes (PyTorch from 1.13 on), the names
// of weights, and what Fovea itself wrote.
#include "core/graph/names.h"
#include "core/io/onnx/draft.h"
#include "core/io/onnx/groups.h"
#include "core/ops/registry.h"

#include <algorithm>

namespace fovea {

namespace {

using Lists = std::vector<std::vector<std::size_t>>;

// Names the layer's own tensor, as the user's module has it; empty where it has none or an exporter made up its name.
std::string ownTensor(const DraftLayer& layer)
{
    const TensorBinding* weight = layer.node.tensor("weight");
    return weight && !isMadeUpName(weight->tensor) ? weight->tensor : std::string();
}

bool hasScopes(const Draft& draft, const DraftLayer& layer)
{
    return std::any_of(layer.fileNodes.begin(), layer.fileNodes.end(), [&](std::size_t index) { return draft.fileNodes[index]->name().starts_with('/'); });
}

GroupClaim claimOf(const Draft& draft, const DraftLayer& layer)
{
    GroupClaim claim;
    const OpClass opClass = opFor(layer.node.kind).opClass;
    claim.closes = opClass == OpClass::Activation || opClass == OpClass::Merge;
    if (const auto tag = tagOf(draft, layer)) {
        claim.module = tag->group;
        return claim;
    }
    claim.owner = ownTensor(layer);
    std::vector<std::string> names;
    for (const std::size_t index : layer.fileNodes) names.push_back(draft.fileNodes[index]->name());
    std::string path = commonPath(names);
    if (path.empty()) path = parentPath(claim.owner);
    if (!path.empty() || hasScopes(draft, layer)) claim.module = std::move(path);
    return claim;
}

bool isConstant(const DraftLayer& layer) { return layer.node.kind == "Constant"; }

// Whether Fovea wrote every layer, so that all groups are known.
bool isOurs(const Draft& draft, const std::vector<DraftLayer*>& layers)
{
    return std::all_of(layers.begin(), layers.end(), [&](const DraftLayer* layer) { return layer->fileNodes.empty() || tagOf(draft, *layer); });
}

// A constant stands where all of its readers do.
void placeConstants(const std::vector<DraftLayer*>& layers, const Lists& readers)
{
    for (std::size_t i = 0; i < layers.size(); ++i) {
        if (!isConstant(*layers[i]) || readers[i].empty()) continue;
        std::string group = layers[readers[i].front()]->node.group;
        for (const std::size_t reader : readers[i]) group = commonGroup(group, layers[reader]->node.group);
        layers[i]->node.group = std::move(group);
    }
}

}  // namespace

std::optional<LayerTag> tagOf(const Draft& draft, const DraftLayer& layer)
{
    std::optional<LayerTag> tag;
    for (const std::size_t index : layer.fileNodes) {
        const std::optional<LayerTag> next = readTag(draft.fileNodes[index]->doc_string());
        if (!next || (tag && *tag != *next)) return std::nullopt;
        tag = next;
    }
    return tag;
}

void setGroups(const Draft& draft, const std::vector<DraftLayer*>& layers)
{
    std::map<NodeId, std::size_t> places;
    for (std::size_t i = 0; i < layers.size(); ++i) places[layers[i]->node.id] = i;
    Lists inputs(layers.size()), readers(layers.size());
    for (std::size_t i = 0; i < layers.size(); ++i)
        for (const Port& port : layers[i]->node.inputs) {
            const auto from = places.find(port.node);
            if (from == places.end()) continue;
            readers[from->second].push_back(i);
            if (!isConstant(*layers[from->second])) inputs[i].push_back(from->second);
        }
    if (isOurs(draft, layers)) {
        for (DraftLayer* layer : layers)
            if (const auto tag = tagOf(draft, *layer)) layer->node.group = tag->group;
    } else {
        std::vector<GroupClaim> claims;
        for (const DraftLayer* layer : layers) claims.push_back(claimOf(draft, *layer));
        const std::vector<std::string> groups = connectedGroups(inputs, claims);
        for (std::size_t i = 0; i < layers.size(); ++i) layers[i]->node.group = groups[i];
    }
    placeConstants(layers, readers);
}

}  // namespace fovea
