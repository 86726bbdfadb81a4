// Gridding of dilated convolutions: Wang et al., "Understanding Convolution for Semantic Segmentation",
// arXiv 1702.08502, section 3.2.
#include "core/analysis/findings/findings.h"

#include <algorithm>
#include <bitset>
#include <memory>

namespace fovea::findings {

namespace {

// Longer runs are not followed.
constexpr std::int64_t kReach = 2048;

// Which units of the map where a run of dilated layers began one unit reads, along one axis.
struct Taps {
    std::bitset<static_cast<std::size_t>(kReach)> units;  // unit `low` first
    std::int64_t low = 0, high = 0;

    static Taps one()
    {
        Taps taps;
        taps.units.set(0);
        return taps;
    }
    std::int64_t extent() const { return high - low + 1; }
    bool hasHoles() const { return static_cast<std::int64_t>(units.count()) < extent(); }
};

// What a tensor has read since its grid began; null: one unit of it.
struct Run {
    Taps h = Taps::one(), w = Taps::one();
    const LayerReport* last = nullptr;  // latest dilated layer; null: none, or given up as too long
};
using RunPtr = std::shared_ptr<const Run>;

Taps slid(const Taps& in, const AxisReach& reach)
{
    Taps out = in;
    out.units.reset();
    for (std::int64_t tap = 0; tap < reach.kernel; ++tap) out.units |= in.units << static_cast<std::size_t>(tap * reach.dilation);
    out.low = in.low - reach.padBegin;
    out.high = in.high - reach.padBegin + reach.effectiveKernel() - 1;
    return out;
}

Taps united(const Taps& a, const Taps& b)
{
    Taps out;
    out.low = std::min(a.low, b.low);
    out.high = std::max(a.high, b.high);
    out.units = a.units << static_cast<std::size_t>(a.low - out.low) | b.units << static_cast<std::size_t>(b.low - out.low);
    return out;
}

bool fitsUnited(const Taps& a, const Taps& b) { return std::max(a.high, b.high) - std::min(a.low, b.low) < kReach; }

bool isDilated(const AxisReach& reach) { return reach.kind == ReachKind::Window && reach.dilation > 1 && reach.kernel > 1; }

bool isDilated(const LayerReport& layer) { return layer.window && (isDilated(layer.reach->h) || isDilated(layer.reach->w)); }

// The layer's output lies on the grid of its input.
bool keepsGrid(const AxisReach& reach)
{
    return reach.kind == ReachKind::Same || (reach.kind == ReachKind::Window && reach.stride == 1);
}

bool fits(const Taps& taps, const AxisReach& reach) { return saturatingAdd(taps.extent(), reach.effectiveKernel()) <= kReach; }

class Gridding {
public:
    explicit Gridding(const Report& report) : m_report(report), m_runs(report.tensors->values.size()) {}

    void find(Issues& issues)
    {
        for (const LayerReport& layer : m_report.layers) follow(layer);
        for (const GraphOutput& output : m_report.graph.outputs())
            if (const LayerReport* layer = m_report.find(output.port.node); layer && !layer->out.empty()) end(m_runs[m_report.tensors->positionOf(layer->out[0])]);
        if (!m_first.last) return;
        const Taps& taps = m_first.h.hasHoles() ? m_first.h : m_first.w;
        issues.push_back({"dilation-gridding", Severity::Info, m_first.last->name(), "dilation",
                          "Up to this layer the dilated kernels read " + std::to_string(taps.units.count()) + " of the " + std::to_string(taps.extent()) +
                              " units in their reach" + (m_first.h.hasHoles() ? "" : " along the width") + "; the others are never read together with them.",
                          "Use dilations without a common factor (1, 2, 5), or add an undilated convolution behind them."});
    }

private:
    void follow(const LayerReport& layer)
    {
        if (layer.out.empty() || !layer.finite) return;
        RunPtr joined;
        for (std::size_t i = 0; i < layer.in.size(); ++i)
            if (layer.in.position(i) >= 0) {
                const RunPtr& run = m_runs[static_cast<std::size_t>(layer.in.position(i))];
                joined = i == 0 ? run : join(joined, run);
            }
        if (!keepsGrid(layer.reach->h) || !keepsGrid(layer.reach->w)) return end(joined);
        if (*layer.reach != Reach{}) joined = stepped(joined, layer);
        for (const Value& value : layer.out) m_runs[m_report.tensors->positionOf(value)] = joined;
    }

    static RunPtr join(const RunPtr& a, const RunPtr& b)
    {
        if (a == b) return a;
        const Run left = a ? *a : Run{}, right = b ? *b : Run{};
        if (!fitsUnited(left.h, right.h) || !fitsUnited(left.w, right.w)) return nullptr;
        return std::make_shared<Run>(Run{united(left.h, right.h), united(left.w, right.w), left.last ? left.last : right.last});
    }

    static RunPtr stepped(const RunPtr& in, const LayerReport& layer)
    {
        const Run run = in ? *in : Run{};
        if (!fits(run.h, layer.reach->h) || !fits(run.w, layer.reach->w)) return nullptr;
        return std::make_shared<Run>(Run{slid(run.h, layer.reach->h), slid(run.w, layer.reach->w), isDilated(layer) ? &layer : run.last});
    }

    void end(const RunPtr& run)
    {
        if (!run || !run->last || (!run->h.hasHoles() && !run->w.hasHoles())) return;
        if (!m_first.last) m_first = *run;
    }

    const Report& m_report;
    std::vector<RunPtr> m_runs;  // per tensor
    Run m_first;                 // the first that ended with holes
};

}  // namespace

void aboutDilation(const Report& report, Issues& issues)
{
    const auto dilated = [](const LayerReport& layer) { return isDilated(layer); };
    if (std::any_of(report.layers.begin(), report.layers.end(), dilated)) Gridding(report).find(issues);
}

}  // namespace fovea::findings
