// Moving the stride of a convolution: the layers between its old place and its new one run at the finer
// resolution (later) or at the coarser one (earlier), and every parameter stays (arXiv 2211.14487
// does this by hand). Adding a stride where the field is smaller than the side.
#include "core/refine/closure.h"

#include <map>

namespace fovea::refine {

namespace {

using Entries = std::vector<std::size_t>;

// Where a stride can be put: windows only, for a 1x1 that skips positions throws them away unseen.
std::vector<Entries> placesFor(const Scene& scene, PerAxis<std::int64_t> stride)
{
    std::vector<Entries> out;
    TightenClosure closure(scene, stride);
    for (std::size_t entry = 0; entry < scene.size(); ++entry) {
        const LayerReport* layer = scene.layer(entry);
        if (!layer || !layer->window) continue;
        if (Entries together = closure.around(entry); !together.empty()) out.push_back(std::move(together));
    }
    return out;
}

void tighten(const Scene& scene, const Entries& layers, PerAxis<std::int64_t> stride, Candidate& candidate)
{
    for (const std::size_t entry : layers)
        candidate.changes.push_back(Change::set(scene.node(entry), "stride", scene.pair(entry, stride)));
}

}  // namespace

std::vector<Candidate> moveStrides(const Scene& scene)
{
    std::vector<Candidate> out;
    const bool earlier = scene.isSmallField();
    std::set<Entries> done;
    RelaxClosure closure(scene);
    std::map<std::pair<std::int64_t, std::int64_t>, std::vector<Entries>> places;  // by stride
    for (std::size_t entry = 0; entry < scene.size(); ++entry) {
        if (!scene.isStrided(entry) || scene.kept(entry) || scene.op(entry).opClass != OpClass::Convolution) continue;
        const Entries from = closure.around(entry);
        if (from.empty() || !done.insert(from).second) continue;
        const PerAxis<std::int64_t> stride{scene.layer(entry)->reach->h.stride, scene.layer(entry)->reach->w.stride};
        const auto [known, isNew] = places.try_emplace({stride.h, stride.w});
        if (isNew) known->second = placesFor(scene, stride);
        for (const Entries& to : known->second) {
            if (to.front() <= from.back() && !(earlier && to.back() < from.front())) continue;
            Candidate candidate = relaxed(scene, from);
            tighten(scene, to, stride, candidate);
            out.push_back(std::move(candidate));
        }
    }
    return out;
}

std::vector<Candidate> addStrides(const Scene& scene)
{
    std::vector<Candidate> out;
    if (!scene.isSmallField()) return out;
    std::set<Entries> done;
    for (const Entries& layers : placesFor(scene, {2, 2})) {
        if (!done.insert(layers).second) continue;
        tighten(scene, layers, {2, 2}, out.emplace_back());
    }
    return out;
}

}  // namespace fovea::refine
