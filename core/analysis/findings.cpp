#include "core/analysis/findings.h"

namespace fovea {

namespace {

std::string sides(const PerAxis<std::int64_t>& value)
{
    return value.h == value.w ? std::to_string(value.h) : std::to_string(value.h) + "x" + std::to_string(value.w);
}

void aboutVerdicts(Report& report)
{
    const Summary& summary = report.summary;
    bool anyWindow = false;
    for (const LayerReport& layer : report.layers) anyWindow = anyWindow || layer.window;
    if (!anyWindow) {
        report.issues.push_back({"no-window-layers", Severity::Info, "", "", "The network has no convolution or pooling with a kernel above 1, so no layer is judged.",
                                 "Receptive field analysis needs layers that slide over the image."});
        return;
    }
    const int dead = summary.count(Verdict::Unproductive);
    if (dead > 0) {
        const LayerReport* border = report.find(*summary.borderLayer);
        report.issues.push_back({"unproductive-layers", Severity::Warning, border ? border->name : "", "",
                                 std::to_string(dead) + (dead == 1 ? " layer is" : " layers are") + " unproductive at " + sides(report.side) +
                                     " px: every path into " + (dead == 1 ? "it" : "them") + " has already seen the whole image.",
                                 "Relax a stride or move a pooling later so that i_min (" + sides(*summary.iMin) + ") falls below the side, or use larger images."});
    }
    if (summary.iMax && (summary.iMax->h < report.side.h || summary.iMax->w < report.side.w))
        report.issues.push_back({"field-smaller-than-input", Severity::Info, "", "",
                                 "The largest receptive field is " + sides(*summary.iMax) + " px, smaller than the " + sides(report.side) + " px input: larger patterns cannot be seen as a whole.",
                                 "Downsample earlier, dilate or grow kernels, or use smaller images."});
}

void aboutLayer(const LayerReport& layer, std::vector<Issue>& issues)
{
    if (layer.coversMap)
        issues.push_back({"kernel-covers-map", Severity::Warning, layer.name, "kernel_size",
                          "The kernel is at least as large as its " + layer.in[0].shape.text() + " input map, so the layer acts as a fully connected one.",
                          "Downsample less before it, or use larger images."});
    const bool skips = layer.window && layer.reach.h.kind == ReachKind::Window &&
                       (layer.reach.h.stride > layer.reach.h.effectiveKernel() || layer.reach.w.stride > layer.reach.w.effectiveKernel());
    if (skips)
        issues.push_back({"pixels-skipped", Severity::Warning, layer.name, "stride",
                          "The stride is larger than the kernel, so some units of the input are never read.", "Use a kernel at least as large as the stride."});
}

void aboutOpaque(const Graph& graph, const LayerReport& layer, std::vector<Issue>& issues)
{
    if (layer.kind == "Constant") return;
    const Node& node = graph.at(layer.id);
    if (opFor(layer.kind).opClass != OpClass::Opaque) return;
    const std::string type = node.attrs.getText("onnx_op", layer.kind);
    const bool stated = !node.attrs.getText("reach").empty();
    issues.push_back({"opaque-layer", stated ? Severity::Info : Severity::Warning, layer.name, "reach",
                      "Fovea does not know '" + type + "'; it is kept as it is, and its parameters and MACs are not counted.",
                      stated ? "It is analysed with the reach you stated." : "State its reach (for example k3s2p1) to have the layers behind it analysed."});
}

}  // namespace

void addFindings(const Graph& graph, Report& report)
{
    aboutVerdicts(report);
    for (const LayerReport& layer : report.layers) {
        aboutLayer(layer, report.issues);
        aboutOpaque(graph, layer, report.issues);
    }
}

}  // namespace fovea
