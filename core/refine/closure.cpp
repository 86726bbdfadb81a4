#include "core/refine/closure.h"

#include <algorithm>

namespace fovea::refine {

std::vector<std::size_t> Closure::closed(std::size_t first)
{
    // Each round chooses at least one more layer or ends; real networks need two or three.
    constexpr int kRounds = 16;
    m_chosen.assign(m_scene.size(), false);
    m_chosen[first] = true;
    for (int round = 0; round < kRounds; ++round) {
        const std::optional<bool> meet = mendFirstMismatch();
        if (!meet) return {};
        if (!*meet) continue;
        std::vector<std::size_t> out;
        for (std::size_t entry = 0; entry < m_chosen.size(); ++entry)
            if (m_chosen[entry]) out.push_back(entry);
        return out;
    }
    return {};
}

// true: every merge fits; false: more was chosen to make one fit; nullopt: it cannot be made to fit.
std::optional<bool> Closure::mendFirstMismatch()
{
    std::vector<Factor> factors(m_scene.size(), PerAxis<std::int64_t>{1, 1});
    for (std::size_t entry = 0; entry < m_scene.size(); ++entry) {
        const Factor at = largest(factors, entry);
        if (at)
            for (const std::int32_t source : m_scene.paths(entry))
                if (source >= 0 && factors[index(source)] && factors[index(source)] != at)
                    return chooseAbove(index(source), *at, *factors[index(source)]) ? std::optional(false)
                                                                                    : std::nullopt;
        factors[entry] = after(entry, at, factors);
    }
    return true;
}

Factor Closure::largest(const std::vector<Factor>& factors, std::size_t entry) const
{
    Factor out;
    if (m_scene.paths(entry).empty()) return PerAxis<std::int64_t>{1, 1};
    for (const std::int32_t source : m_scene.paths(entry)) {
        if (source < 0 || !factors[index(source)]) continue;
        const PerAxis<std::int64_t>& in = *factors[index(source)];
        out = out ? PerAxis<std::int64_t>{std::max(out->h, in.h), std::max(out->w, in.w)} : in;
    }
    return out;
}

Factor Closure::after(std::size_t entry, Factor in, const std::vector<Factor>& factors) const
{
    const LayerReport* layer = m_scene.layer(entry);
    if (layer && !layer->finite) return std::nullopt;
    const auto all = m_scene.inputs(entry), paths = m_scene.paths(entry);
    if (all.size() > paths.size() && all[paths.size()] >= 0)
        return factors[index(all[paths.size()])];  // follows another map's size
    if (in && m_chosen[entry]) {
        const PerAxis<std::int64_t> own = factorOf(entry);
        in = PerAxis<std::int64_t>{in->h * own.h, in->w * own.w};
    }
    return in;
}

// Chooses the nearest layers above (and at) `entry` that bring what is missing, on every path.
bool Closure::chooseAbove(std::size_t entry, PerAxis<std::int64_t> wanted, PerAxis<std::int64_t> have)
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
        if (!passable(at)) return false;
        if (!m_chosen[at] && fits(at, missing)) {
            if (m_scene.kept(at)) return false;
            m_chosen[at] = true;
            continue;
        }
        if (m_scene.paths(at).empty()) return false;
        for (const std::int32_t source : m_scene.paths(at))
            if (source >= 0) open.push_back(index(source));
    }
    return true;
}

bool RelaxClosure::fits(std::size_t entry, PerAxis<std::int64_t> missing) const
{
    return (m_scene.isStrided(entry) || m_scene.isThinning(entry)) && factorOf(entry) == missing;
}

PerAxis<std::int64_t> RelaxClosure::factorOf(std::size_t entry) const
{
    const Reach& reach = *m_scene.layer(entry)->reach;
    return m_scene.isThinning(entry) ? PerAxis<std::int64_t>{reach.h.step, reach.w.step}
                                     : PerAxis<std::int64_t>{reach.h.stride, reach.w.stride};
}

std::vector<std::size_t> TightenClosure::around(std::size_t entry)
{
    if (m_scene.kept(entry) || !fits(entry, m_stride)) return {};
    m_above.assign(m_scene.size(), false);
    std::vector<std::size_t> open{entry};
    while (!open.empty()) {
        const std::size_t at = open.back();
        open.pop_back();
        for (const std::int32_t source : m_scene.paths(at)) {
            if (source < 0 || m_above[index(source)]) continue;
            m_above[index(source)] = true;
            open.push_back(index(source));
        }
    }
    return closed(entry);
}

bool TightenClosure::fits(std::size_t entry, PerAxis<std::int64_t> missing) const
{
    return missing == m_stride && m_scene.op(entry).opClass == OpClass::Convolution && keepsSide(entry);
}

bool TightenClosure::keepsSide(std::size_t entry) const
{
    const LayerReport* layer = m_scene.layer(entry);
    const auto keeps = [](const AxisReach& r) {
        return r.kind == ReachKind::Window && r.stride == 1 && r.padBegin + r.padEnd == r.effectiveKernel() - 1;
    };
    return layer && layer->finite && keeps(layer->reach->h) && keeps(layer->reach->w);
}

}  // namespace fovea::refine
