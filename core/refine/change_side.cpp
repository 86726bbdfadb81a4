// Another side of the image: the one change that touches no layer at all.
#include "core/refine/moves.h"
#include "core/refine/score.h"

#include <algorithm>
#include <cstdlib>
#include <optional>

namespace fovea::refine {

namespace {

// The side nearest to `side` from `least` to `most`, a multiple of `stride` where that range has one.
std::int64_t fitted(std::int64_t side, std::int64_t least, std::int64_t most, std::int64_t stride)
{
    if (side > most) {
        const std::int64_t down = most / stride * stride;
        return down >= least ? down : most;
    }
    if (side >= least) return side;
    const std::int64_t up = (least + stride - 1) / stride * stride;
    return up <= std::max(least, most) ? up : least;
}

using Side = PerAxis<std::int64_t>;

// The side nearest to `wanted` at which the network has no errors: a head may read a map of one size only.
std::optional<Side> withoutErrors(const Scene& scene, const Node& input, const Side& wanted, const Side& stride)
{
    const Report& report = scene.report();
    const std::int64_t most = 2 * std::clamp<std::int64_t>(std::max(report.side.h, report.side.w), 256, 1024);
    std::vector<Side> sides{wanted};
    for (std::int64_t n = 1; n * std::max(stride.h, stride.w) <= most; ++n)
        for (const Side& side :
             {Side{n * stride.h, n * stride.w}, Side{wanted.h, n * stride.w}, Side{n * stride.h, wanted.w}})
            sides.push_back(side);
    const auto distance = [&](const Side& side) { return std::abs(side.h - wanted.h) + std::abs(side.w - wanted.w); };
    std::stable_sort(sides.begin(), sides.end(),
                     [&](const Side& a, const Side& b) { return distance(a) < distance(b); });
    const auto fits = std::find_if(sides.begin(), sides.end(), [&](const Side& side) {
        return side != report.side && std::max(side.h, side.w) <= most &&
               !firstError(analyze(withSide(scene.graph(), side.h, side.w, input.name), {.input = input.name}));
    });
    return fits == sides.end() ? std::nullopt : std::optional(*fits);
}

}  // namespace

std::vector<Candidate> changeSide(const Scene& scene)
{
    const Report& report = scene.report();
    const Summary& summary = report.summary;
    const Node* input = scene.graph().find(report.input);
    if (!summary.iMin || !summary.iMinProductive || !summary.iMax || !input || scene.keeps(report.input)) return {};
    if (dependsOnUnknown(summary)) return {};  // bounds of a part are no range for the whole
    // By which the side should divide.
    const Side stride = coarsestJump(report);
    Side side{fitted(report.side.h, std::max(summary.iMin->h, summary.iMinProductive->h), summary.iMax->h, stride.h),
              fitted(report.side.w, std::max(summary.iMin->w, summary.iMinProductive->w), summary.iMax->w, stride.w)};
    if (firstError(report)) {
        const std::optional<Side> other = withoutErrors(scene, *input, side, stride);
        if (!other) return {};
        side = *other;
    }
    if (side == report.side || side.h > 1'000'000 || side.w > 1'000'000) return {};
    if (!input->attrs.getInts("shape")) return {};
    return {{Change::resize(scene.graph(), *input, side)}};
}

}  // namespace fovea::refine
