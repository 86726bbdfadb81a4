#include "core/graph/dimensions.h"
#include "core/ops/common.h"
#include "core/ops/size_expr.h"
#include "core/ops/older_forms.h"

#include <algorithm>
#include <limits>

namespace fovea {

namespace {

struct Range {
    std::int64_t start, length, step;
};

// NumPy's rules; an end far beyond the dimension means "to the end".
std::optional<Range> rangeOf(std::int64_t size, std::int64_t start, std::int64_t end, std::int64_t step)
{
    if (size < 0 || step == 0 || step == std::numeric_limits<std::int64_t>::min()) return std::nullopt;
    const bool forward = step > 0;
    const auto place = [&](std::int64_t at) {
        return std::clamp<std::int64_t>(at < 0 ? saturatingAdd(at, size) : at, forward ? 0 : -1, forward ? size : size - 1);
    };
    const std::int64_t from = place(start), to = place(end), way = forward ? to - from : from - to;
    return Range{from, way > 0 ? ceilDiv(way, std::abs(step)) : 0, step};
}

struct Slices {
    Ints starts, ends, dims, steps;
};

// Whether the ends are those of the second input's map: how sizes were followed before "sizes" was there.
bool followsMap(const NodeView& view) { return view.in.size() > 1 && !view.node.attrs.has("sizes"); }

Slices slicesOf(const NodeView& view)
{
    const auto list = [&](const char* name) {
        const Ints* values = view.node.attrs.getInts(name);
        return values ? *values : Ints{};
    };
    Slices out{list("start"), list("end"), list("dim"), list("step")};
    const std::size_t count = std::min({out.starts.size(), out.ends.size(), out.dims.size()});
    out.starts.resize(count);
    out.ends.resize(count);
    out.dims.resize(count);
    out.steps.resize(count, 1);
    if (const std::string text = view.node.attrs.getText("sizes"); !text.empty()) {
        const auto bounds = evaluateSizes(text, view.in);
        for (std::size_t i = 0; i < count && bounds.size() == 2 * count; ++i) {
            out.starts[i] = bounds[i].value_or(0);
            out.ends[i] = bounds[i + count].value_or(std::numeric_limits<std::int64_t>::max());
        }
    }
    const Layout layout = view.in.empty() ? Layout{} : view.in[0].layout;
    const auto sizeOf = [](std::int64_t size) { return size < 0 ? std::numeric_limits<std::int64_t>::max() : size; };
    for (std::size_t i = 0; followsMap(view) && i < count; ++i) {
        if (out.dims[i] == layout.h) out.ends[i] = sizeOf(view.in[1].height());
        if (out.dims[i] == layout.w) out.ends[i] = sizeOf(view.in[1].width());
    }
    return out;
}

// Positions that were joined to a map are taken away again, or all stay.
std::optional<Dimension> withoutTokens(const Dimension& dimension, const Range& range)
{
    const std::int64_t size = dimension.size();
    if (range.step != 1 || (dimension.before == 0 && dimension.after == 0)) return std::nullopt;
    if (range.start == 0 && range.length == size) return dimension;
    if (range.start != dimension.before || range.length != size - dimension.before - dimension.after) return std::nullopt;
    return Dimension{dimension.factors};
}

bool isMixed(const Dimension& dimension) { return dimension.factors.size() > 1 || dimension.before > 0 || dimension.after > 0; }

void infer(InferContext& context)
{
    Value out = context.in(0);
    const NodeView view{context.node(), context.in(), {}};
    const Slices slices = slicesOf(view);
    for (std::size_t i = 0; i < slices.dims.size(); ++i) {
        const int axis = normalAxis(slices.dims[i], out.shape.rank());
        if (axis < 0) continue;
        const auto range = rangeOf(out.shape[axis], slices.starts[i], slices.ends[i], slices.steps[i]);
        if (range && range->length < 1)
            context.issue("empty-slice", Severity::Error, "start", "Nothing is left of dimension " + std::to_string(axis) + " (" + std::to_string(out.shape[axis]) + " units).",
                          "Use a larger input or a slice inside the map.");
        if (range && out.folded) {
            Dimensions dimensions = dimensionsOf(out);
            Dimension& cut = dimensions[static_cast<std::size_t>(axis)];
            const auto left = withoutTokens(cut, *range);
            if (left) cut = *left;
            else if (range->length != out.shape[axis] && isMixed(cut)) cut = {{{Axis::Other, std::max<std::int64_t>(range->length, kUnknown), 1}}};
            if (left || isMixed(dimensions[static_cast<std::size_t>(axis)])) {
                out = valueOf(std::move(dimensions));
                continue;
            }
            out = valueOf(std::move(dimensions));
        }
        out.shape[axis] = range && range->length >= 1 ? range->length : kUnknown;
    }
    context.out() = out;
}

Reach reach(const NodeView& view)
{
    Reach out;
    if (view.in.empty()) return out;
    const Value& in = view.in[0];
    const Slices slices = slicesOf(view);
    const Dimensions dimensions = in.folded ? dimensionsOf(in) : Dimensions{};
    for (std::size_t i = 0; i < slices.dims.size(); ++i) {
        const int axis = normalAxis(slices.dims[i], in.shape.rank());
        if (axis < 0) continue;
        const auto range = rangeOf(in.shape[axis], slices.starts[i], slices.ends[i], slices.steps[i]);
        if (in.folded && isMixed(dimensions[static_cast<std::size_t>(axis)])) {
            const bool all = range && (range->length == in.shape[axis] || withoutTokens(dimensions[static_cast<std::size_t>(axis)], *range));
            for (const auto& [image, r] : {std::pair(Axis::Height, &out.h), std::pair(Axis::Width, &out.w)})
                if (const Factor* part = dimensions[static_cast<std::size_t>(axis)].find(image); part && part->size > 1 && !all) r->kind = ReachKind::Unknown;
            continue;
        }
        if (axis != in.layout.h && axis != in.layout.w) continue;
        AxisReach& r = axis == in.layout.h ? out.h : out.w;
        r.kind = ReachKind::Crop;
        r.offset = range ? range->start : std::max<std::int64_t>(slices.starts[i], 0);
        r.step = range ? range->step : std::max<std::int64_t>(slices.steps[i], 1);
        r.length = range ? range->length : kUnknown;
    }
    return out;
}

// Every bound as a number, whatever it follows.
void bounds(const NodeView& view, Attributes& args)
{
    if (view.in.empty()) return;
    const Slices slices = slicesOf(view);
    args.set("dim", slices.dims);
    args.set("start", slices.starts);
    args.set("end", slices.ends);
    args.set("step", slices.steps);
}

bool read(OnnxCall& call)
{
    const auto listed = [&](const char* name, std::size_t arg) -> std::optional<std::vector<SizeExpr>> {
        if (const auto list = call.getInts(name)) return std::vector<SizeExpr>(list->begin(), list->end());
        return call.numbers(arg);
    };
    bool dynamic = false;
    auto starts = listed("starts", 1), ends = listed("ends", 2);
    auto axes = call.listFrom("axes", 3, &dynamic), steps = call.has(4) ? call.listFrom("steps", 4, &dynamic) : std::optional<Ints>();
    if (dynamic || !starts || !ends || starts->size() != ends->size()) return false;
    if (!axes) {
        axes = Ints{};
        for (std::size_t i = 0; i < starts->size(); ++i) axes->push_back(static_cast<std::int64_t>(i));
    }
    if (!steps) steps = Ints(starts->size(), 1);
    if (axes->size() != starts->size() || steps->size() != starts->size()) return false;
    if (std::any_of(steps->begin(), steps->end(), [](std::int64_t step) { return step == 0 || std::abs(step) > 1'000'000'000; })) return false;
    // An end at the dimension's own size is "to the end", so that it follows the input.
    const Value& in = call.value(0);
    for (std::size_t i = 0; i < ends->size(); ++i) {
        const int axis = normalAxis((*axes)[i], in.shape.rank());
        if (axis < 0 || (*ends)[i].constant() != in.shape[axis] || (*steps)[i] < 0 || (axis != in.layout.h && axis != in.layout.w)) continue;
        (*ends)[i] = std::numeric_limits<std::int64_t>::max();
        call.sizesBaked = true;
    }
    Ints first, last;
    bool computed = false;
    std::vector<SizeExpr> all = *starts;
    all.insert(all.end(), ends->begin(), ends->end());
    for (const SizeExpr& bound : all) {
        computed = computed || !bound.constant();
        (first.size() < starts->size() ? first : last).push_back(bound.constant().value_or(0));
    }
    if (computed) {
        const auto text = call.sizesText(all);
        if (!text) return false;
        call.node.attrs.set("sizes", *text);
    }
    Attributes& attrs = call.node.attrs;
    attrs.set("start", first);
    attrs.set("end", last);
    attrs.set("dim", *axes);
    attrs.set("step", *steps);
    return true;
}

void write(OnnxWriter& writer)
{
    std::vector<Value> in;
    for (std::size_t i = 0; i < writer.node().inputs.size(); ++i) in.push_back(writer.inputValue(i));
    const NodeView view{writer.node(), in, {}};
    const Slices slices = slicesOf(view);
    if (slices.dims.empty()) {
        writer.finish("Identity", {writer.input()});
        return;
    }
    const bool follows = followsMap(view) || view.node.attrs.has("sizes");
    if (follows && writer.opset() < 10) writer.needFixedSides("Before opset 10 a slice to the size of another map can be written", 10);
    if (!follows || writer.opset() < 10) {
        emitSlice(writer, {slices.starts, slices.ends, slices.dims, slices.steps}, {writer.output()});
        return;
    }
    std::string starts, ends;
    const std::string text = writer.node().attrs.getText("sizes");
    if (const std::vector<SizeExpr> numbers = parseSizes(text); numbers.size() == 2 * slices.dims.size()) {
        std::size_t half = 0;  // where the text of the ends begins
        for (std::size_t i = 0; i < slices.dims.size(); ++i) half = text.find(';', half) + 1;
        starts = writer.sizes(std::string_view(text).substr(0, half - 1));
        ends = writer.sizes(std::string_view(text).substr(half));
    } else {
        starts = writer.ints(slices.starts);
        ends = followsMap(view) ? writer.emit("Gather", {writer.emit("Shape", {writer.input(1)}), writer.ints(writer.axes(slices.dims))}, {{"axis", std::int64_t{0}}}) : writer.ints(slices.ends);
    }
    writer.finish("Slice", {writer.input(), starts, ends, writer.ints(slices.dims), writer.ints(slices.steps)});
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
    Dimensions left = dimensionsOf(in);
    left.erase(left.begin() + axis);
    context.out() = valueOf(std::move(left));
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
                  {.name = "step", .type = AttrType::IntList, .fallback = Ints{}, .doc = "Distance between positions; negative: from the last to the first", .min = -1'000'000'000},
                  {.name = "sizes", .type = AttrType::Text, .fallback = std::string(), .doc = "Starts, then ends, as expressions of sizes of its inputs (in0.2/2)", .shown = false}},
        .minInputs = 1,
        .maxInputs = -1,
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
