// Relaxing a stride: the earlier a network downsamples, the faster its fields outgrow a small image
// (arXiv 2211.14487, section on downsampling). In a residual stage the stride of the block and that of its
// shortcut must go together; what must go together is found from the merges, for any graph.
#include "core/refine/closure.h"

#include <algorithm>
#include <optional>

namespace fovea::refine {

namespace {

// Padding that keeps the side of a layer at stride 1; an even kernel gets the odd row and column at the end.
Ints samePadding(const Scene& scene, std::size_t entry)
{
    const Reach& reach = *scene.layer(entry)->reach;
    const std::int64_t h = reach.h.effectiveKernel() - 1, w = reach.w.effectiveKernel() - 1;
    return scene.padding(entry, {h / 2, w / 2}, {h - h / 2, w - w / 2});
}

// A layer whose windows do not overlap ("patchify") has no padding to lose; at stride 1 it needs some.
bool needsPadding(const Reach& reach)
{
    const auto disjoint = [](const AxisReach& r) {
        return r.kernel > 1 && r.kernel <= r.stride && r.padBegin + r.padEnd == 0;
    };
    return disjoint(reach.h) || disjoint(reach.w);
}

void relax(const Scene& scene, std::size_t entry, Candidate& candidate)
{
    const Node& node = scene.node(entry);
    if (scene.isDisjointPooling(entry)) {
        candidate.changes.push_back(Change::remove(node));
        return;
    }
    if (scene.isThinning(entry)) {
        candidate.changes.push_back(Change::set(node, "step", Ints(node.attrs.getInts("step")->size(), 1)));
        return;
    }
    const Reach& reach = *scene.layer(entry)->reach;
    candidate.changes.push_back(Change::set(node, "stride", Ints{1, 1}));
    if (needsPadding(reach)) setPadding(node, samePadding(scene, entry), candidate.changes);
}

// A single convolution that skips more than every second position, at half its stride: its kernel, and so every
// parameter, stays, and its map gets exactly twice the side.
std::optional<Candidate> halved(const Scene& scene, const std::vector<std::size_t>& together)
{
    const std::size_t entry = together.front();
    const Reach& reach = *scene.layer(entry)->reach;
    const std::int64_t h = reach.h.stride / 2, w = reach.w.stride / 2;
    if (together.size() > 1 || scene.op(entry).opClass != OpClass::Convolution) return std::nullopt;
    if (reach.h.stride % 2 != 0 || reach.w.stride % 2 != 0 || h < 2 || w < 2) return std::nullopt;
    Candidate out{{Change::set(scene.node(entry), "stride", scene.pair(entry, {h, w}))}};
    const auto padding = [](const AxisReach& r, std::int64_t stride) {
        return std::max<std::int64_t>(0, r.effectiveKernel() - stride);
    };
    const std::int64_t tall = padding(reach.h, h), wide = padding(reach.w, w);
    if (needsPadding(reach))
        setPadding(scene.node(entry),
                   scene.padding(entry, {tall / 2, wide / 2}, {tall - tall / 2, wide - wide / 2}), out.changes);
    return out;
}

}  // namespace

Candidate relaxed(const Scene& scene, const std::vector<std::size_t>& layers)
{
    Candidate out;
    for (const std::size_t entry : layers) relax(scene, entry, out);
    return out;
}

std::vector<Candidate> relaxStrides(const Scene& scene)
{
    std::vector<Candidate> out;
    std::set<std::vector<std::size_t>> done;
    RelaxClosure closure(scene);
    for (std::size_t entry = 0; entry < scene.size(); ++entry) {
        if (!scene.isStrided(entry) || scene.kept(entry)) continue;
        const std::vector<std::size_t> together = closure.around(entry);
        if (together.empty() || !done.insert(together).second) continue;
        out.push_back(relaxed(scene, together));
        if (std::optional<Candidate> half = halved(scene, together)) out.push_back(std::move(*half));
        // Overlapping windows at stride 1 only blur: the pooling can go altogether.
        if (together.size() == 1 && scene.op(entry).opClass == OpClass::Pooling && !scene.isDisjointPooling(entry))
            out.push_back({{Change::remove(scene.node(entry))}});
    }
    return out;
}

}  // namespace fovea::refine
