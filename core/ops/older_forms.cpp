#include "core/ops/older_forms.h"

#include "core/ops/common.h"

#include <algorithm>
#include <limits>

namespace fovea {

namespace {

constexpr std::int64_t kToTheEnd = std::numeric_limits<std::int64_t>::max();

// The lowest number of an element type, which a maximum never takes.
double lowest(DType type) { return type == DType::Float16 ? -65504.0 : -std::numeric_limits<float>::max(); }

// For x >= 0, at 0 elsewhere. Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26: error below 1.5e-7.
std::string erfOfPositive(OnnxWriter& writer, const std::string& value)
{
    constexpr double kSlope = 0.3275911, kTerms[] = {1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592};
    const std::string x = writer.emit("Relu", {value});
    const std::string slope = writer.emit("Mul", {x, writer.real(kSlope)});
    const std::string t = writer.emit("Reciprocal", {writer.emit("Add", {slope, writer.real(1)})});
    std::string sum = writer.emit("Mul", {t, writer.real(kTerms[0])});
    for (std::size_t i = 1; i < std::size(kTerms); ++i)
        sum = writer.emit("Mul", {writer.emit("Add", {sum, writer.real(kTerms[i])}), t});
    const std::string bell = writer.emit("Exp", {writer.emit("Neg", {writer.emit("Mul", {x, x})})});
    return writer.emit("Sub", {writer.real(1), writer.emit("Mul", {sum, bell})});
}

// Every `step`-th position along a dimension of a value that has `rank` of them.
std::string emitStep(OnnxWriter& writer, const std::string& value, std::int64_t axis, int rank, std::int64_t step,
                     std::int64_t count, OnnxNames out)
{
    // A pooling under a window of one unit does it at every size.
    if (rank == 4 && axis >= 2 && step > 0) {
        Ints strides{1, 1};
        strides[static_cast<std::size_t>(axis) - 2] = step;
        return writer.emit("MaxPool", {value}, {{"kernel_shape", Ints{1, 1}}, {"strides", strides}}, std::move(out));
    }
    Ints positions;
    for (std::int64_t i = 0; i < writer.known(count, "what is left of a dimension"); ++i) positions.push_back(i * step);
    return writer.emit("Gather", {value, writer.ints(positions)}, {{"axis", axis}}, std::move(out));
}

}  // namespace

std::string emitErf(OnnxWriter& writer, const std::string& value, OnnxNames out)
{
    if (writer.opset() >= 9) return writer.emit("Erf", {value}, {}, std::move(out));
    const std::string positive = erfOfPositive(writer, value);
    const std::string negative = erfOfPositive(writer, writer.emit("Neg", {value}));
    return writer.emit("Sub", {positive, negative}, {}, std::move(out));
}

std::string emitSign(OnnxWriter& writer, const std::string& value, OnnxNames out)
{
    if (writer.opset() >= 9) return writer.emit("Sign", {value}, {}, std::move(out));
    const OnnxAttrs to{{"to", onnxType(writer.element())}};
    const std::string zero = writer.real(0), above = writer.emit("Greater", {value, zero}),
                      below = writer.emit("Less", {value, zero});
    return writer.emit("Sub", {writer.emit("Cast", {above}, to), writer.emit("Cast", {below}, to)}, {}, std::move(out));
}

std::string emitRound(OnnxWriter& writer, const std::string& value, OnnxNames out)
{
    if (writer.opset() >= 11) return writer.emit("Round", {value}, {}, std::move(out));
    // floor(x / 2 + 1/4) + ceil(x / 2 - 1/4): halves go to the even neighbour, as Round has it.
    const std::string half = writer.emit("Mul", {value, writer.real(0.5)});
    const std::string down = writer.emit("Floor", {writer.emit("Add", {half, writer.real(0.25)})});
    const std::string up = writer.emit("Ceil", {writer.emit("Sub", {half, writer.real(0.25)})});
    return writer.emit("Add", {down, up}, {}, std::move(out));
}

std::string emitCelu(OnnxWriter& writer, const std::string& value, double alpha, OnnxNames out)
{
    if (writer.opset() >= 12) return writer.emit("Celu", {value}, {{"alpha", alpha}}, std::move(out));
    // max(0, x) + min(0, alpha (exp(x / alpha) - 1)), the second as -max(0, -...).
    const std::string grown = writer.emit("Exp", {writer.emit("Div", {value, writer.real(alpha)})});
    const std::string curve = writer.emit("Mul", {writer.emit("Sub", {grown, writer.real(1)}), writer.real(-alpha)});
    return writer.emit("Sub", {writer.emit("Relu", {value}), writer.emit("Relu", {curve})}, {}, std::move(out));
}

std::string emitThresholdedRelu(OnnxWriter& writer, const std::string& value, double threshold, OnnxNames out)
{
    if (writer.opset() >= 10) return writer.emit("ThresholdedRelu", {value}, {{"alpha", threshold}}, std::move(out));
    const std::string above = writer.emit("Greater", {value, writer.real(threshold)});
    const std::string mask = writer.emit("Cast", {above}, {{"to", onnxType(writer.element())}});
    return writer.emit("Mul", {value, mask}, {}, std::move(out));
}

std::string emitExtreme(OnnxWriter& writer, const char* type, const OnnxNames& values, bool broadcast, OnnxNames out)
{
    if (writer.opset() >= 8 || !broadcast) return writer.emit(type, values, {}, std::move(out));
    // Broadcasting came with opset 8, for Add with 7: a zero of the common shape brings each operand to it.
    std::string sum = values[0];
    for (std::size_t i = 1; i < values.size(); ++i) sum = writer.emit("Add", {sum, values[i]});
    const std::string zero = writer.emit("Sub", {sum, sum});
    OnnxNames wide;
    for (const std::string& value : values) wide.push_back(writer.emit("Add", {value, zero}));
    return writer.emit(type, wide, {}, std::move(out));
}

std::string emitClip(OnnxWriter& writer, const std::string& value, double low, double high, OnnxNames out)
{
    constexpr double kNone = std::numeric_limits<float>::max();
    if (writer.opset() < 11) {
        OnnxAttrs attrs;
        if (low > -kNone) attrs.emplace("min", low);
        if (high < kNone) attrs.emplace("max", high);
        return writer.emit("Clip", {value}, attrs, std::move(out));
    }
    const std::string least = low > -kNone ? writer.real(low) : "", most = high < kNone ? writer.real(high) : "";
    return writer.emit("Clip", {value, least, most}, {}, std::move(out));
}

std::string emitSoftmax(OnnxWriter& writer, const char* type, std::int64_t dim, OnnxNames out)
{
    if (writer.opset() >= 13) return writer.emit(type, {writer.input()}, {{"axis", dim}}, std::move(out));
    // Before, all dimensions from the axis on were one: right for the last only.
    const auto rank = static_cast<int>(writer.known(writer.inputValue().shape.rank(), "the rank of its input"));
    const int axis = normalAxis(dim, rank), last = rank - 1;
    const OnnxAttrs attrs{{"axis", std::int64_t{last}}};
    if (axis < 0 || axis == last) return writer.emit(type, {writer.input()}, attrs, std::move(out));
    Ints exchanged;
    for (int i = 0; i < rank; ++i) exchanged.push_back(i == axis ? last : i == last ? axis : i);
    const OnnxAttrs order{{"perm", exchanged}};  // its own inverse
    const std::string turned = writer.emit("Transpose", {writer.input()}, order);
    return writer.emit("Transpose", {writer.emit(type, {turned}, attrs)}, order, std::move(out));
}

std::string emitReduce(OnnxWriter& writer, const char* type, const std::string& value, Ints axes, bool keepDims,
                       OnnxNames out)
{
    OnnxAttrs attrs{{"keepdims", std::int64_t{keepDims}}};
    const bool sum = std::string_view(type) == "ReduceSum";
    if (writer.opset() >= (sum ? 13 : 18)) return writer.emit(type, {value, writer.ints(axes)}, attrs, std::move(out));
    if (writer.opset() < 11) axes = writer.axes(std::move(axes));
    attrs.emplace("axes", std::move(axes));
    return writer.emit(type, {value}, attrs, std::move(out));
}

std::string emitPad(OnnxWriter& writer, const std::string& value, const Ints& pads, const std::string& mode,
                    double filler, OnnxNames out)
{
    if (writer.opset() < 11)
        return writer.emit("Pad", {value}, {{"mode", mode}, {"pads", pads}, {"value", filler}}, std::move(out));
    OnnxNames inputs{value, writer.ints(pads)};
    if (mode == "constant") inputs.push_back(writer.real(filler));
    return writer.emit("Pad", inputs, {{"mode", mode}}, std::move(out));
}

std::string emitPart(OnnxWriter& writer, const std::string& value, std::int64_t axis, std::int64_t from, std::int64_t to)
{
    if (writer.opset() < 10)
        return writer.emit("Slice", {value}, {{"starts", Ints{from}}, {"ends", Ints{to}}, {"axes", Ints{axis}}});
    return writer.emit("Slice", {value, writer.ints({from}), writer.ints({to}), writer.ints({axis})});
}

std::string emitSlice(OnnxWriter& writer, const OnnxSlices& slices, OnnxNames out)
{
    if (writer.opset() >= 10)
        return writer.emit("Slice",
                           {writer.input(), writer.ints(slices.starts), writer.ints(slices.ends),
                            writer.ints(slices.dims), writer.ints(slices.steps)},
                           {}, std::move(out));
    // Steps came with opset 10.
    const Shape &in = writer.inputValue().shape, &made = writer.outputValue().shape;
    OnnxSlices plain, stepped;
    for (std::size_t i = 0; i < slices.dims.size(); ++i) {
        OnnxSlices& to = slices.steps[i] == 1 ? plain : stepped;
        const std::int64_t axis = writer.axis(slices.dims[i]);
        if (slices.steps[i] > 1) {
            plain.starts.push_back(slices.starts[i]);
            plain.ends.push_back(slices.ends[i]);
            plain.dims.push_back(axis);
        }
        to.starts.push_back(slices.starts[i]);
        to.ends.push_back(slices.ends[i]);
        to.dims.push_back(axis);
        to.steps.push_back(slices.steps[i]);
    }
    std::string value = writer.input();
    if (!plain.dims.empty())
        value = writer.emit("Slice", {value}, {{"starts", plain.starts}, {"ends", plain.ends}, {"axes", plain.dims}},
                            stepped.dims.empty() ? out : OnnxNames{});
    for (std::size_t i = 0; i < stepped.dims.size(); ++i) {
        const auto axis = static_cast<int>(stepped.dims[i]);
        const std::int64_t count = axis < made.rank() ? made[axis] : kUnknown;
        const OnnxNames to = i + 1 == stepped.dims.size() ? out : OnnxNames{};
        if (stepped.steps[i] > 0) {
            value = emitStep(writer, value, axis, in.rank(), stepped.steps[i], count, to);
            continue;
        }
        writer.needFixedSides("Before opset 10 a slice that runs backwards can be written", 10);
        const std::int64_t size = writer.known(axis < in.rank() ? in[axis] : kUnknown, "what it runs backwards through");
        const std::int64_t stated = stepped.starts[i] < 0 ? stepped.starts[i] + size : stepped.starts[i];
        const std::int64_t first = std::clamp<std::int64_t>(stated, 0, size - 1);
        Ints positions;
        for (std::int64_t k = 0; k < writer.known(count, "what is left of a dimension"); ++k)
            positions.push_back(first + k * stepped.steps[i]);
        value = writer.emit("Gather", {value, writer.ints(positions)}, {{"axis", std::int64_t{axis}}}, to);
    }
    return value;
}

std::string emitDepthToSpace(OnnxWriter& writer, std::int64_t block, bool crd, OnnxNames out)
{
    if (writer.opset() >= 11)
        return writer.emit("DepthToSpace", {writer.input()},
                           {{"blocksize", block}, {"mode", std::string(crd ? "CRD" : "DCR")}}, std::move(out));
    std::string value = writer.input();
    if (crd) {
        // The one order that there is takes the block's position from the first channels.
        const std::int64_t channels = writer.known(writer.inputValue().channels(), "how many channels it reads"),
                           parts = block * block;
        Ints order;
        for (std::int64_t position = 0; position < parts; ++position)
            for (std::int64_t channel = 0; channel < channels / parts; ++channel)
                order.push_back(channel * parts + position);
        value = writer.emit("Gather", {value, writer.ints(order)}, {{"axis", std::int64_t{1}}});
    }
    return writer.emit("DepthToSpace", {value}, {{"blocksize", block}}, std::move(out));
}

namespace {

// The windows of a pooling in two or three dimensions, for opsets that know neither ceil mode nor dilation.
struct Windows {
    Ints kernel, stride, dilation, pads;
    Ints added = Ints(3, 0);  // units that a Pad in front has added along each axis
    std::size_t axes() const { return kernel.size(); }
    std::int64_t effective(std::size_t axis) const { return (kernel[axis] - 1) * dilation[axis] + 1; }
};

Ints listOf(const OnnxAttrs& attrs, const char* name, Ints fallback)
{
    const auto it = attrs.find(name);
    const auto* list = it == attrs.end() ? nullptr : std::get_if<Ints>(&it->second);
    return list ? *list : fallback;
}

std::int64_t takeFlag(OnnxAttrs& attrs, const char* name)
{
    const auto it = attrs.find(name);
    if (it == attrs.end()) return 0;
    const std::int64_t value = std::get<std::int64_t>(it->second);
    attrs.erase(it);
    return value;
}

// ONNX Runtime takes no padding as large as the kernel.
bool padsTooMuch(const Windows& windows)
{
    for (std::size_t i = 0; i < windows.pads.size(); ++i)
        if (windows.pads[i] >= windows.kernel[i % windows.axes()]) return true;
    return false;
}

// Padding at the end that gives the windows in floor mode which the layer has at the present size.
std::int64_t endFor(OnnxWriter& writer, const Windows& windows, std::size_t axis)
{
    const int dim = static_cast<int>(axis) + 2;
    const Shape &in = writer.inputValue().shape, &made = writer.outputValue().shape;
    const std::int64_t size = writer.known(dim < in.rank() ? in[dim] : kUnknown, "the size of its input"),
                       units = writer.known(dim < made.rank() ? made[dim] : kUnknown, "the size of its output");
    const std::int64_t least = (units - 1) * windows.stride[axis] + windows.effective(axis) - size - windows.added[axis] - windows.pads[axis];
    return std::max(least, std::min(windows.pads[axis + windows.axes()], least + windows.stride[axis] - 1));
}

// Padding at the end that gives a partial last window its unit. A stride less one does it at every size, unless a
// window could then begin in the padding, whose unit ceil mode leaves out.
void padForCeil(OnnxWriter& writer, Windows& windows)
{
    bool always = true;
    for (std::size_t axis = 0; axis < windows.axes(); ++axis)
        always = always && windows.pads[axis + windows.axes()] + windows.stride[axis] - 1 < windows.effective(axis);
    if (!always) writer.needFixedSides("Its last windows in ceil mode, which came with opset 10, can be written", 10);
    for (std::size_t axis = 0; axis < windows.axes(); ++axis) {
        std::int64_t& end = windows.pads[axis + windows.axes()];
        end = always ? end + windows.stride[axis] - 1 : endFor(writer, windows, axis);
        if (end < 0) writer.refuse("ceil mode came with opset 10, and without it no padding gives these windows.");
    }
}

Ints padsOfAll(const Windows& windows)
{
    const std::size_t rank = windows.axes() + 2;
    Ints out(rank * 2, 0);
    for (std::size_t axis = 0; axis < windows.axes(); ++axis) {
        out[axis + 2] = windows.pads[axis];
        out[axis + 2 + rank] = windows.pads[axis + windows.axes()];
    }
    return out;
}

bool isPadded(const Windows& windows)
{
    return std::any_of(windows.pads.begin(), windows.pads.end(), [](std::int64_t pad) { return pad != 0; });
}

// The padding in front of the pooling, which is left none.
std::string emitPadded(OnnxWriter& writer, Windows& windows, double filler)
{
    const std::string value = emitPad(writer, writer.input(), padsOfAll(windows), "constant", filler);
    for (std::size_t axis = 0; axis < windows.axes(); ++axis)
        windows.added[axis] = windows.pads[axis] + windows.pads[axis + windows.axes()];
    windows.pads.assign(windows.pads.size(), 0);
    return value;
}

// The largest of what lies `dilation` apart: a maximum of shifted slices along one axis after the other.
std::string emitDilatedMax(OnnxWriter& writer, const Windows& windows, std::string value, OnnxNames out)
{
    if (isPadded(windows)) value = emitPad(writer, value, padsOfAll(windows), "constant", lowest(writer.element()));
    for (std::size_t axis = 0; axis < windows.axes(); ++axis) {
        if (windows.kernel[axis] == 1) continue;
        OnnxNames shifted;
        for (std::int64_t tap = 0; tap < windows.kernel[axis]; ++tap) {
            const std::int64_t behind = (windows.kernel[axis] - 1 - tap) * windows.dilation[axis];
            shifted.push_back(emitPart(writer, value, static_cast<std::int64_t>(axis) + 2, tap * windows.dilation[axis],
                                       behind > 0 ? -behind : kToTheEnd));
        }
        value = writer.emit("Max", shifted);
    }
    return writer.emit("MaxPool", {value}, {{"kernel_shape", Ints(windows.axes(), 1)}, {"strides", windows.stride}},
                       std::move(out));
}

}  // namespace

std::string emitPool(OnnxWriter& writer, const char* type, OnnxAttrs attrs, OnnxNames out)
{
    Windows windows;
    windows.kernel = listOf(attrs, "kernel_shape", {});
    windows.stride = listOf(attrs, "strides", Ints(windows.axes(), 1));
    windows.dilation = listOf(attrs, "dilations", Ints(windows.axes(), 1));
    windows.pads = listOf(attrs, "pads", Ints(windows.axes() * 2, 0));
    const bool older = writer.opset() < 10, tooMuch = padsTooMuch(windows);
    if (!older && !tooMuch) return writer.emit(type, {writer.input()}, std::move(attrs), std::move(out));
    if (older) attrs.erase("dilations");
    const bool ceil = takeFlag(attrs, "ceil_mode") != 0;
    const bool mean = attrs.contains("count_include_pad"), counts = mean && takeFlag(attrs, "count_include_pad") != 0;
    const bool dilated = std::any_of(windows.dilation.begin(), windows.dilation.end(), [](auto d) { return d > 1; });
    std::string value = writer.input();
    if (tooMuch && mean && !counts) writer.refuse("its padding is as large as its kernel, so some means are of nothing.");
    if (ceil && tooMuch) writer.needFixedSides("Its last windows in ceil mode, beside a padding as large as its kernel, can be written");
    const auto setEnds = [&] {
        for (std::size_t axis = 0; axis < windows.axes(); ++axis) windows.pads[axis + windows.axes()] = endFor(writer, windows, axis);
    };
    if (tooMuch && !mean) {
        if (ceil) setEnds();
        value = emitPadded(writer, windows, lowest(writer.element()));
    } else {
        // Padding that counts in the mean is there, what a last window lacks is not: only that is left to the pooling.
        if (counts && isPadded(windows) && (ceil || tooMuch)) value = emitPadded(writer, windows, 0);
        else if (counts) attrs.emplace("count_include_pad", std::int64_t{!ceil});
        if (ceil && tooMuch) setEnds();
        else if (ceil) padForCeil(writer, windows);
    }
    if (older && dilated) return emitDilatedMax(writer, windows, value, std::move(out));
    if (attrs.contains("pads") || isPadded(windows)) attrs["pads"] = windows.pads;
    return writer.emit(type, {value}, std::move(attrs), std::move(out));
}

}  // namespace fovea
