#include "core/analysis/findings/findings.h"

namespace fovea::findings {

void aboutOpaque(const Report& report, Issues& issues)
{
    for (const LayerReport& layer : report.layers) {
        if (layer.op->opClass != OpClass::Opaque || layer.kind() == "Constant") continue;
        const std::string type = layer.node->attrs.getText("onnx_op", layer.kind());
        const bool stated = !layer.node->attrs.getText("reach").empty();
        issues.push_back({"opaque-layer", stated ? Severity::Info : Severity::Warning, layer.name(), "reach",
                          "Fovea does not know '" + type + "'; it is kept as it is, and its parameters and MACs are not counted.",
                          stated ? "It is analysed with the reach you stated."
                                 : "State its reach (for example k3s2p1) to have the layers behind it analysed."});
    }
}

}  // namespace fovea::findings
