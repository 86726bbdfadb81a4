#include "core/ops/common.h"

#include "core/graph/dimensions.h"

#include "core/base/checked.h"

#include <algorithm>

namespace fovea {

Value unknownLike(const Value& value)
{
    Value out = value;
    out.folded = nullptr;
    for (int i = 0; i < out.shape.rank(); ++i) out.shape[i] = kUnknown;
    return out;
}

std::int64_t imageChannels(const Value& value) { return value.shape.rank() == 4 ? value.shape[1] : value.channels(); }

namespace {

bool joinDim(std::int64_t a, std::int64_t b, std::int64_t& out)
{
    if (a == b || b == 1) out = a;
    else if (a == 1) out = b;
    else if (a == kUnknown || b == kUnknown) out = std::max(a, b);
    else {
        out = kUnknown;
        return false;
    }
    return true;
}

}  // namespace

bool broadcast(const Value& a, const Value& b, Value& out)
{
    if (!a.shape.hasRank() || !b.shape.hasRank()) {
        out = {};
        return true;
    }
    const bool aWider = a.shape.rank() >= b.shape.rank();
    const Value& wide = aWider ? a : b;
    const Value& narrow = aWider ? b : a;
    out = wide;
    if (wide.layout == Layout{} && narrow.layout != Layout{} && wide.shape.rank() == narrow.shape.rank()) out.layout = narrow.layout;
    bool fits = true;
    const int shift = wide.shape.rank() - narrow.shape.rank();
    for (int i = 0; i < narrow.shape.rank(); ++i)
        fits = joinDim(wide.shape[i + shift], narrow.shape[i], out.shape[i + shift]) && fits;
    return fits;
}

bool readWindow(OnnxCall& call, const Ints& kernel)
{
    if (kernel.size() != 2) return false;
    const auto list = [&](const char* name, Ints fallback) { return call.getInts(name).value_or(fallback); };
    const Ints stride = list("strides", {1, 1}), dilation = list("dilations", {1, 1});
    Ints pads = list("pads", {0, 0, 0, 0});
    if (stride.size() != 2 || dilation.size() != 2 || pads.size() != 4) return false;
    const auto inRange = [](const Ints& values, std::int64_t low) {
        return std::all_of(values.begin(), values.end(), [low](std::int64_t v) { return v >= low && v <= 1'000'000'000; });
    };
    if (!inRange(kernel, 1) || !inRange(stride, 1) || !inRange(dilation, 1) || !inRange(pads, 0)) return false;
    const std::string autoPad = call.getText("auto_pad", "NOTSET");
    if (autoPad == "VALID") pads = {0, 0, 0, 0};
    if (autoPad == "SAME_UPPER" || autoPad == "SAME_LOWER") {
        const Value& in = call.value(0);
        for (std::size_t axis = 0; axis < 2; ++axis) {
            const std::int64_t size = axis == 0 ? in.height() : in.width();
            const std::int64_t effective = (kernel[axis] - 1) * dilation[axis] + 1;
            // Without a size, SAME at stride 1 pads e-1; with one it is what makes ceil(size / stride) units.
            const std::int64_t total = size > 0 ? std::max<std::int64_t>(0, (ceilDiv(size, stride[axis]) - 1) * stride[axis] + effective - size)
                                                : effective - 1;
            const std::int64_t small = total / 2, large = total - small;
            pads[axis] = autoPad == "SAME_UPPER" ? small : large;
            pads[axis + 2] = autoPad == "SAME_UPPER" ? large : small;
        }
        call.sizesBaked = true;
    }
    Attributes& attrs = call.node.attrs;
    attrs.set("kernel_size", kernel);
    attrs.set("stride", stride);
    attrs.set("padding", pads);
    attrs.set("dilation", dilation);
    return true;
}

OnnxAttrs windowAttrs(const Node& node, bool withDilation)
{
    const auto list = [&](const char* name, Ints fallback) {
        const Ints* values = node.attrs.getInts(name);
        return values ? *values : fallback;
    };
    OnnxAttrs attrs{{"kernel_shape", list("kernel_size", {1, 1})},
                    {"strides", list("stride", {1, 1})},
                    {"pads", list("padding", {0, 0, 0, 0})}};
    if (withDilation) attrs.emplace("dilations", list("dilation", {1, 1}));
    return attrs;
}

Value slide(InferContext& context, const Reach& reach, std::int64_t channels)
{
    const Value& in = context.in(0);
    Value out{Shape::ofRank(4), kNchw};
    if (!in.shape.hasRank()) {
        out.shape[1] = channels;
        return out;
    }
    if (in.shape.rank() != 4) {
        context.issue("rank-mismatch", Severity::Error, "",
                      context.node().kind + " needs an image of rank 4 (NxCxHxW), got " + in.shape.text() + ".",
                      "Remove the layer that reshapes its input, or move this layer before it.");
        out.shape[1] = channels;
        return out;
    }
    out.shape[0] = in.shape[0];
    out.shape[1] = channels;
    const std::int64_t sizes[2] = {in.shape[2], in.shape[3]};
    const AxisReach* axes[2] = {&reach.h, &reach.w};
    for (int axis = 0; axis < 2; ++axis) {
        const std::int64_t size = outputSize(*axes[axis], sizes[axis]);
        if (size < 1 && sizes[axis] >= 0) {
            const AxisReach& r = *axes[axis];
            context.issue("input-too-small", Severity::Error, "kernel_size",
                          "The kernel spans " + std::to_string(r.effectiveKernel()) + " but the padded map is only " +
                              std::to_string(sizes[axis] + r.padBegin + r.padEnd) + (axis == 0 ? " high." : " wide."),
                          "Use a larger input, a smaller kernel, or remove a downsampling before this layer.");
            out.shape[2] = out.shape[3] = kUnknown;
            return out;
        }
        out.shape[axis + 2] = size;
    }
    return out;
}

std::vector<int> readsChannels(const NodeView&) { return {1}; }

AttrDef kernelAttr(const char* doc) { return {.name = "kernel_size", .type = AttrType::Pair, .fallback = Ints{1, 1}, .doc = doc, .min = 1, .unit = "units"}; }
AttrDef strideAttr() { return {.name = "stride", .type = AttrType::Pair, .fallback = Ints{1, 1}, .doc = "Step of the window; above 1 the map shrinks", .min = 1, .unit = "units"}; }
AttrDef paddingAttr() { return {.name = "padding", .type = AttrType::Quad, .fallback = Ints{0, 0, 0, 0}, .doc = "Added at top, left, bottom, right", .min = 0, .unit = "units"}; }
AttrDef initAttr()
{
    return {.name = "init",
            .type = AttrType::Choice,
            .fallback = std::string("default"),
            .doc = "How tensors without values start",
            .choices = {"default", "identity", "zeros"},
            .shown = false};
}

AttrDef dilationAttr() { return {.name = "dilation", .type = AttrType::Pair, .fallback = Ints{1, 1}, .doc = "Distance between the kernel's taps", .min = 1, .unit = "units"}; }

std::optional<std::int64_t> positions(const Value& value)
{
    std::int64_t count = 1;
    if (!value.shape.hasRank()) return std::nullopt;
    for (int dim = 1; dim < value.shape.rank(); ++dim) {
        if (dim == value.layout.c) continue;
        if (value.shape[dim] < 0) return std::nullopt;
        count = saturatingMul(count, value.shape[dim]);
    }
    return count;
}

std::optional<std::int64_t> elementsPerImage(const Value& value)
{
    const std::int64_t elements = value.shape.elements();
    return elements < 0 ? std::nullopt : std::optional(elements / std::max<std::int64_t>(1, batchOf(value)));
}

std::optional<std::int64_t> product(std::initializer_list<std::int64_t> factors)
{
    std::int64_t out = 1;
    for (const std::int64_t factor : factors) {
        if (factor < 0) return std::nullopt;
        out = saturatingMul(out, factor);
    }
    return out;
}

int normalAxis(std::int64_t axis, int rank)
{
    if (axis < 0) axis += rank;
    return axis >= 0 && axis < rank ? static_cast<int>(axis) : -1;
}

}  // namespace fovea
