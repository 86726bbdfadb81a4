#include "core/analysis/findings/findings.h"

#include "core/ops/opaque.h"

#include <map>

namespace fovea::findings {

namespace {

// Layers that could not be read for one reason, and what lies behind them.
struct Cause {
    const LayerReport* first = nullptr;
    int alike = 0;   // layers that could not be read for this reason, beside the first
    int behind = 0;  // layers whose fields depend on one of them
};

std::string typeOf(const LayerReport& layer) { return layer.node->attrs.getText("onnx_op", layer.kind()); }

std::string whyOf(const LayerReport& layer)
{
    return layer.op->opClass == OpClass::Opaque ? whyOpaque(*layer.node)
                                                : "what it reads along height and width is not known";
}

class Causes {
public:
    explicit Causes(const Report& report) : m_report(report), m_of(report.tensors->values.size(), -1)
    {
        for (const LayerReport& layer : report.layers)
            if (layer.unknown) follow(layer);
    }

    const std::vector<Cause>& all() const { return m_causes; }

private:
    void follow(const LayerReport& layer)
    {
        int cause = -1;
        for (std::size_t i = 0; i < layer.in.size() && cause < 0; ++i)
            if (layer.in.position(i) >= 0) cause = m_of[static_cast<std::size_t>(layer.in.position(i))];
        if (cause >= 0) ++m_causes[static_cast<std::size_t>(cause)].behind;
        else cause = begun(layer);
        for (const Value& value : layer.out) m_of[m_report.tensors->positionOf(value)] = cause;
    }

    int begun(const LayerReport& layer)
    {
        const auto [it, isNew] =
            m_index.emplace(std::pair(typeOf(layer), whyOf(layer)), static_cast<int>(m_causes.size()));
        if (isNew) m_causes.push_back({&layer, 0, 0});
        else ++m_causes[static_cast<std::size_t>(it->second)].alike;
        return it->second;
    }

    const Report& m_report;
    std::vector<Cause> m_causes;
    std::map<std::pair<std::string, std::string>, int> m_index;
    std::vector<int> m_of;  // per tensor: the cause that its field is unknown for, or -1
};

void aboutCause(const Cause& cause, Issues& issues)
{
    const LayerReport& layer = *cause.first;
    std::string message = "'" + layer.name() + "': " + whyOf(layer);
    if (cause.alike > 0) message += "; so it is with " + std::to_string(cause.alike) + " more of its type";
    message += cause.behind == 0 ? ". No layer depends on it."
                                 : ". The fields of " + std::to_string(cause.behind) +
                                       (cause.behind == 1 ? " layer" : " layers") + " behind it are unknown for that.";
    const bool opaque = layer.op->opClass == OpClass::Opaque;
    issues.push_back({"unknown-layer", Severity::Warning, layer.name(), opaque ? "reach" : "", message,
                      opaque ? "State its reach to have the layers behind it analysed: k3s2p1, up2, same or global; "
                               "for all layers of its type as op:" +
                                   typeOf(layer) + "."
                             : "Fields are computed for layers that read images along height and width."});
}

}  // namespace

void aboutOpaque(const Report& report, Issues& issues)
{
    const Causes causes(report);
    for (const Cause& cause : causes.all()) aboutCause(cause, issues);
    for (const LayerReport& layer : report.layers) {
        if (layer.op->opClass != OpClass::Opaque || layer.node->attrs.getText("reach").empty()) continue;
        issues.push_back({"opaque-layer", Severity::Info, layer.name(), "reach",
                          "Fovea does not know what '" + typeOf(layer) + "' reads here; it is kept as it is.",
                          "It is analysed with the reach you stated."});
    }
}

}  // namespace fovea::findings
