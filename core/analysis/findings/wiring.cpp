#include "core/analysis/findings/findings.h"

#include <algorithm>

namespace fovea::findings {

namespace {

// What feeds each tensor.
enum class Source : std::uint8_t { Nothing, Constants, Input };

Source sourceOf(const LayerReport& layer, const std::vector<Source>& sources)
{
    if (layer.in.empty()) return layer.op->minInputs == 0 ? Source::Constants : Source::Nothing;
    Source best = Source::Nothing;
    for (std::size_t i = 0; i < layer.in.size(); ++i)
        if (layer.in.position(i) >= 0) best = std::max(best, sources[static_cast<std::size_t>(layer.in.position(i))]);
    return best;
}

// Layers that no input leads to. One that lacks its own connection has a finding of its own already.
void aboutUnreachable(const Report& report, Issues& issues)
{
    // Tensors that no layer makes are the inputs, and constants.
    std::vector<Source> sources(report.tensors->values.size(), Source::Input);
    for (std::size_t i = 0; i < sources.size(); ++i)
        if (report.tensors->constant[i]) sources[i] = Source::Constants;
    for (const LayerReport& layer : report.layers)
        for (const Value& value : layer.out) sources[report.tensors->positionOf(value)] = Source::Nothing;
    const LayerReport* first = nullptr;
    int count = 0;
    for (const LayerReport& layer : report.layers) {
        const Source source = sourceOf(layer, sources);
        for (const Value& value : layer.out) sources[report.tensors->positionOf(value)] = source;
        if (source != Source::Nothing) continue;
        ++count;
        if (!first) first = &layer;
    }
    if (!first) return;
    issues.push_back({"unreachable-layer", Severity::Warning, first->name(), "",
                      (count == 1 ? "No input of the network leads to this layer."
                                  : "No input of the network leads to this layer and to " + std::to_string(count - 1) + " behind it."),
                      "Connect it to a layer that is fed by the image, or remove it."});
}

// Layers whose result nobody reads and that are no output of the network.
void aboutDeadOutputs(const Report& report, Issues& issues)
{
    std::vector<bool> used(report.tensors->values.size(), false);
    for (const std::int32_t source : report.tensors->sources)
        if (source >= 0) used[static_cast<std::size_t>(source)] = true;
    const auto isUsed = [&](const Value& value) { return used[report.tensors->positionOf(value)]; };
    for (const GraphOutput& output : report.graph.outputs()) {
        const LayerReport* layer = report.find(output.port.node);
        if (layer && output.port.output >= 0 && static_cast<std::size_t>(output.port.output) < layer->out.size())
            used[report.tensors->positionOf(layer->out[static_cast<std::size_t>(output.port.output)])] = true;
    }
    for (const LayerReport& layer : report.layers) {
        if (std::all_of(layer.out.begin(), layer.out.end(), isUsed) || layer.kind() == "Constant") continue;
        const bool whole = std::none_of(layer.out.begin(), layer.out.end(), isUsed);
        issues.push_back({"dead-output", whole ? Severity::Warning : Severity::Info, layer.name(), "",
                          whole ? "Nothing reads the output of this layer, and it is no output of the network."
                                : "Nothing reads one of the outputs of this layer.",
                          whole ? "Connect it, make it an output, or remove it." : "Nothing needs to be done where that is meant."});
    }
}

}  // namespace

void aboutWiring(const Report& report, Issues& issues)
{
    aboutUnreachable(report, issues);
    aboutDeadOutputs(report, issues);
}

}  // namespace fovea::findings
