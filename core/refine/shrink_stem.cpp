// A smaller kernel in the first convolution: its field is under that of every other layer. A stem that cuts
// the image into patches (kernel = stride) gets smaller patches.
#include "core/refine/moves.h"

#include <algorithm>

namespace fovea::refine {

namespace {

// Takes from the padding what the kernel lost, so that the map keeps its side.
Ints shrunkPadding(const Scene& scene, std::size_t entry, std::int64_t h, std::int64_t w)
{
    const Reach& reach = *scene.layer(entry)->reach;
    const std::int64_t lessH = (reach.h.kernel - h) * reach.h.dilation, lessW = (reach.w.kernel - w) * reach.w.dilation;
    const auto left = [](std::int64_t padding, std::int64_t less) { return std::max<std::int64_t>(0, padding - less); };
    return scene.padding(entry, {left(reach.h.padBegin, lessH / 2), left(reach.w.padBegin, lessW / 2)},
                         {left(reach.h.padEnd, lessH - lessH / 2), left(reach.w.padEnd, lessW - lessW / 2)});
}

Candidate withKernel(const Scene& scene, std::size_t entry, std::int64_t size)
{
    const Reach& reach = *scene.layer(entry)->reach;
    const std::int64_t h = std::min(reach.h.kernel, size), w = std::min(reach.w.kernel, size);
    const Node& node = scene.node(entry);
    Candidate out;
    out.changes.push_back(Change::set(node, "kernel_size", scene.pair(entry, {h, w})));
    const Ints padding = shrunkPadding(scene, entry, h, w);
    if (padding != scene.padding(entry, {reach.h.padBegin, reach.w.padBegin}, {reach.h.padEnd, reach.w.padEnd}))
        setPadding(node, padding, out.changes);
    return out;
}

Candidate withPatch(const Scene& scene, std::size_t entry)
{
    const Reach& reach = *scene.layer(entry)->reach;
    const Node& node = scene.node(entry);
    Candidate out;
    const Ints half = scene.pair(entry, {reach.h.kernel / 2, reach.w.kernel / 2});
    out.changes.push_back(Change::set(node, "kernel_size", half));
    out.changes.push_back(Change::set(node, "stride", half));
    return out;
}

bool isPatch(const Reach& reach)
{
    const auto cuts = [](const AxisReach& r) {
        return r.kernel == r.stride && r.kernel % 2 == 0 && r.padBegin + r.padEnd == 0;
    };
    return cuts(reach.h) && cuts(reach.w);
}

void addSmaller(const Scene& scene, std::size_t entry, std::vector<Candidate>& out)
{
    const Reach& reach = *scene.layer(entry)->reach;
    if (reach.h.kind != ReachKind::Window) return;
    const std::int64_t kernel = std::max(reach.h.kernel, reach.w.kernel);
    if (kernel <= 3) return;
    if (isPatch(reach)) {
        out.push_back(withPatch(scene, entry));
        return;
    }
    for (std::int64_t size = kernel - 2; size >= 3; size -= 2) out.push_back(withKernel(scene, entry, size));
}

}  // namespace

std::vector<Candidate> shrinkStem(const Scene& scene)
{
    std::vector<Candidate> out;
    for (std::size_t entry = 0; entry < scene.size(); ++entry) {
        const LayerReport* layer = scene.layer(entry);
        if (!layer) continue;
        if (scene.paths(entry).size() > 1 || !layer->finite) break;
        if (scene.op(entry).opClass == OpClass::Convolution && !scene.kept(entry)) addSmaller(scene, entry, out);
        if (scene.isStrided(entry)) break;
    }
    return out;
}

}  // namespace fovea::refine
