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

Reach windowReach(const Node& node)
{
    Reach reach;
    const Ints* kernel = nullptr;
    const Ints* stride = nullptr;
    const Ints* padding = nullptr;
    const Ints* dilation = nullptr;
    bool ceil = false;
    for (const auto& [key, value] : node.attrs.entries()) {
        const std::string_view name = key;  // compares lengths first
        if (name == "kernel_size") kernel = std::get_if<Ints>(&value);
        else if (name == "stride") stride = std::get_if<Ints>(&value);
        else if (name == "padding") padding = std::get_if<Ints>(&value);
        else if (name == "dilation") dilation = std::get_if<Ints>(&value);
        else if (name == "ceil_mode") ceil = std::get_if<bool>(&value) && std::get<bool>(value);
    }
    const auto item = [](const Ints* list, std::size_t index, std::int64_t fallback) {
        return list && index < list->size() ? (*list)[index] : fallback;
    };
    AxisReach* axes[2] = {&reach.h, &reach.w};
    for (std::size_t axis = 0; axis < 2; ++axis) {
        AxisReach& r = *axes[axis];
        r.kind = ReachKind::Window;
        r.kernel = item(kernel, axis, 1);
        r.stride = item(stride, axis, 1);
        r.dilation = item(dilation, axis, 1);
        r.padBegin = item(padding, axis, 0);
        r.padEnd = item(padding, axis + 2, 0);
        r.ceilMode = ceil;
    }
    return reach;
}

bool isWindow(const Reach& reach)
{
    const auto extends = [](const AxisReach& r) {
        return (r.kind == ReachKind::Window || r.kind == ReachKind::Transposed) && r.effectiveKernel() > 1;
    };
    return extends(reach.h) || extends(reach.w);
}

}  // namespace fovea
