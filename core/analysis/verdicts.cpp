#include "core/analysis/verdicts.h"

#include <algorithm>

namespace fovea {

namespace {

// On one axis, every path into the layer has already seen the whole side.
bool seenAll(const FieldReport& field, std::int64_t side) { return field.inMin >= side && field.rfMin > side; }

}  // namespace

Verdict judge(const PerAxis<FieldReport>& field, const PerAxis<std::int64_t>& side)
{
    const bool h = seenAll(field.h, side.h), w = seenAll(field.w, side.w);
    if (h && w) return Verdict::Unproductive;
    if (h || w) return Verdict::Partial;
    return field.h.rfMin > side.h || field.w.rfMin > side.w ? Verdict::Critical : Verdict::Productive;
}

bool slides(OpClass opClass)
{
    return opClass == OpClass::Convolution || opClass == OpClass::Transposed || opClass == OpClass::Pooling;
}

bool coversMap(const LayerReport& layer)
{
    if (!layer.window || layer.in.empty()) return false;
    const std::int64_t h = layer.in[0].height(), w = layer.in[0].width();
    // A unit of a transposed convolution reads every stride-th tap.
    const auto covers = [](const AxisReach& r, std::int64_t side) {
        const bool transposed = r.kind == ReachKind::Transposed && r.stride > 1;
        return (transposed ? ceilDiv(r.effectiveKernel(), r.stride) : r.effectiveKernel()) >= side;
    };
    return h > 0 && w > 0 && covers(layer.reach->h, h) && covers(layer.reach->w, w);
}

void Bounds::add(const FieldReport& field, const AxisReach& reach)
{
    m_any = true;
    m_rfMin = std::max(m_rfMin, field.rfMin);
    m_rfMax = std::max(m_rfMax, field.rfMax);
    m_kernelJump = std::max(m_kernelJump, (Rational(reach.kernel) * field.jump).ceil());
    if (reach.effectiveKernel() > 1) {
        m_anyWindow = true;
        m_inMin = std::max(m_inMin, field.inMin);
    }
}

void setBounds(Summary& summary, const Bounds& h, const Bounds& w)
{
    if (!h.m_any || !w.m_any) return;
    summary.iMin = {h.m_rfMin, w.m_rfMin};
    summary.iMax = {h.m_rfMax, w.m_rfMax};
    summary.iMinRfa = {std::max(h.m_rfMin, h.m_kernelJump), std::max(w.m_rfMin, w.m_kernelJump)};
    if (h.m_anyWindow || w.m_anyWindow) summary.iMinProductive = {h.m_inMin + 1, w.m_inMin + 1};
}

}  // namespace fovea
