#include "core/analysis/findings/findings.h"

namespace fovea::findings {

namespace {

bool skipsUnits(const AxisReach& reach) { return reach.kind == ReachKind::Window && reach.stride > reach.effectiveKernel(); }

// A window without a middle, padded on one side more than on the other, shifts the map by half a unit.
bool isShifted(const AxisReach& reach)
{
    return reach.kind == ReachKind::Window && reach.effectiveKernel() % 2 == 0 && reach.padBegin != reach.padEnd;
}

// " along the height"; empty where it holds on both axes.
const char* alongAxis(bool h, bool w) { return h && w ? "" : h ? " along the height" : " along the width"; }

}  // namespace

void aboutWindows(const Report& report, Issues& issues)
{
    for (const LayerReport& layer : report.layers) {
        if (layer.coversMap)
            issues.push_back({"kernel-covers-map", Severity::Warning, layer.name(), "kernel_size",
                              "The kernel is at least as large as its " + layer.in[0].shape.text() +
                                  " input map, so the layer acts as a fully connected one.",
                              "Downsample less before it, or use larger images."});
        if (!layer.window) continue;
        const auto& [h, w] = *layer.reach;
        if (const bool onH = skipsUnits(h), onW = skipsUnits(w); onH || onW)
            issues.push_back({"pixels-skipped", Severity::Warning, layer.name(), "stride",
                              std::string("The stride is larger than the kernel") + alongAxis(onH, onW) +
                                  ", so some units of the input are never read.",
                              "Use a kernel at least as large as the stride."});
        if (const bool onH = isShifted(h), onW = isShifted(w); onH || onW)
            issues.push_back({"even-kernel-padding", Severity::Info, layer.name(), "padding",
                              std::string("An even kernel is padded on one side more than on the other") + alongAxis(onH, onW) +
                                  ", so the map moves by half a unit.",
                              "Use an odd kernel with equal padding where positions matter."});
    }
}

}  // namespace fovea::findings
