// Relaxing a stride: the earlier a network downsamples, the faster its fields outgrow a small image
// (arXiv 2211.14487, section on downsampling). In a residual stage the stride of the block and that of its
// shortcut must go together; what must go together is found from the merges, for any graph.
#include "core/refine/moves.h"

#include <algorithm>
#include <optional>

namespace fovea::refine {

namespace {

// How much finer a map has become by relaxing, per axis; nullopt: no finite path, so it fits any map.
using Finer = std::optional<PerAxis<std::int64_t>>;

class Closure {
public:
    explicit Closure(const Scene& scene) : m_scene(scene) {}

    // All entries that must be relaxed together with `first`, ascending; empty where branches cannot meet.
    std::vector<std::size_t> around(std::size_t first)
    {
        // Each round relaxes at least one more layer or ends; real networks need two or three.
        constexpr int kRounds = 16;
        m_relaxed.assign(m_scene.size(), false);
        m_relaxed[first] = true;
        for (int round = 0; round < kRounds; ++round) {
            const std::optional<bool> meet = mendFirstMismatch();
            if (!meet) return {};
            if (*meet) return chosen();
        }
        return {};
    }

private:
    // true: every merge fits; false: more was relaxed to make one fit; nullopt: it cannot be made to fit.
    std::optional<bool> mendFirstMismatch()
    {
        std::vector<Finer> finer(m_scene.size(), PerAxis<std::int64_t>{1, 1});
        for (std::size_t entry = 0; entry < m_scene.size(); ++entry) {
            const Finer at = finest(finer, entry);
            if (at)
                for (const std::int32_t source : m_scene.paths(entry))
                    if (source >= 0 && finer[index(source)] && finer[index(source)] != at)
                        return relaxAbove(index(source), *at, *finer[index(source)]) ? std::optional(false)
                                                                                     : std::nullopt;
            finer[entry] = after(entry, at, finer);
        }
        return true;
    }

    static std::size_t index(std::int32_t entry) { return static_cast<std::size_t>(entry); }

    Finer finest(const std::vector<Finer>& finer, std::size_t entry) const
    {
        Finer out;
        if (m_scene.paths(entry).empty()) return PerAxis<std::int64_t>{1, 1};
        for (const std::int32_t source : m_scene.paths(entry)) {
            if (source < 0 || !finer[index(source)]) continue;
            const PerAxis<std::int64_t>& in = *finer[index(source)];
            out = out ? PerAxis<std::int64_t>{std::max(out->h, in.h), std::max(out->w, in.w)} : in;
        }
        return out;
    }

    Finer after(std::size_t entry, Finer in, const std::vector<Finer>& finer) const
    {
        const LayerReport* layer = m_scene.layer(entry);
        if (layer && !layer->finite) return std::nullopt;
        const auto all = m_scene.inputs(entry), paths = m_scene.paths(entry);
        if (all.size() > paths.size() && all[paths.size()] >= 0)
            return finer[index(all[paths.size()])];  // follows another map's size
        if (in && m_relaxed[entry])
            in = PerAxis<std::int64_t>{in->h * layer->reach->h.stride, in->w * layer->reach->w.stride};
        return in;
    }

    // Relaxes the nearest layers above (and at) `entry` whose stride is what is missing, on every path.
    bool relaxAbove(std::size_t entry, PerAxis<std::int64_t> wanted, PerAxis<std::int64_t> have)
    {
        if (wanted.h % have.h != 0 || wanted.w % have.w != 0) return false;
        const PerAxis<std::int64_t> missing{wanted.h / have.h, wanted.w / have.w};
        std::vector<std::size_t> open{entry};
        std::vector<bool> seen(m_scene.size(), false);
        while (!open.empty()) {
            const std::size_t at = open.back();
            open.pop_back();
            if (seen[at]) continue;
            seen[at] = true;
            if (!m_relaxed[at] && hasStride(at, missing)) {
                if (m_scene.kept(at)) return false;
                m_relaxed[at] = true;
                continue;
            }
            if (m_scene.paths(at).empty()) return false;
            for (const std::int32_t source : m_scene.paths(at))
                if (source >= 0) open.push_back(index(source));
        }
        return true;
    }

    bool hasStride(std::size_t entry, PerAxis<std::int64_t> stride) const
    {
        if (!m_scene.isStrided(entry)) return false;
        const Reach& reach = *m_scene.layer(entry)->reach;
        return reach.h.stride == stride.h && reach.w.stride == stride.w;
    }

    std::vector<std::size_t> chosen() const
    {
        std::vector<std::size_t> out;
        for (std::size_t entry = 0; entry < m_relaxed.size(); ++entry)
            if (m_relaxed[entry]) out.push_back(entry);
        return out;
    }

    const Scene& m_scene;
    std::vector<bool> m_relaxed;
};

// Padding that keeps the side of a layer at stride 1; an even kernel gets the odd row and column at the end.
Ints samePadding(const Reach& reach)
{
    const std::int64_t h = reach.h.effectiveKernel() - 1, w = reach.w.effectiveKernel() - 1;
    return {h / 2, w / 2, h - h / 2, w - w / 2};
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
    const Reach& reach = *scene.layer(entry)->reach;
    candidate.changes.push_back(Change::set(node, "stride", Ints{1, 1}));
    if (needsPadding(reach)) candidate.changes.push_back(Change::set(node, "padding", samePadding(reach)));
}

}  // namespace

std::vector<Candidate> relaxStrides(const Scene& scene)
{
    std::vector<Candidate> out;
    std::set<std::vector<std::size_t>> done;
    Closure closure(scene);
    for (std::size_t entry = 0; entry < scene.size(); ++entry) {
        if (!scene.isStrided(entry) || scene.kept(entry)) continue;
        const std::vector<std::size_t> together = closure.around(entry);
        if (together.empty() || !done.insert(together).second) continue;
        Candidate candidate;
        for (const std::size_t layer : together) relax(scene, layer, candidate);
        out.push_back(std::move(candidate));
        // Overlapping windows at stride 1 only blur: the pooling can go altogether.
        if (together.size() == 1 && scene.op(entry).opClass == OpClass::Pooling && !scene.isDisjointPooling(entry))
            out.push_back({{Change::remove(scene.node(entry))}});
    }
    return out;
}

}  // namespace fovea::refine
