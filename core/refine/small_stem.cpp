// The stem for small images: a stem built for photographs, with a wide kernel, a stride and often a pooling,
// becomes a 3x3 convolution at full resolution, as rfa_toolbox's README does at 16 pixels.
#include "core/refine/closure.h"

namespace fovea::refine {

namespace {

// The first strided layer behind the input, on the one path that every other comes from; nullopt: branches first.
std::optional<std::size_t> nextStrided(const Scene& scene, std::size_t from)
{
    for (std::size_t entry = from; entry < scene.size(); ++entry) {
        const LayerReport* layer = scene.layer(entry);
        if (!layer) continue;
        if (scene.paths(entry).size() > 1 || !layer->finite) return std::nullopt;
        if (scene.isStrided(entry)) return entry;
        if (layer->window) return std::nullopt;
        if (scene.readers(entry) != 1) return std::nullopt;
    }
    return std::nullopt;
}

bool isWide(const Reach& reach)
{
    const auto wide = [](const AxisReach& r) {
        return r.kernel > 3 && r.kernel % 2 == 1 && r.dilation == 1 && r.padBegin + r.padEnd == r.kernel - 1;
    };
    return wide(reach.h) && wide(reach.w);
}

}  // namespace

std::vector<Candidate> smallImageStem(const Scene& scene)
{
    const std::optional<std::size_t> stem = nextStrided(scene, 0);
    if (!stem || scene.kept(*stem) || scene.op(*stem).opClass != OpClass::Convolution) return {};
    RelaxClosure closure(scene);
    if (!isWide(*scene.layer(*stem)->reach) || closure.around(*stem).size() != 1) return {};
    Candidate out;
    const Node& node = scene.node(*stem);
    out.changes.push_back(Change::set(node, "kernel_size", Ints{3, 3}));
    out.changes.push_back(Change::set(node, "stride", Ints{1, 1}));
    setPadding(node, {1, 1, 1, 1}, out.changes);
    const std::optional<std::size_t> pooling = nextStrided(scene, *stem + 1);
    if (pooling && !scene.kept(*pooling) && scene.op(*pooling).opClass == OpClass::Pooling &&
        closure.around(*pooling).size() == 1)
        out.changes.push_back(Change::remove(scene.node(*pooling)));
    return {std::move(out)};
}

}  // namespace fovea::refine
