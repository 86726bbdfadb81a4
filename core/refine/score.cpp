#include "core/refine/score.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>

namespace fovea::refine {

namespace {

double octaves(std::int64_t field, std::int64_t side)
{
    return field > side && side > 0 ? std::log2(static_cast<double>(field) / static_cast<double>(side)) : 0;
}

double costOctaves(const Score& score, const Score& before)
{
    return score.macs > 0 && before.macs > 0
               ? std::log2(static_cast<double>(score.macs) / static_cast<double>(before.macs))
               : 0;
}

}  // namespace

Score scoreOf(const Report& report)
{
    Score out;
    const Summary& summary = report.summary;
    out.errors = static_cast<int>(std::count_if(report.issues.begin(), report.issues.end(),
                                                [](const Issue& issue) { return issue.severity == Severity::Error; }));
    out.wasted = summary.count(Verdict::Unproductive) + summary.count(Verdict::Partial);
    out.critical = summary.count(Verdict::Critical);
    out.judged = out.wasted + out.critical + summary.count(Verdict::Productive);
    if (summary.iMin)
        out.over = std::max({std::int64_t{0}, summary.iMin->h - report.side.h, summary.iMin->w - report.side.w});
    // Behind a layer of unknown reach fields may be larger than any that is known.
    if (summary.iMax && !dependsOnUnknown(summary))
        out.shortfall = std::max({std::int64_t{0}, report.side.h - summary.iMax->h, report.side.w - summary.iMax->w});
    out.gap = out.shortfall * 16 / std::max<std::int64_t>(1, std::max(report.side.h, report.side.w));
    out.macs = summary.macs;
    out.parameters = summary.parameters;
    for (const LayerReport& layer : report.layers)
        if (layer.finite && layer.window)
            out.excess += octaves(layer.field.h.inMin, report.side.h) + octaves(layer.field.w.inMin, report.side.w);
    return out;
}

bool isSmallField(const Report& report)
{
    const auto& most = report.summary.iMax;
    return most && !dependsOnUnknown(report.summary) && (most->h < report.side.h || most->w < report.side.w);
}

PerAxis<std::int64_t> coarsestJump(const Report& report)
{
    PerAxis<std::int64_t> out{1, 1};
    for (const LayerReport& layer : report.layers) {
        if (!layer.finite) continue;
        out.h = std::max(out.h, layer.field.h.jump.ceil());
        out.w = std::max(out.w, layer.field.w.jump.ceil());
    }
    return out;
}

std::vector<Loosening> exceeded(const Score& score, const PlanRequest& limits)
{
    using Limit = Loosening::Limit;
    std::vector<Loosening> out;
    const auto atMost = [&](Limit limit, const std::optional<std::int64_t>& most, std::int64_t value) {
        if (most && value > *most) out.push_back({limit, *most, value});
    };
    atMost(Limit::Macs, limits.maxMacs, score.macs);
    atMost(Limit::MaxParameters, limits.maxParameters, score.parameters);
    atMost(Limit::Training, limits.maxTraining, score.memory);
    atMost(Limit::Inference, limits.maxInference, score.inference);
    if (limits.minParameters && score.parameters < *limits.minParameters)
        out.push_back({Limit::MinParameters, *limits.minParameters, score.parameters});
    if (limits.outputStride && score.outputStride != *limits.outputStride)
        out.push_back({Limit::OutputStride, *limits.outputStride, score.outputStride});
    return out;
}

bool relieves(const Score& after, const Score& before)
{
    if (after.errors > 0 || before.errors > 0) return after.errors == 0;
    if (after.wasted != before.wasted) return after.wasted < before.wasted;
    if (after.critical != before.critical) return after.critical < before.critical;
    return after.shortfall < before.shortfall;
}

std::array<std::int64_t, 9> aims(const Score& s)
{
    return {s.wasted, s.critical, s.over, s.gap, s.macs, s.memory, s.parameters, s.reshaped, s.edits};
}

Match match(const Score& a, const Score& b)
{
    const auto left = aims(a), right = aims(b);
    if (left == right) return Match::Equal;
    for (std::size_t i = 0; i < left.size(); ++i)
        if (left[i] > right[i]) return Match::Neither;
    return Match::Beats;
}

double compromise(const Score& score, const Score& before)
{
    const double judged = std::max(1, score.judged);
    return (4.0 * score.wasted + score.critical) / judged * 2.0 + 0.5 * score.excess / judged +
           costOctaves(score, before);
}

bool ranksBefore(const Score& a, const Score& b, Want want, const Score& before)
{
    // The paper's aim is an i_min within the side at the same parameters. Of the plans that reach it the cheapest is
    // best; a quarter of an octave in cost is worth no further edit, and a network needs no more than to cost what it
    // did.
    const auto accuracy = [&](const Score& s) {
        const double octaves = std::max(0.0, costOctaves(s, before));
        const std::int64_t quarters =
            (4 * s.reshaped + before.parameters - 1) / std::max<std::int64_t>(1, before.parameters);
        return std::tuple(s.wasted, s.over > 0, quarters, std::lround(4 * octaves), s.critical, s.gap, s.edits, s.macs);
    };
    switch (want) {
    case Want::Accuracy: return accuracy(a) < accuracy(b);
    case Want::Efficiency: return std::tuple(a.lost, a.macs, accuracy(a)) < std::tuple(b.lost, b.macs, accuracy(b));
    case Want::Balance:
        return std::tuple(compromise(a, before), accuracy(a)) < std::tuple(compromise(b, before), accuracy(b));
    }
    return false;
}

}  // namespace fovea::refine
