#include "core/io/onnx/image_layout.h"

#include "core/graph/dimensions.h"
#include "core/ops/registry.h"

#include <algorithm>
#include <optional>
#include <set>

namespace fovea {

namespace {

// Convolutions and poolings over the last two of four dimensions; global ones too.
bool hasTwoSpatialAxes(const DraftLayer& layer)
{
    const OpClass opClass = opFor(layer.node.kind).opClass;
    const bool sliding = opClass == OpClass::Convolution || opClass == OpClass::Transposed || opClass == OpClass::Pooling;
    return sliding && !layer.in.empty() && layer.in[0].shape.rank() == 4;
}

// Which dimensions of the input its last two dimensions come from, ascending; nullopt where that cannot be told.
using Pair = std::pair<int, int>;
std::optional<Pair> spatialOrigins(const Value& value, const Layout& input)
{
    const Dimensions dimensions = dimensionsOf(value);
    int found[2] = {-1, -1};
    for (std::size_t i = 0; i < 2; ++i) {
        const Factor* widest = nullptr;
        for (const Factor& factor : dimensions[i + 2].factors)
            if (factor.axis != Axis::Other && (!widest || factor.size > widest->size)) widest = &factor;
        if (!widest) return std::nullopt;
        found[i] = input.of(widest->axis);
    }
    if (found[0] < 0 || found[1] < 0 || found[0] == found[1]) return std::nullopt;
    return Pair{std::min(found[0], found[1]), std::max(found[0], found[1])};
}

// Layers that anything of the input reaches as data.
std::vector<bool> reachedFrom(const Draft& draft, NodeId input)
{
    std::vector<bool> reached(draft.layers.size() + 1, false);
    reached[static_cast<std::size_t>(input)] = true;
    for (const DraftLayer& layer : draft.layers)
        for (const Port& port : layer.node.inputs)
            if (port.node != kNoNode && reached[static_cast<std::size_t>(port.node)]) reached[static_cast<std::size_t>(layer.node.id)] = true;
    return reached;
}

std::string textOf(const Pair& spatial, int rank)
{
    std::string text(static_cast<std::size_t>(rank), '?');
    text[static_cast<std::size_t>(spatial.first)] = 'H';
    text[static_cast<std::size_t>(spatial.second)] = 'W';
    const char* rest = rank == 4 ? "NC" : "C";
    for (char& letter : text)
        if (letter == '?' && *rest) letter = *rest++;
    return text;
}

std::string layoutOf(const Draft& draft, const DraftLayer& input)
{
    const int rank = input.out.empty() ? -1 : input.out[0].shape.rank();
    if (rank != 4 && (rank != 3 || input.out[0].layout.h < 0)) return {};
    const std::vector<bool> reached = reachedFrom(draft, input.node.id);
    const Layout labels = rank == 4 ? kNchw : Layout{0, 1, 2, -1};
    std::set<Pair> seen;
    bool any = false;
    std::optional<Pair> first;
    for (const DraftLayer& layer : draft.layers) {
        if (!hasTwoSpatialAxes(layer) || !reached[static_cast<std::size_t>(layer.node.id)]) continue;
        any = true;
        const auto origins = spatialOrigins(layer.in[0], labels);
        if (!origins) continue;
        if (!first) first = origins;
        seen.insert(*origins);
    }
    if (!any) return rank == 4 ? std::string(4, '?') : std::string();
    if (!first) return {};
    if (seen.size() > 1) {
        const auto fewChannels = [&](int dim) { return input.out[0].shape[dim] == 1 || input.out[0].shape[dim] == 3 || input.out[0].shape[dim] == 4; };
        const bool last = fewChannels(rank - 1) && !fewChannels(rank - 3);
        first = last ? Pair{rank - 3, rank - 2} : Pair{rank - 2, rank - 1};
    }
    const std::string text = textOf(*first, rank);
    return text == "NCHW" ? std::string() : text;
}

}  // namespace

std::map<std::string, std::string> imageLayouts(const Draft& draft)
{
    std::map<std::string, std::string> out;
    for (const DraftLayer& layer : draft.layers)
        if (opFor(layer.node.kind).opClass == OpClass::Input)
            if (std::string text = layoutOf(draft, layer); !text.empty()) out.emplace(layer.node.name, std::move(text));
    // A picture without a batch counts only where there is none with one.
    const auto isImage = [](const auto& row) { return row.second.size() == 4 && row.second != "????"; };
    const bool usual = std::any_of(draft.layers.begin(), draft.layers.end(), [&](const DraftLayer& layer) {
        return opFor(layer.node.kind).opClass == OpClass::Input && !layer.out.empty() && layer.out[0].shape.rank() == 4 && !out.contains(layer.node.name);
    });
    if (usual || std::any_of(out.begin(), out.end(), isImage)) std::erase_if(out, [](const auto& row) { return row.second.size() == 3; });
    return out;
}

}  // namespace fovea
