#include "core/graph/dimensions.h"
#include "core/ops/common.h"
#include "core/ops/reshape.h"
#include "core/ops/size_expr.h"

#include <algorithm>
#include <array>
#include <limits>

namespace fovea {

namespace {

// An item of "shape": a size (>= 0), -1 for what is left over, or -(10 + 10a + b) for the product of the
// input's dimensions a to b. The last keeps a reshape true at other sizes than the exporter's.
std::int64_t productItem(int from, int to) { return -(10 + 10 * from + to); }
constexpr std::int64_t kRest = std::numeric_limits<std::int64_t>::min();  // what is left over

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

// The sizes that it makes, kUnknown where they cannot be told. "sizes" goes before "shape".
Ints sizesOf(const Node& node, std::span<const Value> in)
{
    Ints out;
    if (const std::string text = node.attrs.getText("sizes"); !text.empty()) {
        for (const auto& size : evaluateSizes(text, in)) out.push_back(!size ? kUnknown : *size == -1 ? kRest : *size < 0 ? kUnknown : *size);
    } else if (const Ints* items = node.attrs.getInts("shape")) {
        for (const std::int64_t item : *items)
            out.push_back(item == -1 ? kRest : isProduct(item) ? productOf(in[0].shape, firstOf(item), lastOf(item)) : item);
    }
    std::int64_t known = 1;
    for (const std::int64_t size : out)
        if (size != kRest) known = known < 0 || size < 0 ? kUnknown : saturatingMul(known, size);
    const std::int64_t total = in[0].shape.elements();
    for (std::int64_t& size : out)
        if (size == kRest) size = total >= 0 && known > 0 && total % known == 0 ? total / known : kUnknown;
    return out;
}

// One of its sizes is what the others leave.
bool hasRest(const Node& node)
{
    const Ints* items = node.attrs.getInts("shape");
    const std::string text = node.attrs.getText("sizes");
    if (text.empty()) return items && std::find(items->begin(), items->end(), -1) != items->end();
    return (";" + text + ";").find(";-1;") != std::string::npos;
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

void infer(InferContext& context)
{
    const Value& in = context.in(0);
    const Ints sizes = sizesOf(context.node(), context.in());
    if (sizes.size() > static_cast<std::size_t>(Shape::kMaxRank)) return;
    const Shape shape(sizes);
    const std::int64_t total = in.shape.elements(), made = shape.elements();
    if (made >= 0 && made == total) {
        context.out() = view(in, sizes).value;
        return;
    }
    context.out() = {in.shape.hasRank() ? shape : Shape::ofRank(shape.rank()), {}};
    const auto open = std::count(sizes.begin(), sizes.end(), kUnknown);
    if (total < 0 || (made < 0 && (open > 1 || !hasRest(context.node())))) return;
    context.issue("size-frozen", Severity::Error, "shape",
                  "A map of " + in.shape.text() + " (" + std::to_string(total) + " elements) cannot be viewed as " + shape.text() + ": its sizes are fixed for another input size.",
                  "Go back to the model's own input size, export it with dynamic height and width, or replace the reshape.");
    context.out() = {Shape::ofRank(shape.rank()), {}};
}

Reach reach(const NodeView& node)
{
    return node.in.empty() || !node.in[0].shape.hasRank() ? Reach{} : view(node.in[0], sizesOf(node.node, node.in)).reach;
}

// The numbers as the file has them or computes them; which of those that it fixes follow the input is decided when the
// whole network is known (core/io/onnx/follow_sizes.h).
bool read(OnnxCall& call)
{
    const Value& in = call.value(0);
    std::optional<std::vector<SizeExpr>> sizes;
    if (const auto listed = call.getInts("shape")) sizes = std::vector<SizeExpr>(listed->begin(), listed->end());
    else sizes = call.numbers(1);
    if (!sizes || !in.shape.hasRank() || sizes->size() > static_cast<std::size_t>(Shape::kMaxRank)) return false;
    int rest = 0;
    for (std::size_t i = 0; i < sizes->size(); ++i) {
        const auto number = (*sizes)[i].constant();
        if (!(*sizes)[i].known() || (number && *number < -1)) return false;
        rest += number == -1;
        if (number != 0 || call.getInt("allowzero", 0) != 0) continue;
        if (static_cast<int>(i) >= in.shape.rank()) return false;
        (*sizes)[i] = SizeExpr::dimension(call.args[0].port, static_cast<int>(i));
    }
    const auto text = rest < 2 ? call.sizesText(*sizes) : std::nullopt;
    if (!text) return false;
    call.node.attrs.set("sizes", *text);
    call.sizesBaked = std::any_of(sizes->begin(), sizes->end(), [](const SizeExpr& size) { return size.constant().value_or(0) > 0; });
    return true;
}

// The sizes as a tensor, those at `products` computed from the input's dimensions while the network runs.
std::string computedSizes(OnnxWriter& writer, const Ints& items, const Ints& sizes, const std::vector<std::size_t>& products)
{
    const std::string shape = writer.emit("Shape", {writer.input()});
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        if (std::find(products.begin(), products.end(), i) == products.end()) {
            parts.push_back(writer.ints({sizes[i]}));
            continue;
        }
        std::string product;
        for (int dim = firstOf(items[i]); dim <= lastOf(items[i]); ++dim) {
            const std::string size = writer.emit("Gather", {shape, writer.ints({dim})}, {{"axis", std::int64_t{0}}});
            product = product.empty() ? size : writer.emit("Mul", {product, size});
        }
        parts.push_back(product);
    }
    return writer.emit("Concat", parts, {{"axis", std::int64_t{0}}});
}

void write(OnnxWriter& writer)
{
    if (const std::string text = writer.node().attrs.getText("sizes"); !text.empty()) {
        writer.finish("Reshape", {writer.input(), writer.sizes(text)});
        return;
    }
    const Shape& in = writer.inputValue().shape;
    const Shape& out = writer.outputValue().shape;
    const Ints* items = writer.node().attrs.getInts("shape");
    Ints sizes;
    std::vector<std::size_t> products;  // that have to follow the input's dimensions
    for (int i = 0; items && i < static_cast<int>(items->size()); ++i) {
        const std::int64_t item = (*items)[static_cast<std::size_t>(i)], size = i < out.rank() ? out[i] : kUnknown;
        const bool follows = writer.open().any() || size < 0;
        // 0 copies the dimension of the same position, so a batch of another size still runs.
        if (isProduct(item) && firstOf(item) == i && lastOf(item) == i && i < in.rank()) sizes.push_back(0);
        else if (item == -1 && follows) sizes.push_back(-1);
        else if (isProduct(item) && follows) {
            products.push_back(sizes.size());
            sizes.push_back(0);
        } else sizes.push_back(writer.known(size, "the shape that it makes"));
    }
    if (products.size() == 1 && std::find(sizes.begin(), sizes.end(), -1) == sizes.end()) {
        sizes[products.front()] = -1;
        products.clear();
    }
    writer.finish("Reshape", {writer.input(), products.empty() ? writer.ints(sizes) : computedSizes(writer, *items, sizes, products)});
}

// As PyTorch's reshape takes it, with 0 for "as the input's dimension of this position", so that any batch runs.
void viewShape(const NodeView& view, Attributes& args)
{
    const Ints* items = view.node.attrs.getInts("shape");
    Ints shape;
    if (const std::vector<SizeExpr> sizes = parseSizes(view.node.attrs.getText("sizes")); !sizes.empty()) {
        for (std::size_t i = 0; i < sizes.size(); ++i) {
            const auto from = sizes[i].dimension();
            const bool same = from && from->port.output == 0 && from->dim == static_cast<int>(i);
            const bool known = !view.out.empty() && static_cast<int>(i) < view.out[0].shape.rank();
            shape.push_back(same ? 0 : sizes[i].constant() == -1 || !known ? -1 : view.out[0].shape[static_cast<int>(i)]);
        }
        args.set("shape", shape);
        return;
    }
    for (int i = 0; items && i < static_cast<int>(items->size()); ++i) {
        const std::int64_t item = (*items)[static_cast<std::size_t>(i)];
        const bool same = isProduct(item) && firstOf(item) == i && lastOf(item) == i;
        const std::int64_t size = view.out.empty() || i >= view.out[0].shape.rank() ? kUnknown : view.out[0].shape[i];
        shape.push_back(same ? 0 : item == -1 ? -1 : size);
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
                   .doc = "Per dimension a size, -1 for the rest, or -(10+10a+b) for the product of the input's dimensions a to b", .min = -99, .shown = false},
                  {.name = "sizes", .type = AttrType::Text, .fallback = std::string(), .doc = "The same as expressions of sizes of its inputs (in0.2/2)", .shown = false}},
        .maxInputs = -1,
        .pathInputs = 1,
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
    bool fits = true;
    for (int i = 0; i < in.shape.rank(); ++i) {
        if (!contains(dims, i)) {
            out.push_back(all[static_cast<std::size_t>(i)]);
        } else if (in.shape[i] >= 0 && in.shape[i] != 1) {
            context.issue("shape-mismatch", Severity::Error, "dim",
                          "It drops dimension " + std::to_string(i) + " of " + in.shape.text() + ", which has " + std::to_string(in.shape[i]) + " positions and not one.",
                          "Use a size at which one is left there, or a pooling before it that leaves one.");
            fits = false;
        }
    }
    context.out() = fits ? valueOf(std::move(out)) : unknownLike(valueOf(std::move(out)));
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
