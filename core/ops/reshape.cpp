#include "core/ops/common.h"
#include "core/ops/reshape.h"

#include <algorithm>
#include <array>

namespace fovea {

namespace {

// An item of "shape": a size (>= 0), -1 for what is left over, or -(10 + 10a + b) for the product of the
// input's dimensions a to b. The last keeps a reshape true at other sizes than the exporter's.
std::int64_t productItem(int from, int to) { return -(10 + 10 * from + to); }
bool isProduct(std::int64_t item) { return item <= -10 && item > -100; }
int firstOf(std::int64_t item) { return static_cast<int>((-item - 10) / 10); }
int lastOf(std::int64_t item) { return static_cast<int>((-item - 10) % 10); }

struct Builder {
    Ints items;
    bool restUsed = false;

    void constant(std::int64_t size) { items.push_back(size); }
    void rest(std::int64_t size)
    {
        items.push_back(restUsed ? size : -1);
        restUsed = true;
    }
};

// One input dimension cut into several: of a channel dimension the first parts are fixed (groups), of a
// spatial one the last (blocks); what remains follows the input.
void splitDimension(Builder& builder, std::span<const std::int64_t> parts, bool spatial)
{
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const bool follows = spatial ? i == 0 : i + 1 == parts.size();
        follows ? builder.rest(parts[i]) : builder.constant(parts[i]);
    }
}

}  // namespace

Ints alignReshape(const Value& in, std::span<const std::int64_t> out)
{
    Builder builder;
    const int rank = in.shape.rank(), outRank = static_cast<int>(out.size());
    int i = 0, o = 0;
    while (o < outRank) {
        if (i >= rank) {  // trailing ones
            builder.constant(out[static_cast<std::size_t>(o++)]);
            continue;
        }
        const int i0 = i, o0 = o;
        std::int64_t a = in.shape[i++], b = out[static_cast<std::size_t>(o++)];
        while (a != b) {
            if (a < b && i < rank) a = saturatingMul(a, in.shape[i++]);
            else if (b < a && o < outRank) b = saturatingMul(b, out[static_cast<std::size_t>(o++)]);
            else break;
        }
        if (a != b) {  // not aligned: the sizes hold as they are
            for (int k = o0; k < outRank; ++k) builder.constant(out[static_cast<std::size_t>(k)]);
            return builder.items;
        }
        // Ones that the shorter side has behind this group belong to it, so that 512x1x1 flattens whole.
        const bool last = o == outRank;
        while (i < rank && in.shape[i] == 1 && (last || out[static_cast<std::size_t>(o)] != 1)) ++i;
        if (last) while (i < rank && in.shape[i] == 1) ++i;
        const bool spatial = i0 == in.layout.h || i0 == in.layout.w;
        if (o - o0 == 1) builder.items.push_back(productItem(i0, i - 1));
        else if (i - i0 == 1) splitDimension(builder, out.subspan(static_cast<std::size_t>(o0), static_cast<std::size_t>(o - o0)), spatial);
        else {
            // Several to several: equal ones at the front pass through, the rest is fixed.
            for (int k = o0; k < o; ++k) builder.constant(out[static_cast<std::size_t>(k)]);
        }
    }
    return builder.items;
}

namespace {

std::int64_t productOf(const Shape& shape, int from, int to)
{
    std::int64_t out = 1;
    for (int i = from; i <= to; ++i) {
        if (i >= shape.rank() || shape[i] < 0) return kUnknown;
        out = saturatingMul(out, shape[i]);
    }
    return out;
}

// Where the image axes and the channels go: into the output dimension that holds them, nowhere where they
// are mixed with others.
Layout follow(const Value& in, const Ints& items)
{
    Layout out;
    int next = 0;
    const int count = static_cast<int>(items.size());
    for (int k = 0; k < count; ++k) {
        const std::int64_t item = items[static_cast<std::size_t>(k)];
        const auto dim = static_cast<std::int8_t>(k);
        if (isProduct(item)) {
            const int from = firstOf(item), to = lastOf(item);
            const auto inside = [&](int axis) { return axis >= from && axis <= to; };
            const bool c = inside(in.layout.c), h = inside(in.layout.h), w = inside(in.layout.w);
            const bool channelsMixed = c && (h || w);
            if (c) out.c = dim;
            if (h && !channelsMixed) out.h = dim;
            if (w && !channelsMixed) out.w = dim;
            next = to + 1;
            continue;
        }
        int end = k + 1;  // a run of parts of dimension `next`
        while (end < count && !isProduct(items[static_cast<std::size_t>(end)])) ++end;
        const int behind = end < count ? firstOf(items[static_cast<std::size_t>(end)]) : in.shape.rank();
        if (behind - next > 1) {  // several dimensions mixed: nobody knows which is which
            next = behind;
            k = end - 1;
            continue;
        }
        const auto second = static_cast<std::int8_t>(std::min(k + 1, count - 1));
        if (next == in.layout.c) out.c = static_cast<std::int8_t>(end - 1);
        if (next == in.layout.h && next == in.layout.w) {
            out.h = dim;
            out.w = second;
        } else if (next == in.layout.h) {
            out.h = dim;
        } else if (next == in.layout.w) {
            out.w = dim;
        }
        ++next;
        k = end - 1;
    }
    return out;
}

void infer(InferContext& context)
{
    const Ints* items = context.node().attrs.getInts("shape");
    const Value& in = context.in(0);
    if (!items || items->size() > static_cast<std::size_t>(Shape::kMaxRank)) return;
    Value out{Shape::ofRank(static_cast<int>(items->size())), {}};
    if (!in.shape.hasRank()) {
        context.out() = out;
        return;
    }
    out.layout = follow(in, *items);
    // Where a reshape undoes another that mixed the dimensions, four of them are an image again.
    if (out.shape.rank() == 4 && out.layout.h < 0 && out.layout.w < 0) out.layout = kNchw;
    const std::int64_t total = in.shape.elements();
    std::int64_t known = 1;
    int rest = -1;
    for (std::size_t k = 0; k < items->size(); ++k) {
        const std::int64_t item = (*items)[k];
        const int dim = static_cast<int>(k);
        if (item == -1) {
            rest = dim;
            continue;
        }
        out.shape[dim] = isProduct(item) ? productOf(in.shape, firstOf(item), lastOf(item)) : item;
        known = known < 0 || out.shape[dim] < 0 ? kUnknown : saturatingMul(known, out.shape[dim]);
    }
    if (rest >= 0 && total >= 0 && known > 0 && total % known == 0) out.shape[rest] = total / known;
    const std::int64_t made = out.shape.elements();
    if (total >= 0 && known >= 0 && (made < 0 || made != total)) {
        context.issue("shape-mismatch", Severity::Error, "shape",
                      "A map of " + in.shape.text() + " (" + std::to_string(total) + " elements) cannot be viewed as " + out.shape.text() + ".",
                      "Go back to the model's own input size, or replace the reshape.");
        out = unknownLike(out);
    }
    context.out() = out;
}

// Sub-positions merged into an image axis enlarge it (depth to space by hand).
Reach reach(const NodeView& view)
{
    Reach out;
    if (view.in.empty() || view.out.empty()) return out;
    const Value &in = view.in[0], &made = view.out[0];
    const auto axis = [](AxisReach& r, std::int64_t before, std::int64_t after) {
        if (before > 0 && after > before && after % before == 0) {
            r.kind = ReachKind::Resize;
            r.scale = Rational(after / before);
            r.approximate = true;
        }
    };
    if (made.layout.h != made.layout.w && in.layout.h != in.layout.w) {
        axis(out.h, in.height(), made.height());
        axis(out.w, in.width(), made.width());
    }
    return out;
}

bool read(OnnxCall& call)
{
    const Value& in = call.value(0);
    bool dynamic = false;
    auto sizes = call.listFrom("shape", 1, &dynamic);
    if (dynamic || !sizes || !in.shape.isComplete() || sizes->size() > static_cast<std::size_t>(Shape::kMaxRank)) return false;
    std::int64_t known = 1;
    int rest = -1;
    for (std::size_t i = 0; i < sizes->size(); ++i) {
        std::int64_t& size = (*sizes)[i];
        if (size == 0 && call.getInt("allowzero", 0) == 0) {
            if (static_cast<int>(i) >= in.shape.rank()) return false;
            size = in.shape[static_cast<int>(i)];
        }
        if (size == -1) {
            if (rest >= 0) return false;
            rest = static_cast<int>(i);
        } else if (size < 0) return false;
        else known = saturatingMul(known, size);
    }
    const std::int64_t total = in.shape.elements();
    if (rest >= 0) {
        if (known <= 0 || total < 0 || total % known != 0) return false;
        (*sizes)[static_cast<std::size_t>(rest)] = total / known;
    } else if (known != total) return false;
    call.sizesBaked = true;
    const Ints items = alignReshape(in, *sizes);
    if (items.size() == 2 && isProduct(items[0]) && isProduct(items[1]) && lastOf(items[1]) == in.shape.rank() - 1 && in.shape.rank() > 2 &&
        lastOf(items[0]) == 0) {
        call.node.kind = "Flatten";
        call.node.attrs = {};
        call.node.attrs.set("start_dim", std::int64_t{1});
        return true;
    }
    call.node.attrs.set("shape", items);
    return true;
}

void write(OnnxWriter& writer)
{
    const Shape& in = writer.inputValue().shape;
    const Shape& out = writer.outputValue().shape;
    const Ints* items = writer.node().attrs.getInts("shape");
    Ints sizes;
    for (int i = 0; items && i < static_cast<int>(items->size()); ++i) {
        const std::int64_t item = (*items)[static_cast<std::size_t>(i)];
        // 0 copies the dimension of the same position, so a batch of another size still runs.
        if (isProduct(item) && firstOf(item) == i && lastOf(item) == i && i < in.rank()) sizes.push_back(0);
        else sizes.push_back(i < out.rank() ? out[i] : kUnknown);
    }
    writer.finish("Reshape", {writer.input(), writer.ints(sizes)});
}

// As PyTorch's reshape takes it, with 0 for "as the input's dimension of this position", so that any batch runs.
void viewShape(const NodeView& view, Attributes& args)
{
    const Ints* items = view.node.attrs.getInts("shape");
    Ints shape;
    for (int i = 0; items && i < static_cast<int>(items->size()); ++i) {
        const std::int64_t item = (*items)[static_cast<std::size_t>(i)];
        const bool same = isProduct(item) && firstOf(item) == i && lastOf(item) == i;
        shape.push_back(same ? 0 : item == -1 || view.out.empty() || i >= view.out[0].shape.rank() ? -1 : view.out[0].shape[i]);
    }
    args.set("shape", shape);
}

}  // namespace

const OpDef& reshapeOp()
{
    static const OpDef def{
        .kind = "Reshape",
        .opClass = OpClass::Shape,
        .memory = isView,
        .doc = "Views the same elements in another shape.",
        .attrs = {{.name = "shape", .type = AttrType::IntList, .fallback = Ints{},
                   .doc = "Per dimension a size, -1 for the rest, or -(10+10a+b) for the product of the input's dimensions a to b", .min = -99, .shown = false}},
        .reach = reach,
        .infer = infer,
        .torch = {TorchOp::Reshape, {}, {}, viewShape},
        .onnx = {.types = {"Reshape"}, .read = read, .write = write},
    };
    return def;
}

namespace {

// Squeeze and Unsqueeze are reshapes that say which dimensions of size 1 go or come.
bool readSqueeze(OnnxCall& call)
{
    const Value& in = call.value(0);
    bool dynamic = false;
    const auto axes = call.listFrom("axes", 1, &dynamic);
    if (dynamic || !in.shape.hasRank()) return false;
    std::array<bool, Shape::kMaxRank> drop{};
    for (int i = 0; i < in.shape.rank(); ++i) drop[static_cast<std::size_t>(i)] = !axes && in.shape[i] == 1;
    for (const std::int64_t axis : axes.value_or(Ints{})) {
        const int dim = normalAxis(axis, in.shape.rank());
        if (dim < 0) return false;
        drop[static_cast<std::size_t>(dim)] = true;
    }
    Ints dims;
    for (int i = 0; i < in.shape.rank(); ++i)
        if (drop[static_cast<std::size_t>(i)]) dims.push_back(i);
    call.node.attrs.set("dim", dims);
    return true;
}

bool readUnsqueeze(OnnxCall& call)
{
    const int rank = call.value(0).shape.rank();
    bool dynamic = false;
    const auto axes = call.listFrom("axes", 1, &dynamic);
    if (dynamic || !axes || rank < 0) return false;
    Ints dims;
    for (const std::int64_t axis : *axes) {
        const int dim = normalAxis(axis, rank + static_cast<int>(axes->size()));
        if (dim < 0) return false;
        dims.push_back(dim);
    }
    std::sort(dims.begin(), dims.end());
    call.node.attrs.set("dim", dims);
    return rank + static_cast<int>(dims.size()) <= Shape::kMaxRank;
}

bool contains(const Ints* list, std::int64_t item) { return list && std::find(list->begin(), list->end(), item) != list->end(); }

void inferSqueeze(InferContext& context)
{
    const Value& in = context.in(0);
    const Ints* dims = context.node().attrs.getInts("dim");
    if (!in.shape.hasRank()) return;
    Value out{Shape::ofRank(0), {}};
    bool fits = true;
    for (int i = 0; i < in.shape.rank(); ++i) {
        if (contains(dims, i)) {
            if (in.shape[i] < 0 || in.shape[i] == 1) continue;
            context.issue("shape-mismatch", Severity::Error, "dim",
                          "It drops dimension " + std::to_string(i) + " of " + in.shape.text() + ", which has " + std::to_string(in.shape[i]) + " positions and not one.",
                          "Use a size at which one is left there, or a pooling before it that leaves one.");
            fits = false;
            continue;
        }
        const auto to = static_cast<std::int8_t>(out.shape.rank());
        if (i == in.layout.c) out.layout.c = to;
        if (i == in.layout.h) out.layout.h = to;
        if (i == in.layout.w) out.layout.w = to;
        out.shape.append(in.shape[i]);
    }
    context.out() = fits ? out : unknownLike(out);
}

void inferUnsqueeze(InferContext& context)
{
    const Value& in = context.in(0);
    const Ints* dims = context.node().attrs.getInts("dim");
    if (!in.shape.hasRank() || !dims) return;
    const int rank = in.shape.rank() + static_cast<int>(dims->size());
    if (rank > Shape::kMaxRank) return;
    Value out{Shape::ofRank(0), {}};
    int from = 0;
    for (int i = 0; i < rank; ++i) {
        const auto to = static_cast<std::int8_t>(i);
        if (contains(dims, i)) {
            out.shape.append(1);
            continue;
        }
        if (from == in.layout.c) out.layout.c = to;
        if (from == in.layout.h) out.layout.h = to;
        if (from == in.layout.w) out.layout.w = to;
        if (from >= in.shape.rank()) return;
        out.shape.append(in.shape[from++]);
    }
    context.out() = out;
}

template <bool Add>
void writeAxes(OnnxWriter& writer)
{
    const Ints* dims = writer.node().attrs.getInts("dim");
    const Ints axes = dims ? *dims : Ints{};
    const char* type = Add ? "Unsqueeze" : "Squeeze";
    if (axes.empty()) writer.finish("Identity", {writer.input()});
    else if (writer.opset() >= 13) writer.finish(type, {writer.input(), writer.ints(axes)});
    else writer.finish(type, {writer.input()}, {{"axes", axes}});
}

}  // namespace

const OpDef& squeezeOp()
{
    static const OpDef def{.kind = "Squeeze", .opClass = OpClass::Shape, .memory = isView, .doc = "Drops dimensions of size 1.",
                           .attrs = {{.name = "dim", .type = AttrType::IntList, .fallback = Ints{}, .doc = "Dimensions that go"}},
                           .infer = inferSqueeze,
                           .torch = {TorchOp::Squeeze, {"dim"}},
                           .onnx = {.types = {"Squeeze"}, .read = readSqueeze, .write = writeAxes<false>}};
    return def;
}

const OpDef& unsqueezeOp()
{
    static const OpDef def{.kind = "Unsqueeze", .opClass = OpClass::Shape, .memory = isView, .doc = "Adds dimensions of size 1.",
                           .attrs = {{.name = "dim", .type = AttrType::IntList, .fallback = Ints{}, .doc = "Where they are in the output"}},
                           .infer = inferUnsqueeze,
                           .torch = {TorchOp::Unsqueeze, {"dim"}},
                           .onnx = {.types = {"Unsqueeze"}, .read = readUnsqueeze, .write = writeAxes<true>}};
    return def;
}

}  // namespace fovea
