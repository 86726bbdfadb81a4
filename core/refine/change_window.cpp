// Smaller or larger kernels and dilations in several layers at once, with the padding that keeps every map's side.
// Kernels: a wide kernel costs field where downsampling has made steps large (arXiv 2211.14487 moves kernels
// forward). Dilation changes the field and no parameter at all.
#include "core/refine/moves.h"

#include <algorithm>
#include <map>

namespace fovea::refine {

namespace {

using Entries = std::vector<std::size_t>;

bool keepsGrid(const AxisReach& r)
{
    return r.kind == ReachKind::Window && r.kernel % 2 == 1 && r.padBegin == r.padEnd &&
           r.padBegin + r.padEnd == r.effectiveKernel() - 1;
}

bool isCandidate(const Scene& scene, std::size_t entry)
{
    const LayerReport* layer = scene.layer(entry);
    return layer && layer->finite && layer->window && !scene.kept(entry) &&
           scene.op(entry).opClass == OpClass::Convolution && keepsGrid(layer->reach->h) && keepsGrid(layer->reach->w);
}

struct Window {
    PerAxis<std::int64_t> kernel, dilation;
};

void change(const Scene& scene, std::size_t entry, const Window& window, Candidate& candidate)
{
    const Reach& reach = *scene.layer(entry)->reach;
    const Node& node = scene.node(entry);
    if (window.kernel != PerAxis<std::int64_t>{reach.h.kernel, reach.w.kernel})
        candidate.changes.push_back(Change::set(node, "kernel_size", scene.pair(entry, window.kernel)));
    if (window.dilation != PerAxis<std::int64_t>{reach.h.dilation, reach.w.dilation})
        candidate.changes.push_back(Change::set(node, "dilation", scene.pair(entry, window.dilation)));
    const PerAxis<std::int64_t> around{(window.kernel.h - 1) * window.dilation.h / 2,
                                       (window.kernel.w - 1) * window.dilation.w / 2};
    if (around != PerAxis<std::int64_t>{reach.h.padBegin, reach.w.padBegin})
        setPadding(node, scene.padding(entry, around, around), candidate.changes);
}

Window windowOf(const Scene& scene, std::size_t entry)
{
    const Reach& reach = *scene.layer(entry)->reach;
    return {{reach.h.kernel, reach.w.kernel}, {reach.h.dilation, reach.w.dilation}};
}

Window shrunk(Window window)
{
    window.kernel = {std::min<std::int64_t>(3, window.kernel.h), std::min<std::int64_t>(3, window.kernel.w)};
    return window;
}

Window grown(Window window)
{
    window.kernel = {window.kernel.h > 1 ? window.kernel.h + 2 : 1, window.kernel.w > 1 ? window.kernel.w + 2 : 1};
    return window;
}

// Windows by the cumulative stride of what they read: the stages of a network, whatever they are called.
std::map<std::int64_t, Entries> stagesOf(const Scene& scene)
{
    std::map<std::int64_t, Entries> out;
    for (std::size_t entry = 0; entry < scene.size(); ++entry) {
        if (!isCandidate(scene, entry)) continue;
        const LayerReport& layer = *scene.layer(entry);
        out[layer.field.h.jump.ceil() / std::max<std::int64_t>(1, layer.reach->h.stride)].push_back(entry);
    }
    return out;
}

bool isWide(const Scene& scene, std::size_t entry)
{
    const Window window = windowOf(scene, entry);
    return window.kernel.h > 3 || window.kernel.w > 3;
}

// The early windows 7x7 and the wide late ones 3x3: the field comes where steps are small.
void addForward(const Scene& scene, const std::map<std::int64_t, Entries>& stages, std::vector<Candidate>& out)
{
    constexpr std::int64_t kEarly = 4;  // cumulative stride of what early windows read, at most
    const auto seven = [](Window window) {
        const auto wide = [](std::int64_t kernel) { return kernel > 1 ? std::max<std::int64_t>(7, kernel) : 1; };
        return Window{{wide(window.kernel.h), wide(window.kernel.w)}, window.dilation};
    };
    Candidate candidate;
    bool late = false, early = false;
    for (const auto& [jump, entries] : stages) {
        if (jump == 1) continue;  // the stem has a move of its own
        for (const std::size_t entry : entries) {
            if (isWide(scene, entry)) {
                late = true;
                change(scene, entry, shrunk(windowOf(scene, entry)), candidate);
            } else if (jump <= kEarly) {
                early = true;
                change(scene, entry, seven(windowOf(scene, entry)), candidate);
            }
        }
    }
    if (early && late) out.push_back(std::move(candidate));
}

void add(const Scene& scene, const Entries& entries, Window (*to)(Window), std::vector<Candidate>& out)
{
    Candidate candidate;
    for (const std::size_t entry : entries) change(scene, entry, to(windowOf(scene, entry)), candidate);
    if (!candidate.changes.empty()) out.push_back(std::move(candidate));
}

}  // namespace

std::vector<Candidate> changeKernels(const Scene& scene)
{
    std::vector<Candidate> out;
    const auto stages = stagesOf(scene);
    if (scene.isSmallField()) {
        for (const auto& [jump, entries] : stages) add(scene, entries, grown, out);
        return out;
    }
    Entries downsampling, late;
    for (const auto& [jump, entries] : stages) {
        if (jump == 1) continue;  // the stem has a move of its own
        Entries wide;
        std::copy_if(entries.begin(), entries.end(), std::back_inserter(wide),
                     [&](std::size_t entry) { return isWide(scene, entry); });
        for (const std::size_t entry : wide)
            if (scene.isStrided(entry)) downsampling.push_back(entry);
        if (!wide.empty()) add(scene, wide, shrunk, out);
        late.insert(late.end(), wide.begin(), wide.end());
    }
    add(scene, downsampling, shrunk, out);
    if (stages.size() > 2) add(scene, late, shrunk, out);
    addForward(scene, stages, out);
    return out;
}

std::vector<Candidate> changeDilations(const Scene& scene)
{
    std::vector<Candidate> out;
    const bool small = scene.isSmallField();
    for (const auto& [jump, entries] : stagesOf(scene)) {
        Entries at;
        for (const std::size_t entry : entries) {
            const Window window = windowOf(scene, entry);
            const bool dilated = window.dilation.h > 1 || window.dilation.w > 1;
            if (small ? !scene.isStrided(entry) && !dilated : dilated) at.push_back(entry);
        }
        const auto doubled = [](Window w) { return Window{w.kernel, {w.dilation.h * 2, w.dilation.w * 2}}; };
        const auto plain = [](Window w) { return Window{w.kernel, {1, 1}}; };
        if (!at.empty()) add(scene, at, small ? +doubled : +plain, out);
    }
    return out;
}

}  // namespace fovea::refine
