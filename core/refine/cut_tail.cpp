// Cutting the tail that is not productive: layers that see nothing new are taken out as a whole, from the last point
// before them that every path passes to the first such point behind them. The cheapest change there is, and the one
// that costs most weights (arXiv 2211.14487, section on efficiency).
#include "core/refine/blocks.h"

#include <algorithm>

namespace fovea::refine {

namespace {

// Whether what is between can go: nothing to keep, and each layer's first input leads back to `from`.
bool isRemovable(const Scene& scene, std::size_t from, std::size_t to)
{
    for (std::size_t entry = from + 1; entry <= to; ++entry) {
        const auto inputs = scene.inputs(entry);
        if (scene.kept(entry) || inputs.empty() || inputs[0] < static_cast<std::int32_t>(from)) return false;
    }
    return true;
}

// Where the block ends that the window `last` stands in: a depthwise one is followed by the projection of its block.
std::vector<std::size_t>::const_iterator blockEnd(const Scene& scene, const std::vector<std::size_t>& ends,
                                                  std::size_t last)
{
    constexpr std::ptrdiff_t kFar = 3;  // stretches between both: a gate, its product
    const auto end = std::lower_bound(ends.begin(), ends.end(), last);
    if (end == ends.end() || attrInt(scene.node(last), "groups", 1) == 1) return end;
    for (auto next = end; next + 1 != ends.end() && next - end < kFar; ++next)
        if (holdsProjection(scene, {*next, *(next + 1)})) return next + 1;
    return end;
}

// Layers behind that must follow the other number of channels: up to the first that mixes channels.
std::set<NodeId> followers(const Scene& scene, std::size_t end)
{
    std::set<NodeId> out;
    std::vector<bool> open(scene.size(), false);
    open[end] = true;
    for (std::size_t entry = end + 1; entry < scene.size(); ++entry) {
        const auto inputs = scene.inputs(entry);
        if (std::none_of(inputs.begin(), inputs.end(),
                         [&](std::int32_t from) { return from >= 0 && open[static_cast<std::size_t>(from)]; }))
            continue;
        out.insert(scene.node(entry).id);
        const OpClass opClass = scene.op(entry).opClass;
        open[entry] = opClass != OpClass::Linear &&
                      !(opClass == OpClass::Convolution && attrInt(scene.node(entry), "groups", 1) == 1);
    }
    return out;
}

// A linear layer or a normalisation that states how many features it reads reads fewer.
std::optional<Change> narrowed(const Node& node, std::int64_t from, std::int64_t to)
{
    const char* attribute = node.kind == "LayerNorm" ? "features" : "in_features";
    const std::int64_t stated = attrInt(node, attribute);
    if (stated <= 0 || from < 1 || to < 1 || from == to || stated % from != 0) return std::nullopt;
    return Change::set(node, attribute, stated / from * to);
}

}  // namespace

std::vector<Candidate> cutTail(const Scene& scene)
{
    std::size_t firstWasted = scene.size(), firstOver = scene.size(), last = 0;
    for (std::size_t entry = 0; entry < scene.size(); ++entry) {
        const LayerReport* layer = scene.layer(entry);
        if (!layer || !layer->window || !layer->finite) continue;
        const bool wasted = layer->verdict == Verdict::Unproductive || layer->verdict == Verdict::Partial;
        if (wasted) firstWasted = std::min(firstWasted, entry);
        if (wasted || layer->verdict == Verdict::Critical) firstOver = std::min(firstOver, entry);
        last = entry;
    }
    std::vector<Candidate> out;
    if (firstOver == scene.size()) return out;
    const std::vector<std::size_t> ends = waists(scene);
    const auto behind = blockEnd(scene, ends, last);
    if (behind == ends.end()) return out;
    std::set<std::size_t> done;
    for (const std::size_t first : {firstWasted, firstOver}) {
        if (first == scene.size()) continue;
        auto before = std::lower_bound(ends.begin(), ends.end(), first);
        if (before == ends.begin() || !done.insert(*--before).second || !isRemovable(scene, *before, *behind)) continue;
        Candidate& candidate = out.emplace_back();
        for (std::size_t entry = *before + 1; entry <= *behind; ++entry)
            candidate.changes.push_back(Change::remove(scene.node(entry)));
        candidate.reshaped.fewer = followers(scene, *behind);
        const std::int64_t from = scene.layer(*behind)->out[0].channels(), to = scene.layer(*before)->out[0].channels();
        for (const NodeId id : candidate.reshaped.fewer)
            if (auto change = narrowed(scene.graph().at(id), from, to)) candidate.changes.push_back(*change);
    }
    return out;
}

}  // namespace fovea::refine
