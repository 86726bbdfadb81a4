#include "core/graph/dimensions.h"
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

// The sizes that it makes, kUnknown where they cannot be told.
Ints sizesOf(const Node& node, const Shape& in)
{
    const Ints* items = node.attrs.getInts("shape");
    Ints out;
    int rest = -1;
    std::int64_t known = 1;
    for (std::size_t k = 0; items && k < items->size(); ++k) {
        const std::int64_t item = (*items)[k];
        if (item == -1) rest = static_cast<int>(k);
        out.push_back(item == -1 ? kUnknown : isProduct(item) ? productOf(in, firstOf(item), lastOf(item)) : item);
        if (item != -1) known = known < 0 || out.back() < 0 ? kUnknown : saturatingMul(known, out.back());
    }
    const std::int64_t total = in.elements();
    if (rest >= 0 && total >= 0 && known > 0 && total % known == 0) out[static_cast<std::size_t>(rest)] = total / known;
    return out;
}

// What a view of the same elements in another shape is: its dimensions, and what it does to the grids.
struct Viewed {
    Value value;
    Reach reach;
};

std::int64_t channelsOf(const Dimensions& dimensions)
{
    std::int64_t product = 1;
    for (const Dimension& dimension : dimensions)
        for (const Factor& factor : dimension.factors)
            if (factor.axis == Axis::Channel) product = saturatingMul(product, factor.size);
    return product;
}

// Parts of one axis as one, where they need not lie on a grid.
std::vector<Factor> joinedFactors(const Dimension& dimension)
{
    std::vector<Factor> out;
    for (const Factor& factor : dimension.factors) {
        if (!out.empty() && out.back().axis == factor.axis) out.back().size = saturatingMul(out.back().size, factor.size);
        else out.push_back({factor.axis, factor.size, 1});
    }
    return out;
}

bool isSpatial(const Factor& factor) { return factor.axis == Axis::Height || factor.axis == Axis::Width; }

// A dimension that holds rows (or columns) and parts of the channels, each the next finer position: depth to space. Parts
// in front are maps beside one another. Where it holds all channels they are only flattened.
void enlarge(Dimension& dimension, std::int64_t channels, Dimensions& all, Reach& reach)
{
    const auto first = std::find_if(dimension.factors.begin(), dimension.factors.end(), isSpatial);
    if (first == dimension.factors.end() || dimension.factors.size() < 2) return;
    const Axis axis = first->axis;
    std::int64_t inside = 1, outside = 1, along = 1;
    for (auto it = dimension.factors.begin(); it != dimension.factors.end(); ++it) {
        const bool part = it->axis == Axis::Other || (it->axis == Axis::Channel && (it->size == 1 || it->size < channels));
        if (it->axis == axis) along = saturatingMul(along, it->size);
        else if (!part) return;
        else (it < first ? outside : inside) = saturatingMul(it < first ? outside : inside, it->size);
    }
    if (inside == 1 && outside == 1) return;
    AxisReach& r = axis == Axis::Height ? reach.h : reach.w;
    const std::int64_t step = dimension.factors.back().axis == axis ? dimension.factors.back().step : first->step;
    if (inside > 1) {
        r.kind = ReachKind::Resize;
        r.scale = Rational(inside);
        for (Dimension& other : all)
            for (Factor& factor : other.factors)
                if (factor.axis == axis) factor.step = saturatingMul(factor.step, inside);
    }
    r.approximate = r.approximate || outside > 1;
    dimension.factors = {{axis, saturatingMul(saturatingMul(along, inside), outside), step}};
}

Viewed view(const Value& in, const Ints& sizes)
{
    Viewed out{{Shape(std::span(sizes)), {}}, {}};
    if (!in.shape.isComplete() || !out.value.shape.isComplete()) return out;
    const Dimensions before = dimensionsOf(in);
    std::optional<Dimensions> after = reshaped(before, sizes);
    const auto hasImage = [](const Dimensions& dimensions) {
        return std::any_of(dimensions.begin(), dimensions.end(), [](const Dimension& d) { return d.find(Axis::Height) || d.find(Axis::Width); });
    };
    if (!after) {
        for (const auto& [axis, r] : {std::pair(Axis::Height, &out.reach.h), std::pair(Axis::Width, &out.reach.w)})
            if (gridSize(in, axis) != 1) r->kind = ReachKind::Unknown;
        return out;
    }
    if (sizes.size() == 4 && !hasImage(*after)) {  // features become a map, what is in front of them a batch
        for (std::size_t i = 0; i < 4; ++i)
            for (Factor& factor : (*after)[i].factors)
                factor.axis = i > 1 ? (i == 2 ? Axis::Height : Axis::Width) : i == 1 ? Axis::Channel : factor.axis == Axis::Batch ? Axis::Batch : Axis::Other;
        for (std::size_t i = 0; i < 4; ++i)
            if ((*after)[i].factors.empty()) (*after)[i].factors = {{i == 0 ? Axis::Batch : i == 1 ? Axis::Channel : i == 2 ? Axis::Height : Axis::Width, 1, 1}};
        for (Dimension& dimension : *after) dimension.factors = joinedFactors(dimension);
        out.value = valueOf(std::move(*after));
        return out;
    }
    const std::int64_t channels = channelsOf(before);
    for (Dimension& dimension : *after) enlarge(dimension, channels, *after, out.reach);
    out.value = valueOf(std::move(*after));
    return out;
}

Value inferView(InferContext& context, const Ints& sizes)
{
    const Value& in = context.in(0);
    const std::int64_t total = in.shape.elements(), made = Shape(std::span(sizes)).elements();
    const bool open = std::find(sizes.begin(), sizes.end(), kUnknown) != sizes.end();
    if (total < 0 || (made < 0 && open && std::count(sizes.begin(), sizes.end(), kUnknown) > 1)) return {Shape(std::span(sizes)), {}};
    if (made == total) return view(in, sizes).value;
    context.issue("shape-mismatch", Severity::Error, "shape",
                  "A map of " + in.shape.text() + " (" + std::to_string(total) + " elements) cannot be viewed as " + Shape(std::span(sizes)).text() + ".",
                  "Go back to the model's own input size, or replace the reshape.");
    return {Shape::ofRank(static_cast<int>(sizes.size())), {}};
}

void infer(InferContext& context)
{
    const Ints* items = context.node().attrs.getInts("shape");
    if (!items || items->size() > static_cast<std::size_t>(Shape::kMaxRank)) return;
    if (!context.in(0).shape.hasRank()) context.out() = {Shape::ofRank(static_cast<int>(items->size())), {}};
    else context.out() = inferView(context, sizesOf(context.node(), context.in(0).shape));
}

Reach reach(const NodeView& node)
{
    return node.in.empty() || !node.in[0].shape.hasRank() ? Reach{} : view(node.in[0], sizesOf(node.node, node.in[0].shape)).reach;
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
    Dimensions out;
    const Dimensions all = dimensionsOf(in);
    for (int i = 0; i < in.shape.rank(); ++i)
        if (!contains(dims, i)) out.push_back(all[static_cast<std::size_t>(i)]);
    context.out() = valueOf(std::move(out));
}

void inferUnsqueeze(InferContext& context)
{
    const Value& in = context.in(0);
    const Ints* dims = context.node().attrs.getInts("dim");
    if (!in.shape.hasRank() || !dims) return;
    const int rank = in.shape.rank() + static_cast<int>(dims->size());
    if (rank > Shape::kMaxRank) return;
    Dimensions out;
    const Dimensions all = dimensionsOf(in);
    std::size_t from = 0;
    for (int i = 0; i < rank; ++i) {
        if (contains(dims, i)) out.push_back({{Factor{}}});
        else if (from < all.size()) out.push_back(all[from++]);
        else return;
    }
    context.out() = valueOf(std::move(out));
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
