#include "core/ops/common.h"
#include "core/ops/registry.h"

#include <algorithm>

// Window layers: what their settings say along each dimension, and along the image's axes.
namespace fovea {

namespace {

// The attributes of a window layer, found in one pass.
struct Settings {
    const Ints *kernel = nullptr, *stride = nullptr, *padding = nullptr, *dilation = nullptr, *extra = nullptr,
               *outputShape = nullptr, *global = nullptr;
    bool ceil = false, upper = false, lower = false;
};

Settings settingsOf(const Node& node)
{
    Settings out;
    for (const auto& [key, value] : node.attrs.entries()) {
        const std::string_view name = key;  // compares lengths first
        const auto* list = std::get_if<Ints>(&value);
        if (name == "kernel_size") out.kernel = list;
        else if (name == "stride") out.stride = list;
        else if (name == "padding") out.padding = list;
        else if (name == "dilation") out.dilation = list;
        else if (name == "output_padding") out.extra = list;
        else if (name == "output_shape") out.outputShape = list;
        else if (name == "global_axes") out.global = list;
        else if (name == "ceil_mode") out.ceil = std::get_if<bool>(&value) && std::get<bool>(value);
        else if (name == "auto_pad" && std::holds_alternative<std::string>(value)) {
            out.upper = std::get<std::string>(value) == "same_upper";
            out.lower = std::get<std::string>(value) == "same_lower";
        }
    }
    return out;
}

std::int64_t item(const Ints* list, std::size_t index, std::int64_t fallback)
{
    return list && index < list->size() ? (*list)[index] : fallback;
}

// Of an odd number the larger half lies at the end for SAME_UPPER.
void distribute(AxisReach& r, std::int64_t total, bool upper)
{
    r.padBegin = upper ? total / 2 : total - total / 2;
    r.padEnd = total - r.padBegin;
}

// What makes ceil(size / stride) units. Without a size: what it is wherever the stride divides it.
std::int64_t sameTotal(const AxisReach& r, std::int64_t size)
{
    if (r.stride < 1) return 0;
    const std::int64_t total = size > 0 ? saturatingMul(ceilDiv(size, r.stride) - 1, r.stride) + r.effectiveKernel() - size
                                        : r.effectiveKernel() - r.stride;
    return std::max<std::int64_t>(0, total);
}

// Source: ONNX, ConvTranspose; the odd unit as ONNX Runtime has it (the specification was changed to that later).
void padTransposed(AxisReach& r, const Settings& settings, std::int64_t target)
{
    const std::int64_t natural = r.inSize < 1 ? kUnknown : saturatingAdd(saturatingMul(r.inSize - 1, r.stride), r.effectiveKernel() + r.outputPadding);
    if (target > 0) {
        if (natural < 0) return;
        distribute(r, std::max<std::int64_t>(0, natural - target), settings.upper);
        r.outputPadding += std::max<std::int64_t>(0, target - natural);
    } else if (settings.upper || settings.lower) {
        distribute(r, std::max<std::int64_t>(0, r.effectiveKernel() + r.outputPadding - r.stride), settings.upper);
    }
}

bool isPointwise(const AxisReach& r)
{
    return (r.kind == ReachKind::Window || r.kind == ReachKind::Transposed) && r.kernel == 1 && r.stride == 1 && r.padBegin == 0 && r.padEnd == 0;
}

}  // namespace

void setChosen(Node& node, std::string_view name, AttrValue value)
{
    if (name == "padding") {
        node.attrs.erase("auto_pad");
        node.attrs.erase("output_shape");
    }
    if (name == "kernel_size") node.attrs.erase("global_axes");
    node.attrs.set(name, std::move(value));
}

Ints DimWindows::padding() const
{
    Ints out;
    for (int i = 0; i < count; ++i) out.push_back(dims[static_cast<std::size_t>(i)].padBegin);
    for (int i = 0; i < count; ++i) out.push_back(dims[static_cast<std::size_t>(i)].padEnd);
    return out;
}

Ints DimWindows::kernel() const
{
    Ints out;
    for (int i = 0; i < count; ++i) out.push_back(dims[static_cast<std::size_t>(i)].kernel);
    return out;
}

DimWindows dimWindows(const NodeView& view, ReachKind kind)
{
    const Settings settings = settingsOf(view.node);
    DimWindows out;
    const std::size_t given = settings.kernel ? settings.kernel->size() : 2;
    const std::size_t count = given < 1 || given > 3 ? 2 : given;
    out.count = static_cast<int>(count);
    const Shape* in = view.in.empty() || view.in[0].shape.rank() != out.count + 2 ? nullptr : &view.in[0].shape;
    for (std::size_t i = 0; i < count; ++i) {
        AxisReach& r = out.dims[i];
        const std::int64_t size = in ? (*in)[static_cast<int>(i) + 2] : kUnknown;
        r.kind = kind;
        r.kernel = item(settings.kernel, i, 1);
        r.stride = item(settings.stride, i, 1);
        r.dilation = item(settings.dilation, i, 1);
        r.padBegin = item(settings.padding, i, 0);
        r.padEnd = item(settings.padding, i + count, 0);
        r.ceilMode = settings.ceil;
        if (kind == ReachKind::Transposed) {
            r.inSize = std::max<std::int64_t>(size, 0);
            r.outputPadding = item(settings.extra, i, 0);
            const std::size_t behind = settings.outputShape && settings.outputShape->size() > count ? 2 : 0;  // batch and channels
            padTransposed(r, settings, item(settings.outputShape, i + behind, 0));
        } else if (settings.upper || settings.lower) {
            distribute(r, sameTotal(r, size), settings.upper);
        }
        if (item(settings.global, i, 0) != 0) {
            r.kind = ReachKind::Global;
            if (size > 0) r.kernel = size;
        }
    }
    return out;
}

bool needsNumbers(const NodeView& view)
{
    if (!view.node.attrs.has("auto_pad")) return false;
    const OpClass opClass = opFor(view.node.kind).opClass;
    if (opClass == OpClass::Transposed) return false;
    const DimWindows windows = dimWindows(view);
    for (int i = 0; i < windows.count; ++i) {
        const AxisReach& r = windows.dims[static_cast<std::size_t>(i)];
        if (r.dilation > 1 || (opClass == OpClass::Pooling && r.stride > r.effectiveKernel())) return true;
    }
    return false;
}

Node settled(const NodeView& view)
{
    Node out = view.node;
    const bool numbers = needsNumbers(view);
    if (!numbers && !out.attrs.has("global_axes")) return out;
    const DimWindows windows = dimWindows(view);
    out.attrs.set("kernel_size", windows.kernel());
    if (numbers) {
        out.attrs.set("padding", windows.padding());
        out.attrs.erase("auto_pad");
    }
    return out;
}

Layout windowLayout(const Value& value, int count)
{
    Layout out = value.layout;
    if (!value.shape.hasRank() && count == 2) return kNchw;
    if (count != 2 || value.shape.rank() != 4) return out;
    const auto isFree = [&](std::int8_t dim) { return dim != out.c && dim != out.h && dim != out.w; };
    if (out.h < 0 && out.w < 0 && isFree(2) && isFree(3)) {
        out.h = 2;
        out.w = 3;
    }
    const std::int8_t left = isFree(2) ? std::int8_t{2} : std::int8_t{3};
    if (isFree(2) != isFree(3)) {
        if (out.h < 0 && out.w >= 0) out.h = left;
        else if (out.w < 0 && out.h >= 0) out.w = left;
    }
    return out;
}

Reach alongImage(const NodeView& view, const DimWindows& windows)
{
    Reach out;
    const Value unknown, &in = view.in.empty() ? unknown : view.in[0];
    const Layout layout = windowLayout(in, windows.count);
    const auto inside = [&](int dim) { return dim >= 2 && dim < windows.count + 2; };
    bool lost = layout.h >= 0 && layout.h == layout.w && inside(layout.h) && !isPointwise(windows.dims[static_cast<std::size_t>(layout.h - 2)]);
    const std::pair<int, AxisReach*> axes[2] = {{layout.h, &out.h}, {layout.w, &out.w}};
    for (const auto& [dim, reach] : axes) {
        if (inside(dim)) *reach = windows.dims[static_cast<std::size_t>(dim - 2)];
    }
    for (int dim = 2; inside(dim); ++dim) {
        const bool carries = dim == layout.h || dim == layout.w || dim == layout.c;
        const bool alone = dim < in.shape.rank() && in.shape[dim] == 1;
        lost = lost || !(carries || alone || isPointwise(windows.dims[static_cast<std::size_t>(dim - 2)]));
    }
    if (lost) out.h.kind = out.w.kind = ReachKind::Unknown;
    return out;
}

Reach windowReach(const NodeView& view) { return alongImage(view, dimWindows(view)); }

Value slide(InferContext& context, const DimWindows& windows, std::int64_t channels)
{
    const Value& in = context.in(0);
    const int rank = windows.count + 2;
    Value out{Shape::ofRank(rank), windowLayout(in, windows.count)};
    if (in.shape.hasRank() && in.shape.rank() != rank) out.layout = rank == 4 ? kNchw : Layout{1, -1, -1};
    // What a convolution makes stands in the second dimension, whatever it read there.
    if (context.node().attrs.has("out_channels")) {
        out.layout.c = 1;
        if (out.layout.h == 1) out.layout.h = -1;
        if (out.layout.w == 1) out.layout.w = -1;
    }
    out.shape[1] = channels;
    if (!in.shape.hasRank()) return out;
    if (in.shape.rank() != rank) {
        const char* wanted = rank == 4 ? "an image of rank 4 (NxCxHxW)" : rank == 3 ? "a sequence of rank 3 (NxCxL)" : "a volume of rank 5 (NxCxDxHxW)";
        context.issue("rank-mismatch", Severity::Error, "", context.node().kind + " needs " + wanted + ", got " + in.shape.text() + ".",
                      "Remove the layer that reshapes its input, or move this layer before it.");
        return out;
    }
    out.shape[0] = in.shape[0];
    for (int dim = 2; dim < rank; ++dim) {
        const AxisReach& r = windows.dims[static_cast<std::size_t>(dim - 2)];
        const std::int64_t size = r.kind == ReachKind::Global ? 1 : outputSize(r, in.shape[dim]);
        if (size < 1 && in.shape[dim] >= 0) {
            context.issue("input-too-small", Severity::Error, "kernel_size",
                          "The kernel spans " + std::to_string(r.effectiveKernel()) + " but the padded map is only " +
                              std::to_string(in.shape[dim] + r.padBegin + r.padEnd) +
                              (dim == out.layout.h ? " high." : dim == out.layout.w ? " wide." : " long."),
                          "Use a larger input, a smaller kernel, or remove a downsampling before this layer.");
            for (int other = 2; other < rank; ++other) out.shape[other] = kUnknown;
            return out;
        }
        out.shape[dim] = size;
    }
    return out;
}

}  // namespace fovea
