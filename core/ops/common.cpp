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
    // One that has lost its positions, such as a gate that was expanded again, takes those of the map that it meets.
    const bool isLost = wide.layout.h < 0 && wide.layout.w < 0;
    if (isLost && narrow.layout != Layout{} && wide.shape.rank() == narrow.shape.rank()) {
        const std::int8_t c = narrow.layout.c < 0 ? wide.layout.c : narrow.layout.c;
        out.layout = narrow.layout;
        if (c != out.layout.h && c != out.layout.w) out.layout.c = c;
    }
    bool fits = true;
    const int shift = wide.shape.rank() - narrow.shape.rank();
    for (int i = 0; i < narrow.shape.rank(); ++i)
        fits = joinDim(wide.shape[i + shift], narrow.shape[i], out.shape[i + shift]) && fits;
    return fits;
}

namespace {

// SAME padding stays a setting; "padding" shows what it is at the model's own size.
void setAutoPad(OnnxCall& call, const std::string& autoPad)
{
    if (autoPad != "SAME_UPPER" && autoPad != "SAME_LOWER") return;
    call.node.attrs.set("auto_pad", std::string(autoPad == "SAME_UPPER" ? "same_upper" : "same_lower"));
    const Value in = call.value(0);
    call.node.attrs.set("padding", dimWindows({call.node, {&in, 1}, {}}).padding());
}

}  // namespace

bool readWindow(OnnxCall& call, const Ints& kernel, std::size_t axes)
{
    if (kernel.size() != axes) return false;
    const auto list = [&](const char* name, Ints fallback) { return call.getInts(name).value_or(fallback); };
    const Ints stride = list("strides", Ints(axes, 1)), dilation = list("dilations", Ints(axes, 1));
    Ints pads = list("pads", Ints(axes * 2, 0));
    if (stride.size() != axes || dilation.size() != axes || pads.size() != axes * 2) return false;
    const auto inRange = [](const Ints& values, std::int64_t low) {
        return std::all_of(values.begin(), values.end(), [low](std::int64_t v) { return v >= low && v <= 1'000'000'000; });
    };
    if (!inRange(kernel, 1) || !inRange(stride, 1) || !inRange(dilation, 1) || !inRange(pads, 0)) return false;
    const std::string autoPad = call.getText("auto_pad", "NOTSET");
    if (autoPad != "NOTSET") pads = Ints(axes * 2, 0);
    Attributes& attrs = call.node.attrs;
    attrs.set("kernel_size", kernel);
    attrs.set("stride", stride);
    attrs.set("padding", pads);
    attrs.set("dilation", dilation);
    setAutoPad(call, autoPad);
    return true;
}

OnnxAttrs windowAttrs(const Node& node, bool withDilation)
{
    const auto list = [&](const char* name, Ints fallback) {
        const Ints* values = node.attrs.getInts(name);
        return values ? *values : fallback;
    };
    OnnxAttrs attrs{{"kernel_shape", list("kernel_size", {1, 1})}, {"strides", list("stride", {1, 1})}};
    const std::string autoPad = node.attrs.getText("auto_pad", "none");
    if (autoPad == "none" || autoPad.empty()) attrs.emplace("pads", list("padding", {0, 0, 0, 0}));
    else attrs.emplace("auto_pad", std::string(autoPad == "same_upper" ? "SAME_UPPER" : "SAME_LOWER"));
    if (withDilation) attrs.emplace("dilations", list("dilation", {1, 1}));
    return attrs;
}

std::vector<int> readsChannels(const NodeView&) { return {1}; }

AttrDef kernelAttr(const char* doc) { return {.name = "kernel_size", .type = AttrType::Pair, .fallback = Ints{1, 1}, .doc = doc, .min = 1, .unit = "units"}; }
AttrDef strideAttr() { return {.name = "stride", .type = AttrType::Pair, .fallback = Ints{1, 1}, .doc = "Step of the window; above 1 the map shrinks", .min = 1, .unit = "units"}; }
AttrDef paddingAttr() { return {.name = "padding", .type = AttrType::Quad, .fallback = Ints{0, 0, 0, 0}, .doc = "Added at top, left, bottom, right", .min = 0, .unit = "units"}; }
AttrDef autoPadAttr()
{
    return {.name = "auto_pad",
            .type = AttrType::Choice,
            .fallback = std::string("none"),
            .doc = "Padding that follows the input's size, in place of numbers: as many units as the stride leaves, the "
                   "odd one at the end (same_upper) or at the begin (same_lower)",
            .choices = {"none", "same_upper", "same_lower"},
            .shown = false};
}
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

AttrDef nativeTypeAttr()
{
    return {.name = "native_type", .type = AttrType::Bool, .fallback = false, .doc = "Its result has ONNX's type, not the map's", .shown = false};
}

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

std::string mismatchCode(const Value& a, const Value& b)
{
    const auto isMap = [](const Value& value) { return value.folded || value.layout.h >= 0 || value.layout.w >= 0; };
    const auto isConstant = [](const Value& value) { return !value.folded && value.layout == Layout{}; };
    return (isMap(a) && isConstant(b)) || (isMap(b) && isConstant(a)) ? "size-frozen" : "shape-mismatch";
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
