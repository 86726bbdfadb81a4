// Layers that repeat what they read: Expand a dimension of size 1, Tile any. Repeats of one position, of channels and of
// the batch are pointwise; a map that is repeated along its height or width is joined with itself (Concat).
#include "core/graph/dimensions.h"
#include "core/ops/common.h"

#include <algorithm>

namespace fovea {

namespace {

// The numbers of a layer: computed from sizes where "sizes" says how, else those of the list `attr`.
std::vector<std::optional<std::int64_t>> numbersOf(const NodeView& view, const char* attr)
{
    if (const std::string sizes = view.node.attrs.getText("sizes"); !sizes.empty()) return evaluateSizes(sizes, view.in);
    const Ints* list = view.node.attrs.getInts(attr);
    return list ? std::vector<std::optional<std::int64_t>>(list->begin(), list->end()) : std::vector<std::optional<std::int64_t>>{};
}

// The value with dimensions of size 1 in front.
Value widened(const Value& in, int rank)
{
    const int more = rank - in.shape.rank();
    if (more <= 0) return in;
    Dimensions dimensions = dimensionsOf(in);
    Dimension one;
    one.factors.push_back({Axis::Other, 1, 1});
    dimensions.insert(dimensions.begin(), static_cast<std::size_t>(more), one);
    return valueOf(std::move(dimensions));
}

void inferExpand(InferContext& context)
{
    const Value& in = context.in(0);
    const auto target = numbersOf({context.node(), context.in(), {}}, "size");
    const int rank = std::max(in.shape.rank(), static_cast<int>(target.size()));
    if (!in.shape.hasRank() || rank > Shape::kMaxRank) return;
    Value out = widened(in, rank);
    const int shift = rank - static_cast<int>(target.size());
    for (int i = 0; i < static_cast<int>(target.size()); ++i) {
        const int dim = i + shift;
        const std::int64_t has = out.shape[dim];
        const auto wanted = target[static_cast<std::size_t>(i)];
        if (wanted == -1 || wanted == 1 || wanted == has) continue;
        if (!wanted || *wanted < 0) {
            if (has == 1 || has < 0) resize(out, dim, kUnknown);
            continue;
        }
        if (has > 1) {
            context.issue("shape-mismatch", Severity::Error, "size",
                          "A map of " + in.shape.text() + " cannot be expanded to " + std::to_string(*wanted) + " along dimension " + std::to_string(dim) + ": it has " + std::to_string(has) + " there, not 1.",
                          "Go back to the model's own input size, or make the sizes equal.");
            context.out() = unknownLike(out);
            return;
        }
        resize(out, dim, has < 0 ? kUnknown : *wanted);
    }
    context.out() = std::move(out);
}

void inferTile(InferContext& context)
{
    const Value& in = context.in(0);
    const auto repeats = numbersOf({context.node(), context.in(), {}}, "repeats");
    Value out = in;
    for (int dim = 0; dim < in.shape.rank(); ++dim) {
        const auto at = static_cast<std::size_t>(dim);
        const auto times = at < repeats.size() ? repeats[at] : std::optional<std::int64_t>(1);
        if (times == 1) continue;
        resize(out, dim, times && *times >= 0 && in.shape[dim] >= 0 ? saturatingMul(in.shape[dim], *times) : kUnknown);
    }
    context.out() = std::move(out);
}

bool readExpand(OnnxCall& call)
{
    const auto target = call.numbers(1);
    if (!target || target->size() > static_cast<std::size_t>(Shape::kMaxRank)) return false;
    if (!call.follows(1)) {
        Ints size;
        for (const SizeExpr& number : *target) size.push_back(number.constant().value_or(kUnknown));
        call.sizesBaked = true;
        // What it has already is no number of the file.
        const Shape& in = call.value(0).shape;
        for (std::size_t i = 0; i < size.size(); ++i) {
            const int dim = static_cast<int>(i) + in.rank() - static_cast<int>(size.size());
            if (dim >= 0 && in[dim] == size[i]) size[i] = -1;
        }
        call.node.attrs.set("size", size);
        return true;
    }
    const auto text = call.sizesText(*target);
    if (text) call.node.attrs.set("sizes", *text);
    return text.has_value();
}

void writeExpand(OnnxWriter& writer)
{
    const Attributes& attrs = writer.node().attrs;
    const Ints* size = attrs.getInts("size");
    const std::string sizes = attrs.getText("sizes");
    Ints target = size ? *size : Ints{};
    for (std::int64_t& number : target) number = number == -1 ? 1 : number;
    if (writer.opset() >= 8) {
        writer.finish("Expand", {writer.input(), sizes.empty() ? writer.ints(target) : writer.sizes(sizes)});
        return;
    }
    // Before opset 8 a product with ones repeats.
    if (!sizes.empty()) target.assign(writer.outputValue().shape.dims().begin(), writer.outputValue().shape.dims().end());
    std::int64_t count = 1;
    for (const std::int64_t number : target) count = saturatingMul(count, std::max<std::int64_t>(number, 0));
    if (count > 1'000'000'000) throw Error(ErrorCode::Limit, "'" + writer.node().name + "' would need a constant of " + std::to_string(count) + " elements before opset 8.");
    writer.finish("Mul", {writer.input(), writer.constant(Tensor::fromFloats(target, std::vector<float>(static_cast<std::size_t>(count), 1.0f)))});
}

// Along the image's axes a map of more than one unit is joined with itself; along one of them this is a Concat.
bool readTile(OnnxCall& call)
{
    if (call.opset < 6) return false;  // another form, of a single number
    const Value& in = call.value(0);
    const auto repeats = call.numbers(1);
    if (!repeats || static_cast<int>(repeats->size()) != in.shape.rank()) return false;
    std::vector<int> joined, others;
    for (int dim = 0; dim < in.shape.rank(); ++dim) {
        if ((*repeats)[static_cast<std::size_t>(dim)].constant() == 1) continue;
        const bool image = (dim == in.layout.h || dim == in.layout.w) && in.shape[dim] != 1;
        (image ? joined : others).push_back(dim);
    }
    if (joined.empty()) {
        if (call.follows(1)) {
            const auto text = call.sizesText(*repeats);
            if (text) call.node.attrs.set("sizes", *text);
            return text.has_value();
        }
        Ints list;
        for (const SizeExpr& number : *repeats) list.push_back(number.constant().value_or(1));
        call.node.attrs.set("repeats", list);
        return true;
    }
    const auto times = (*repeats)[static_cast<std::size_t>(joined[0])].constant();
    if (joined.size() != 1 || !others.empty() || !times || *times < 1 || *times > 64) return false;
    call.node.kind = "Concat";
    call.node.attrs = {};
    call.node.attrs.set("dim", std::int64_t{joined[0]});
    call.dataInputs.assign(static_cast<std::size_t>(*times), 0);
    return true;
}

void writeTile(OnnxWriter& writer)
{
    const Ints* repeats = writer.node().attrs.getInts("repeats");
    const std::string sizes = writer.node().attrs.getText("sizes");
    writer.finish("Tile", {writer.input(), sizes.empty() ? writer.ints(repeats ? *repeats : Ints{}) : writer.sizes(sizes)});
}

AttrDef sizesAttr() { return {.name = "sizes", .type = AttrType::Text, .fallback = std::string(), .doc = "The same where it follows sizes of its inputs", .shown = false}; }

}  // namespace

const OpDef& expandOp()
{
    static const OpDef def{
        .kind = "Expand",
        .opClass = OpClass::Shape,
        .memory = isView,
        .doc = "Repeats dimensions of size 1.",
        .attrs = {{.name = "size", .type = AttrType::IntList, .fallback = Ints{}, .doc = "Size per dimension; -1 leaves it as it is", .min = -1}, sizesAttr()},
        .minInputs = 1,
        .maxInputs = -1,
        .pathInputs = 1,
        .infer = inferExpand,
        .torch = {.op = TorchOp::Expand,
                  .more = [](const NodeView& view, Attributes& args) { args.set("size", view.out.empty() ? Ints{} : Ints(view.out[0].shape.dims().begin(), view.out[0].shape.dims().end())); }},
        .onnx = {.types = {"Expand"}, .read = readExpand, .write = writeExpand},
    };
    return def;
}

const OpDef& tileOp()
{
    static const OpDef def{
        .kind = "Tile",
        .opClass = OpClass::Shape,
        .memory = nullptr,
        .doc = "Repeats its input along dimensions other than height and width.",
        .attrs = {{.name = "repeats", .type = AttrType::IntList, .fallback = Ints{}, .doc = "How often, per dimension", .min = 1}, sizesAttr()},
        .minInputs = 1,
        .maxInputs = -1,
        .pathInputs = 1,
        .infer = inferTile,
        .torch = {.op = TorchOp::Tile,
                  .more =
                      [](const NodeView& view, Attributes& args) {
                          Ints repeats;
                          for (const auto& number : numbersOf(view, "repeats")) repeats.push_back(number.value_or(1));
                          args.set("repeats", repeats);
                      }},
        .onnx = {.types = {"Tile"}, .read = readTile, .write = writeTile},
    };
    return def;
}

}  // namespace fovea
