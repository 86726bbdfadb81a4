#include "core/ops/op_def.h"

#include "core/ops/onnx_form.h"

namespace fovea {

Memory keepsInputs(const NodeView&) { return {.inputs = true}; }

Memory keepsOutput(const NodeView&) { return {.output = true}; }

Memory isView(const NodeView&) { return {.view = true}; }

const Value& InferContext::in(std::size_t index) const
{
    static const Value unknown;
    return index < m_in.size() ? m_in[index] : unknown;
}

void InferContext::issue(std::string code, Severity severity, std::string attribute, std::string message, std::string hint)
{
    m_issues.push_back({std::move(code), severity, m_node.name, std::move(attribute), std::move(message), std::move(hint)});
}

const AttrDef* OpDef::attr(std::string_view name) const
{
    for (const AttrDef& def : attrs)
        if (name == def.name) return &def;
    return nullptr;
}

std::int64_t attrInt(const Node& node, std::string_view name, std::int64_t fallback) { return node.attrs.getInt(name, fallback); }

std::int64_t attrAt(const Node& node, std::string_view name, std::size_t index, std::int64_t fallback)
{
    return node.attrs.at(name, index, fallback);
}

bool isWindow(const Reach& reach)
{
    const auto extends = [](const AxisReach& r) {
        return (r.kind == ReachKind::Window || r.kind == ReachKind::Transposed) && r.effectiveKernel() > 1;
    };
    return extends(reach.h) || extends(reach.w);
}

}  // namespace fovea
