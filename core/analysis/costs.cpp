#include "core/analysis/costs.h"

#include "core/ops/tensor_sources.h"

namespace fovea {

namespace {

std::optional<std::int64_t> macs(const OpDef& op, const NodeView& view)
{
    return op.macs ? op.macs(view) : 0;
}

std::optional<std::int64_t> elements(const ParamSpec& spec)
{
    std::int64_t count = 1;
    for (const std::int64_t dim : spec.dims) {
        if (dim < 0) return std::nullopt;
        count = saturatingMul(count, dim);
    }
    return count;
}

}  // namespace

void Costs::add(LayerReport& layer, const NodeView& view, Summary& summary)
{
    const OpDef& op = *layer.op;
    layer.parameters = parameters(op, view);
    layer.macs = macs(op, view);
    summary.parameters = saturatingAdd(summary.parameters, layer.parameters.value_or(0));
    summary.macs = saturatingAdd(summary.macs, layer.macs.value_or(0));
    summary.counted = summary.counted && layer.parameters && layer.macs;
    if (op.products) summary.products = saturatingAdd(summary.products, op.products(view).value_or(0));
}

std::optional<std::int64_t> Costs::parameters(const OpDef& op, const NodeView& view)
{
    // One that came from no file may have any.
    if (op.opClass == OpClass::Opaque && !view.node.attrs.getBool("counted", false)) return std::nullopt;
    if (!op.params) return 0;
    std::int64_t total = 0;
    for (const ParamSpec& spec : op.params(view)) {
        if (!spec.trainable) continue;
        const auto count = elements(spec);
        if (count) {
            const auto sources = sourcesOf(view.node, spec.role, *count);
            for (const auto& [tensor, size] : sources)
                if (m_seen.insert(tensor).second) total = saturatingAdd(total, size);
            if (!sources.empty()) continue;
        }
        if (const TensorBinding* binding = view.node.tensor(spec.role))
            if (!m_seen.insert(binding->tensor).second) continue;
        if (!count) return std::nullopt;
        total = saturatingAdd(total, *count);
    }
    return total;
}

}  // namespace fovea
