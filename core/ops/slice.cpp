#include "core/ops/common.h"
#include "core/ops/older_forms.h"

#include <algorithm>
#include <limits>

namespace fovea {

namespace {

struct Range {
    std::int64_t start, length, step;
};

// NumPy's rules, for positive steps; an end far beyond the dimension means "to the end".
std::optional<Range> rangeOf(std::int64_t size, std::int64_t start, std::int64_t end, std::int64_t step)
{
    if (size < 0 || step < 1) return std::nullopt;
    const auto clampIn = [size](std::int64_t at) { return std::clamp<std::int64_t>(at < 0 ? saturatingAdd(at, size) : at, 0, size); };
    const std::int64_t from = clampIn(start), to = clampIn(end);
    return Range{from, to > from ? ceilDiv(to - from, step) : 0, step};
}

struct Slices {
    Ints starts, ends, dims, steps;
};

// `like` is the map whose height and width are the ends, where the layer crops to the size of another.
Slices slicesOf(const Node& node, const Value* like = nullptr, const Layout& layout = {})
{
    const auto list = [&](const char* name) {
        const Ints* values = node.attrs.getInts(name);
        return values ? *values : Ints{};
    };
    Slices out{list("start"), list("end"), list("dim"), list("step")};
    const std::size_t count = std::min({out.starts.size(), out.ends.size(), out.dims.size()});
    out.starts.resize(count);
    out.ends.resize(count);
    out.dims.resize(count);
    out.steps.resize(count, 1);
    for (std::size_t i = 0; like && i < count; ++i) {
        if (out.dims[i] == layout.h) out.ends[i] = like->height() < 0 ? std::numeric_limits<std::int64_t>::max() : like->height();
        if (out.dims[i] == layout.w) out.ends[i] = like->width() < 0 ? std::numeric_limits<std::int64_t>::max() : like->width();
    }
    return out;
}

void infer(InferContext& context)
{
    Value out = context.in(0);
    const Slices slices = slicesOf(context.node(), context.in().size() > 1 ? &context.in(1) : nullptr, out.layout);
    for (std::size_t i = 0; i < slices.dims.size(); ++i) {
        const int axis = normalAxis(slices.dims[i], out.shape.rank());
        if (axis < 0) continue;
        const auto range = rangeOf(out.shape[axis], slices.starts[i], slices.ends[i], slices.steps[i]);
        if (range && range->length < 1)
            context.issue("empty-slice", Severity::Error, "start", "Nothing is left of dimension " + std::to_string(axis) + " (" + std::to_string(out.shape[axis]) + " units).",
                          "Use a larger input or a slice inside the map.");
        out.shape[axis] = range && range->length >= 1 ? range->length : kUnknown;
    }
    context.out() = out;
}

Reach reach(const NodeView& view)
{
    Reach out;
    if (view.in.empty()) return out;
    const Value& in = view.in[0];
    const Slices slices = slicesOf(view.node, view.in.size() > 1 ? &view.in[1] : nullptr, in.layout);
    for (std::size_t i = 0; i < slices.dims.size(); ++i) {
        const int axis = normalAxis(slices.dims[i], in.shape.rank());
        if (axis < 0 || (axis != in.layout.h && axis != in.layout.w)) continue;
        AxisReach& r = axis == in.layout.h ? out.h : out.w;
        const auto range = rangeOf(in.shape[axis], slices.starts[i], slices.ends[i], slices.steps[i]);
        r.kind = ReachKind::Crop;
        r.offset = range ? range->start : std::max<std::int64_t>(slices.starts[i], 0);
        r.step = std::max<std::int64_t>(slices.steps[i], 1);
        r.length = range ? range->length : kUnknown;
    }
    return out;
}

// Every bound as a number, whichever map it follows.
void bounds(const NodeView& view, Attributes& args)
{
    if (view.in.empty()) return;
    const Slices slices = slicesOf(view.node, view.in.size() > 1 ? &view.in[1] : nullptr, view.in[0].layout);
    args.set("dim", slices.dims);
    args.set("start", slices.starts);
    args.set("end", slices.ends);
    args.set("step", slices.steps);
}

// The other map whose height and width are this slice's ends.
std::optional<Port> sizeSource(const OnnxCall& call, const Ints& axes)
{
    std::optional<Port> source;
    for (std::size_t i = 0; i < axes.size(); ++i) {
        const int axis = normalAxis(axes[i], call.value(0).shape.rank());
        const bool spatial = axis >= 0 && (axis == call.value(0).layout.h || axis == call.value(0).layout.w);
        if (!spatial || !call.has(2) || i >= call.args[2].sizes.size()) return std::nullopt;
        const auto& [port, dim] = call.args[2].sizes[i];
        if (port.node == kNoNode || dim != axis || (source && *source != port)) return std::nullopt;
        source = port;
    }
    return source;
}

bool read(OnnxCall& call)
{
    bool dynamic = false;
    const auto starts = call.listFrom("starts", 1, &dynamic), ends = call.listFrom("ends", 2, &dynamic);
    auto axes = call.listFrom("axes", 3, &dynamic), steps = call.has(4) ? call.listFrom("steps", 4, &dynamic) : std::optional<Ints>();
    if (dynamic || !starts || !ends || starts->size() != ends->size()) return false;
    if (!axes) {
        axes = Ints{};
        for (std::size_t i = 0; i < starts->size(); ++i) axes->push_back(static_cast<std::int64_t>(i));
    }
    if (!steps) steps = Ints(starts->size(), 1);
    if (axes->size() != starts->size() || steps->size() != starts->size()) return false;
    if (std::any_of(steps->begin(), steps->end(), [](std::int64_t step) { return step < 1; })) return false;  // reversed
    // An end at the dimension's own size is "to the end", so that it follows the input.
    Ints last = *ends;
    for (std::size_t i = 0; i < last.size(); ++i) {
        const int axis = normalAxis((*axes)[i], call.value(0).shape.rank());
        if (axis >= 0 && last[i] == call.value(0).shape[axis] && (axis == call.value(0).layout.h || axis == call.value(0).layout.w)) {
            last[i] = std::numeric_limits<std::int64_t>::max();
            call.sizesBaked = true;
        }
    }
    if (const auto like = sizeSource(call, *axes)) call.extraInputs = {*like};
    Attributes& attrs = call.node.attrs;
    attrs.set("start", *starts);
    attrs.set("end", last);
    attrs.set("dim", *axes);
    attrs.set("step", *steps);
    return true;
}

void write(OnnxWriter& writer)
{
    const bool follows = writer.node().inputs.size() > 1;
    const Slices slices = slicesOf(writer.node(), follows ? &writer.inputValue(1) : nullptr, writer.inputValue().layout);
    if (slices.dims.empty()) {
        writer.finish("Identity", {writer.input()});
        return;
    }
    if (follows && writer.opset() < 10) writer.needFixedSides("Before opset 10 a slice to the size of another map can be written", 10);
    if (!follows || writer.opset() < 10) {
        emitSlice(writer, {slices.starts, slices.ends, slices.dims, slices.steps}, {writer.output()});
        return;
    }
    const std::string ends = writer.emit("Gather", {writer.emit("Shape", {writer.input(1)}), writer.ints(writer.axes(slices.dims))}, {{"axis", std::int64_t{0}}});
    writer.finish("Slice", {writer.input(), writer.ints(slices.starts), ends, writer.ints(slices.dims), writer.ints(slices.steps)});
}

// One position of a dimension, which goes (Gather with a scalar index) or stays (index of one element).
void inferSelect(InferContext& context)
{
    const Value& in = context.in(0);
    const int axis = normalAxis(attrInt(context.node(), "dim", 1), in.shape.rank());
    const std::int64_t index = attrInt(context.node(), "index", 0);
    if (axis < 0) return;
    if (in.shape[axis] >= 0 && (index >= in.shape[axis] || index < -in.shape[axis]))
        context.issue("empty-slice", Severity::Error, "index", "Index " + std::to_string(index) + " is outside dimension " + std::to_string(axis) + " of " + in.shape.text() + ".",
                      "Use an index inside the map.");
    Value out{Shape::ofRank(0), {}};
    for (int i = 0; i < in.shape.rank(); ++i) {
        if (i == axis) continue;
        const auto to = static_cast<std::int8_t>(out.shape.rank());
        if (i == in.layout.c) out.layout.c = to;
        if (i == in.layout.h) out.layout.h = to;
        if (i == in.layout.w) out.layout.w = to;
        out.shape.append(in.shape[i]);
    }
    context.out() = out;
}

bool readSelect(OnnxCall& call)
{
    const Tensor* index = call.constant(1);
    if (!index || !index->dims.empty() || index->elements() != 1) return false;
    call.node.attrs.set("dim", call.getInt("axis", 0));
    call.node.attrs.set("index", index->integer(0));
    const int axis = normalAxis(call.getInt("axis", 0), call.value(0).shape.rank());
    return axis >= 0 && axis != call.value(0).layout.h && axis != call.value(0).layout.w;
}

}  // namespace

const OpDef& sliceOp()
{
    static const OpDef def{
        .kind = "Slice",
        .opClass = OpClass::Shape,
        .memory = isView,
        .doc = "Cuts a part out of its input.",
        .attrs = {{.name = "dim", .type = AttrType::IntList, .fallback = Ints{}, .doc = "Dimensions that are cut", .min = -8},
                  {.name = "start", .type = AttrType::IntList, .fallback = Ints{}, .doc = "First position per dimension", .min = std::numeric_limits<std::int64_t>::min()},
                  {.name = "end", .type = AttrType::IntList, .fallback = Ints{}, .doc = "Position behind the last", .min = std::numeric_limits<std::int64_t>::min(), .max = std::numeric_limits<std::int64_t>::max()},
                  {.name = "step", .type = AttrType::IntList, .fallback = Ints{}, .doc = "Distance between positions", .min = 1}},
        .minInputs = 1,
        .maxInputs = 2,
        .pathInputs = 1,
        .reach = reach,
        .infer = infer,
        .torch = {.op = TorchOp::Slice, .more = bounds},
        .onnx = {.types = {"Slice"}, .read = read, .write = write},
    };
    return def;
}

const OpDef& selectOp()
{
    static const OpDef def{
        .kind = "Select",
        .opClass = OpClass::Shape,
        .memory = isView,
        .doc = "Takes one position of a dimension, which goes.",
        .attrs = {{.name = "dim", .type = AttrType::Int, .fallback = std::int64_t{1}, .doc = "Dimension", .min = -8},
                  {.name = "index", .type = AttrType::Int, .fallback = std::int64_t{0}, .doc = "Position", .min = -1'000'000'000}},
        .infer = inferSelect,
        .torch = {TorchOp::Select, {"dim", "index"}},
        .onnx = {.types = {"Gather"},
                 .read = readSelect,
                 .write =
                     [](OnnxWriter& writer) {
                         const Shape& in = writer.inputValue().shape;
                         const std::int64_t axis = writer.axis(attrInt(writer.node(), "dim", 1));
                         std::int64_t position = attrInt(writer.node(), "index", 0);
                         // Positions from the back came with opset 11.
                         if (position < 0 && writer.opset() < 11 && axis >= 0 && axis < in.rank()) position += writer.known(in[static_cast<int>(axis)], "the size of the dimension");
                         writer.finish("Gather", {writer.input(), writer.constant(Tensor::fromIntegers({}, {position}))}, {{"axis", axis}});
                     }},
    };
    return def;
}

}  // namespace fovea
