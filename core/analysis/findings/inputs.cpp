#include "core/analysis/findings/findings.h"

#include "core/analysis/verdicts.h"

#include <set>

namespace fovea::findings {

namespace {

// Whether a layer that slides over images is reached from the input.
bool leadsToWindows(const Report& report, NodeId input)
{
    std::set<NodeId> reached{input};
    for (const LayerReport& layer : report.layers)
        for (const Port& port : layer.node->inputs) {
            if (!reached.contains(port.node)) continue;
            if (slides(layer.op->opClass)) return true;
            reached.insert(layer.id);
            break;
        }
    return false;
}

bool isImage(const Report& report, const Node& node)
{
    const Ints* shape = node.kind == "Input" ? node.attrs.getInts("shape") : nullptr;
    return shape && shape->size() == 4 && leadsToWindows(report, node.id);
}

}  // namespace

void aboutInputs(const Report& report, Issues& issues)
{
    if (report.inputs.empty()) return;
    if (report.input == kNoNode) {
        issues.push_back({"no-image-input", Severity::Warning, "", "",
                          "No input of the network is an image that a convolution or pooling reads, so there are no "
                          "fields, verdicts or bounds; the cost is counted.",
                          "Where an inner tensor is the image, name it with --input."});
        return;
    }
    for (const auto& node : report.graph.nodes()) {
        if (node->kind != "Input" || node->id == report.input || !isImage(report, *node)) continue;
        issues.push_back({"other-image-input", Severity::Info, node->name, "",
                          "'" + node->name + "' is an image too, but fields are those of '" + report.inputName +
                              "' alone; it carries none.",
                          "Name it with --input to have it analysed instead."});
    }
}

}  // namespace fovea::findings
