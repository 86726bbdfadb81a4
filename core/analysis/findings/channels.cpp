#include "core/analysis/findings/findings.h"

#include <algorithm>

namespace fovea::findings {

namespace {

// Published bottlenecks narrow by 4 to 6; a factor of 8 on both sides is more than any of them.
constexpr std::int64_t kNarrow = 8;

bool narrows(const LayerReport& layer)
{
    return layer.op->opClass == OpClass::Convolution && layer.finite && !layer.in.empty() && !layer.out.empty() &&
           layer.out[0].channels() > 0 && layer.in[0].channels() / kNarrow >= layer.out[0].channels();
}

// Who reads what, as rows of the report.
struct Readers {
    std::vector<std::vector<std::size_t>> of;  // per tensor

    explicit Readers(const Report& report) : of(report.tensors->values.size())
    {
        for (std::size_t row = 0; row < report.layers.size(); ++row)
            for (std::size_t i = 0; i < report.layers[row].in.size(); ++i)
                if (const std::int32_t at = report.layers[row].in.position(i); at >= 0)
                    of[static_cast<std::size_t>(at)].push_back(row);
    }
};

// Channels of the widest convolution that reads the tensor through norms and activations; 0 where none does,
// or where anything else reads it.
std::int64_t widenedTo(const Report& report, const Readers& readers, std::size_t tensor)
{
    std::int64_t widest = 0;
    std::vector<std::size_t> open{tensor};
    for (std::size_t next = 0; next < open.size(); ++next)
        for (const std::size_t row : readers.of[open[next]]) {
            const LayerReport& layer = report.layers[row];
            const OpClass opClass = layer.op->opClass;
            if (layer.out.empty()) return 0;
            if (opClass == OpClass::Convolution) widest = std::max(widest, layer.out[0].channels());
            else if (opClass == OpClass::Normalization || opClass == OpClass::Activation || opClass == OpClass::Regularization)
                open.push_back(report.tensors->positionOf(layer.out[0]));
            else return 0;
        }
    return widest;
}

void check(const Report& report, const Readers& readers, const LayerReport& layer, Issues& issues)
{
    const std::int64_t in = layer.in[0].channels(), out = layer.out[0].channels();
    const std::int64_t next = widenedTo(report, readers, report.tensors->positionOf(layer.out[0]));
    if (next / kNarrow < out) return;
    issues.push_back({"channel-bottleneck", Severity::Info, layer.name(), "out_channels",
                      "All that is known of the image passes through " + std::to_string(out) + " channels, between " +
                          std::to_string(in) + " before and " + std::to_string(next) + " behind.",
                      "Give the layer more channels, or a shortcut around it."});
}

}  // namespace

void aboutChannels(const Report& report, Issues& issues)
{
    if (std::none_of(report.layers.begin(), report.layers.end(), narrows)) return;
    const Readers readers(report);
    std::size_t open = 0;  // last reader of any map made before the row at hand: beyond it, a path goes around
    for (std::size_t row = 0; row < report.layers.size(); ++row) {
        const LayerReport& layer = report.layers[row];
        if (open <= row && narrows(layer)) check(report, readers, layer, issues);
        for (const Value& value : layer.out)
            if (const auto& rows = readers.of[report.tensors->positionOf(value)]; layer.finite && !rows.empty())
                open = std::max(open, rows.back());
    }
}

}  // namespace fovea::findings
