// Another side of the image: the one change that touches no layer at all.
#include "core/refine/moves.h"
#include "core/refine/score.h"

#include <algorithm>

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

}  // namespace

std::vector<Candidate> changeSide(const Scene& scene)
{
    const Report& report = scene.report();
    const Summary& summary = report.summary;
    const Node* input = scene.graph().find(report.input);
    if (!summary.iMin || !summary.iMinProductive || !summary.iMax || !input || scene.keeps(report.input)) return {};
    // By which the side should divide.
    const PerAxis<std::int64_t> stride = coarsestJump(report);
    const std::int64_t h =
        fitted(report.side.h, std::max(summary.iMin->h, summary.iMinProductive->h), summary.iMax->h, stride.h);
    const std::int64_t w =
        fitted(report.side.w, std::max(summary.iMin->w, summary.iMinProductive->w), summary.iMax->w, stride.w);
    if (PerAxis<std::int64_t>{h, w} == report.side || h > 1'000'000 || w > 1'000'000) return {};
    const Ints* shape = input->attrs.getInts("shape");
    if (!shape || shape->size() != 4) return {};
    return {{{Change::set(*input, "shape", Ints{(*shape)[0], (*shape)[1], h, w})}}};
}

}  // namespace fovea::refine
