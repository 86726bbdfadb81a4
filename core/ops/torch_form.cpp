#include "core/ops/torch_form.h"

#include "core/ops/op_def.h"

#include <algorithm>

namespace fovea {

TorchCall torchCall(const OpDef& op, const NodeView& view)
{
    TorchCall call{op.torch.op, {}, {}};
    for (const char* name : op.torch.attrs) {
        const AttrValue* value = view.node.attrs.find(name);
        const AttrDef* def = op.attr(name);
        if (value) call.args.set(name, *value);
        else if (def) call.args.set(name, def->fallback);
    }
    if (view.node.attrs.has("auto_pad")) call.args.set("padding", dimWindows(view).padding());
    if (view.node.attrs.has("global_axes")) call.args.set("kernel_size", dimWindows(view).kernel());
    if (op.torch.more) op.torch.more(view, call.args);
    if (op.torch.tensors.empty() || !op.params) return call;
    const std::vector<ParamSpec> owned = op.params(view);
    for (const char* role : op.torch.tensors)
        if (std::any_of(owned.begin(), owned.end(), [&](const ParamSpec& spec) { return spec.role == role; }))
            call.tensors.emplace_back(role);
    return call;
}

TorchWindows torchWindows(const TorchCall& call, const Ints& kernel)
{
    TorchWindows out;
    out.kernel = kernel;
    for (std::size_t i = 0; i < kernel.size(); ++i) {
        out.stride.push_back(call.args.at("stride", i, 1));
        out.dilation.push_back(call.args.at("dilation", i, 1));
        out.begin.push_back(call.args.at("padding", i, 0));
        out.end.push_back(call.args.at("padding", i + kernel.size(), 0));
    }
    out.ceilMode = call.args.getBool("ceil_mode", false);
    return out;
}

Ints torchKernel(const TorchCall& call, std::size_t axes)
{
    Ints out;
    for (std::size_t i = 0; i < axes; ++i) out.push_back(call.args.at("kernel_size", i, 1));
    return out;
}

}  // namespace fovea
