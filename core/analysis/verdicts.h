// Verdicts of layers and bounds of a network, from fields. Definitions: arXiv 2106.12307, arXiv 2211.14487.
#pragma once

#include "core/analysis/report.h"

namespace fovea {

Verdict judge(const PerAxis<FieldReport>& field, const PerAxis<std::int64_t>& side);

// Convolutions and poolings that slide: what is judged, and what the bounds count.
bool slides(OpClass opClass);

// The effective kernel is at least as large as the layer's real input map on both axes.
bool coversMap(const LayerReport& layer);

// Largest fields over the layers added so far, along one axis.
class Bounds {
public:
    void add(const FieldReport& field, const AxisReach& reach);

private:
    friend void setBounds(Summary& summary, const Bounds& h, const Bounds& w);
    bool m_any = false, m_anyWindow = false;
    std::int64_t m_rfMin = 0, m_rfMax = 0, m_inMin = 0, m_kernelJump = 0;
};

// Sets i_min and its kin; they stay empty where nothing counts.
void setBounds(Summary& summary, const Bounds& h, const Bounds& w);

}  // namespace fovea
