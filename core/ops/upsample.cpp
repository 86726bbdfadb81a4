#include "core/ops/common.h"
#include "core/ops/older_forms.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace fovea {

namespace {

// The fraction with the smallest denominator between two numbers.
Rational simplest(double low, double high, int depth = 0)
{
    const double whole = std::floor(low);
    if (depth > 40 || whole > 1e9) return Rational(static_cast<std::int64_t>(std::min(whole, 1e9)));
    if (whole == low) return Rational(static_cast<std::int64_t>(whole));
    if (whole + 1 <= high) return Rational(static_cast<std::int64_t>(whole) + 1);
    return Rational(static_cast<std::int64_t>(whole)) + Rational(1) / simplest(1 / (high - whole), 1 / (low - whole), depth + 1);
}

// The simplest fraction that is this 32-bit number, so that output sizes come out as ONNX Runtime computes them.
Rational fraction(double scale)
{
    const auto exact = static_cast<float>(scale);
    const double below = std::nextafter(exact, 0.0f), above = std::nextafter(exact, 1e30f);
    const Rational found = simplest(exact - (exact - below) * 0.49, exact + (above - exact) * 0.49);
    const bool same = found.num() > 0 && found.num() < 1'000'000'000 && found.den() < 1'000'000'000;
    return same ? found : Rational(std::max<std::int64_t>(1, std::llround(std::min(scale, 1e6) * 4096)), 4096);
}

// What repeats soon enough to be followed: a scale that differs from a simple one by rounding alone is that one.
Rational forFields(Rational scale)
{
    for (std::int64_t den = 1; den <= 64 && scale.den() > 64; ++den) {
        const double num = scale.value() * static_cast<double>(den);
        if (std::abs(num - std::round(num)) < 1e-4 * num && std::llround(num) > 0) return Rational(std::llround(num), den);
    }
    return scale;
}

int tapsOf(const std::string& mode) { return mode == "nearest" ? 1 : mode == "bicubic" ? 4 : 2; }

Rational scaleOf(const Node& node, std::size_t axis)
{
    return Rational(std::max<std::int64_t>(1, attrAt(node, "scale_factor", axis, 2)),
                    std::max<std::int64_t>(1, attrAt(node, "scale_divisor", axis, 1)));
}

std::int64_t sizeAlong(const Value& value, std::size_t axis) { return axis == 0 ? value.height() : value.width(); }

// Of two stated sizes the one that is reached without passing the other ("not_larger"), or passing it, gives the scale
// of both axes.
std::optional<Rational> commonScale(const NodeView& view)
{
    const std::string policy = view.node.attrs.getText("aspect_policy", "stretch");
    if (policy == "stretch" || view.in.empty()) return std::nullopt;
    std::optional<Rational> out;
    for (std::size_t axis = 0; axis < 2; ++axis) {
        const std::int64_t wanted = attrAt(view.node, "size", axis, 0), size = sizeAlong(view.in[0], axis);
        if (wanted < 1 || size < 1) continue;
        const Rational scale(wanted, size);
        if (!out || (policy == "not_larger" ? scale < *out : scale > *out)) out = scale;
    }
    return out;
}

// The size it must give along an axis where that does not follow from a scale: 0 where it does, unknown below.
std::int64_t targetOf(const NodeView& view, std::size_t axis)
{
    if (const std::string sizes = view.node.attrs.getText("sizes"); !sizes.empty()) {
        const auto now = evaluateSizes(sizes, view.in);
        return axis < now.size() && now[axis] && *now[axis] > 0 ? *now[axis] : kUnknown;
    }
    if (view.in.size() > 1) return sizeAlong(view.in[1], axis);
    const std::int64_t fixed = attrAt(view.node, "size", axis, 0);
    if (fixed < 1) return 0;
    const auto common = commonScale(view);
    const std::int64_t size = view.in.empty() ? kUnknown : sizeAlong(view.in[0], axis);
    if (!common) return fixed;
    return size < 0 ? kUnknown : (Rational(2 * size) * *common + Rational(1)).floor() / 2;  // rounded
}

// As ONNX Runtime multiplies: 32-bit numbers, rounded down.
std::int64_t scaled(std::int64_t size, Rational scale)
{
    return scale.isWhole() ? saturatingMul(size, scale.num())
                           : static_cast<std::int64_t>(static_cast<float>(scale.value()) * static_cast<float>(size));
}

std::int64_t madeAlong(const NodeView& view, std::size_t axis)
{
    const std::int64_t size = view.in.empty() ? kUnknown : sizeAlong(view.in[0], axis), target = targetOf(view, axis);
    if (size < 0 || target < 0) return kUnknown;
    return target > 0 ? target : scaled(size, scaleOf(view.node, axis));
}

constexpr std::pair<const char*, CoordinateMode> kCoordinates[] = {{"half_pixel", CoordinateMode::HalfPixel},
                                                                   {"pytorch_half_pixel", CoordinateMode::HalfPixel},
                                                                   {"half_pixel_symmetric", CoordinateMode::HalfPixelSymmetric},
                                                                   {"align_corners", CoordinateMode::AlignCorners},
                                                                   {"asymmetric", CoordinateMode::Asymmetric},
                                                                   {"tf_half_pixel_for_nn", CoordinateMode::TfHalfPixel}};

// A nearest unit is PyTorch's floor(u / scale) where nearest_mode is "floor", whatever the coordinates; this one is what
// ONNX files may ask for besides. Before opset 11 ONNX Runtime rounds down where it enlarges, up where it shrinks.
constexpr const char *kFloorOfCoordinates = "floor_of_coordinates", *kByDirection = "floor_or_ceil";

NearestMode nearestOf(const Node& node, Rational scale)
{
    const std::string mode = node.attrs.getText("nearest_mode", "floor");
    if (mode == kFloorOfCoordinates) return NearestMode::Floor;
    if (mode == kByDirection) return scale < Rational(1) ? NearestMode::Ceil : NearestMode::Floor;
    if (mode == "ceil") return NearestMode::Ceil;
    if (mode == "round_prefer_floor") return NearestMode::PreferFloor;
    return mode == "round_prefer_ceil" ? NearestMode::PreferCeil : NearestMode::FloorOfScale;
}

// With its corners aligned a map repeats where neighbouring units lie a whole number or a whole fraction of a unit apart,
// or where some of them lie upon units of the input in between.
bool repeats(const AxisReach& r)
{
    if (r.mode != CoordinateMode::AlignCorners || r.inSize < 2 || r.outSize < 2) return true;
    const std::int64_t in = r.inSize - 1, out = r.outSize - 1;
    return in % out == 0 || out % in == 0 || std::gcd(in, out) > 1;
}

AxisReach axisReach(const NodeView& view, std::size_t axis, bool exact = false)
{
    AxisReach r;
    const std::int64_t size = view.in.empty() ? kUnknown : sizeAlong(view.in[0], axis), target = targetOf(view, axis);
    r.kind = ReachKind::Resize;
    r.taps = tapsOf(view.node.attrs.getText("mode", "nearest"));
    r.antialias = view.node.attrs.getBool("antialias", false);
    r.inSize = std::max<std::int64_t>(size, 0);
    r.outSize = std::max<std::int64_t>(madeAlong(view, axis), 0);
    const std::string mode = view.node.attrs.getText("coordinates", "half_pixel");
    for (const auto& [name, coordinates] : kCoordinates)
        if (mode == name) r.mode = coordinates;
    if (mode == "pytorch_half_pixel" && r.outSize == 1) r.mode = CoordinateMode::Asymmetric;
    if (target == 0) {
        r.scale = exact ? scaleOf(view.node, axis) : forFields(scaleOf(view.node, axis));
    } else if (target > 0 && size > 0) {
        r.scale = commonScale(view).value_or(Rational(target, size));
    } else {
        r.scale = Rational(1);
        r.approximate = true;
    }
    if (r.scale == Rational(1) && !r.approximate) return {};  // nothing is interpolated
    r.nearest = nearestOf(view.node, r.scale);
    r.approximate = r.approximate || !repeats(r);
    return r;
}

void infer(InferContext& context)
{
    const Value& in = context.in(0);
    if (!in.shape.hasRank() || (in.layout.h < 0 && in.layout.w < 0)) {
        context.out() = unknownLike(in);
        return;
    }
    const NodeView view{context.node(), context.in(), {}};
    Value out = in;
    const std::int8_t dims[2] = {in.layout.h, in.layout.w};
    for (std::size_t axis = 0; axis < 2; ++axis)
        if (dims[axis] >= 0) out.shape[dims[axis]] = madeAlong(view, axis);
    context.out() = out;
}

// Sizes, exact scales and dimensions per axis; and what ONNX lets a file choose beyond PyTorch's modes.
void resampling(const NodeView& view, Attributes& args)
{
    if (view.in.empty() || view.out.empty()) return;
    const Layout& layout = view.in[0].layout;
    const AxisReach axes[2] = {axisReach(view, 0, true), axisReach(view, 1, true)};
    args.set("size", Ints{view.out[0].height(), view.out[0].width()});
    args.set("scale_numerator", Ints{axes[0].scale.num(), axes[1].scale.num()});
    args.set("scale_denominator", Ints{axes[0].scale.den(), axes[1].scale.den()});
    args.set("dim", Ints{layout.h, layout.w});
    const auto nearest = [&](const AxisReach& axis) {
        const std::string mode = view.node.attrs.getText("nearest_mode", "floor");
        return mode != kByDirection ? mode : std::string(axis.scale < Rational(1) ? "ceil" : kFloorOfCoordinates);
    };
    args.set("nearest_mode", nearest(axes[0]));
    args.set("nearest_mode_w", nearest(axes[1]));
    args.set("exclude_outside", view.node.attrs.getBool("exclude_outside", false));
    args.set("antialias", view.node.attrs.getBool("antialias", false));
    args.set("cubic_coeff_a", view.node.attrs.getDouble("cubic_coeff_a", -0.75));
}

bool readMode(OnnxCall& call)
{
    const std::string mode = call.getText("mode", "nearest");
    const bool cubic = mode == "cubic", linear = mode == "linear" || mode == "bilinear";  // the latter before opset 7
    if (!cubic && !linear && mode != "nearest") return false;
    Attributes& attrs = call.node.attrs;
    const bool old = call.type == "Upsample" || call.opset < 11;
    attrs.set("mode", std::string(linear ? "bilinear" : cubic ? "bicubic" : "nearest"));
    const std::string coordinates = call.getText("coordinate_transformation_mode", old ? "asymmetric" : "half_pixel");
    // It samples where a region says: the region is data.
    if (std::none_of(std::begin(kCoordinates), std::end(kCoordinates), [&](const auto& row) { return coordinates == row.first; })) return false;
    attrs.set("coordinates", coordinates);
    if (mode == "nearest") {
        std::string nearest = call.getText("nearest_mode", old ? kByDirection : "round_prefer_floor");
        if (nearest == "floor" && coordinates != "asymmetric") nearest = kFloorOfCoordinates;
        attrs.set("nearest_mode", nearest);
    }
    if (cubic) attrs.set("cubic_coeff_a", call.getReal("cubic_coeff_a", -0.75));
    if (mode != "nearest" && call.getInt("antialias", 0) != 0) attrs.set("antialias", true);
    if (mode != "nearest" && call.getInt("exclude_outside", 0) != 0) attrs.set("exclude_outside", true);
    return true;
}

// The dimensions that scales or sizes are given for.
Ints axesOf(const OnnxCall& call, std::int64_t given)
{
    Ints axes = call.getInts("axes").value_or(Ints{});
    if (axes.empty())
        for (std::int64_t i = 0; i < given; ++i) axes.push_back(i);
    for (std::int64_t& axis : axes) axis = normalAxis(axis, call.value(0).shape.rank());
    return axes;
}

// Height and width that the layer gives, where one of them follows sizes of maps.
bool readComputed(OnnxCall& call, const SizeExpr& height, const SizeExpr& width)
{
    const auto text = call.sizesText(std::vector<SizeExpr>{height, width});
    if (text) call.node.attrs.set("sizes", *text);
    return text.has_value();
}

// Sizes that an exporter wrote as numbers: they follow the image, or keep the ratio where it is whole.
void readStated(OnnxCall& call, std::int64_t h, std::int64_t w)
{
    const Value& in = call.value(0);
    // On an axis that the file leaves open its numbers stand as they are.
    if (call.heightOpen || call.widthOpen) {
        call.node.attrs.set("size", Ints{h, w});
        return;
    }
    call.sizesBaked = true;
    if (call.image.node != kNoNode && h == call.imageValue.height() && w == call.imageValue.width())
        call.extraInputs = {call.image};
    else if (h % in.height() == 0 && w % in.width() == 0)
        call.node.attrs.set("scale_factor", Ints{h / in.height(), w / in.width()});
    else
        call.node.attrs.set("size", Ints{h, w});
}

// The size that is divided by the map's own to give a scale, which is then no scale but a stated size; 0 where `made`,
// what comes out, is anything else.
std::int64_t statedSize(const SizeExpr& made, std::int64_t own)
{
    const std::vector<MapDim> dims = made.dims();
    if (own < 1 || dims.size() != 1) return 0;
    const auto at = [&](std::int64_t size) -> std::int64_t {
        const auto number = made.evaluate([size](const MapDim&) { return size; });
        return number ? static_cast<std::int64_t>(number->asReal()) : -2;
    };
    const std::int64_t stated = at(own);
    // The division rounds: a unit may be lost.
    const bool isStated = stated > 0 && std::abs(at(2 * own) - stated) <= 1 && std::abs(at(5 * own) - stated) <= 1;
    return isStated ? stated : 0;
}

// Scales that the file computes: sizes are what ONNX Runtime makes of them.
bool readComputedScales(OnnxCall& call, std::size_t arg)
{
    const auto scales = call.numbers(arg);
    const Ints axes = scales ? axesOf(call, static_cast<std::int64_t>(scales->size())) : Ints{};
    if (!scales || axes.size() != scales->size()) return false;
    const Layout& layout = call.value(0).layout;
    SizeExpr made[2];
    for (std::size_t i = 0; i < axes.size(); ++i) {
        const SizeExpr own = SizeExpr::dimension(call.args[0].port, static_cast<int>(axes[i]));
        const SizeExpr scaled = SizeExpr::apply(SizeOp::Mul, {SizeExpr::apply(SizeOp::ToSingle, {own}), (*scales)[i]});
        if (axes[i] == layout.h || axes[i] == layout.w) made[axes[i] == layout.h ? 0 : 1] = SizeExpr::apply(SizeOp::ToInt, {SizeExpr::apply(SizeOp::Floor, {scaled})});
        else if (const auto fixed = (*scales)[i].number(); !fixed || fixed->asReal() != 1) return false;
    }
    for (std::size_t axis = 0; axis < 2; ++axis)
        if (const int dim = axis == 0 ? layout.h : layout.w; !made[axis].known()) {
            if (dim < 0) made[axis] = SizeExpr(1);
            else if (std::find(axes.begin(), axes.end(), dim) == axes.end()) made[axis] = SizeExpr::dimension(call.args[0].port, dim);
        }
    const Value& in = call.value(0);
    if (!call.heightOpen && !call.widthOpen)
        if (const std::int64_t h = statedSize(made[0], in.height()), w = statedSize(made[1], in.width()); h > 0 && w > 0) {
            readStated(call, h, w);
            return true;
        }
    return readComputed(call, made[0], made[1]);
}

bool readScales(OnnxCall& call, const std::vector<double>& scales)
{
    const Layout& layout = call.value(0).layout;
    const Ints axes = axesOf(call, static_cast<std::int64_t>(scales.size()));
    if (axes.size() != scales.size()) return false;
    Ints num{1, 1}, den{1, 1};
    bool enlarges = true;
    for (std::size_t i = 0; i < scales.size(); ++i) {
        const double scale = scales[i];
        if (!(scale > 0 && scale < 1e6)) return false;
        if (axes[i] < 0 || (axes[i] != layout.h && axes[i] != layout.w)) {
            if (scale != 1.0) return false;
            continue;
        }
        const Rational exact = fraction(scale);
        enlarges = enlarges && scale >= 1;
        num[axes[i] == layout.h ? 0 : 1] = exact.num();
        den[axes[i] == layout.h ? 0 : 1] = exact.den();
    }
    call.node.attrs.set("scale_factor", num);
    call.node.attrs.set("scale_divisor", den);
    if (enlarges && call.node.attrs.getText("nearest_mode") == kByDirection) call.node.attrs.set("nearest_mode", std::string("floor"));
    // Before opset 11 scales are how a file states sizes.
    call.sizesBaked = call.opset < 11 && !call.heightOpen && !call.widthOpen;
    return true;
}

std::vector<double> reals(const Tensor& tensor)
{
    std::vector<double> out;
    for (std::int64_t i = 0; i < tensor.elements() && i < 8; ++i) out.push_back(tensor.real(i));
    return out;
}

// Sizes that follow the map they were computed from, or are numbers.
bool readSizes(OnnxCall& call, const OnnxArg& arg)
{
    const Value& in = call.value(0);
    const Tensor& sizes = *arg.constant;
    const Ints axes = axesOf(call, sizes.elements());
    if (static_cast<std::int64_t>(axes.size()) != sizes.elements() || in.height() < 1 || in.width() < 1) return false;
    // Position among the sizes of that of a dimension; -1: it stays as it is.
    const auto at = [&](int dim) { return std::find(axes.begin(), axes.end(), dim) - axes.begin(); };
    const auto sizeOf = [&](int dim) { return at(dim) < sizes.elements() ? sizes.integer(at(dim)) : in.shape[dim]; };
    for (int dim = 0; dim < in.shape.rank(); ++dim)
        if (dim != in.layout.h && dim != in.layout.w && sizeOf(dim) != in.shape[dim]) return false;
    const std::int64_t h = sizeOf(in.layout.h), w = sizeOf(in.layout.w);
    if (h < 1 || w < 1) return false;
    if (const std::string policy = call.getText("keep_aspect_ratio_policy", "stretch"); policy != "stretch") {
        call.node.attrs.set("size", Ints{h, w});
        call.node.attrs.set("aspect_policy", policy);
        return true;
    }
    if (!arg.sizes.empty()) {
        const auto expression = [&](int dim) { return at(dim) < sizes.elements() ? arg.sizes[static_cast<std::size_t>(at(dim))] : SizeExpr::dimension(call.args[0].port, dim); };
        const SizeExpr height = expression(in.layout.h), width = expression(in.layout.w);
        const auto rows = height.dimension(), columns = width.dimension();
        if (rows && columns && rows->port == columns->port && rows->dim == 2 && columns->dim == 3) {
            call.extraInputs = {rows->port};
            return true;
        }
        if (!height.constant() || !width.constant()) return readComputed(call, height, width);
    }
    readStated(call, h, w);
    return true;
}

// Before opset 9 the scales are attributes: one a dimension, before opset 7 those of height and width.
bool readUpsample(OnnxCall& call)
{
    if (call.follows(1)) return readComputedScales(call, 1);
    if (const Tensor* scales = call.constant(1)) return readScales(call, reals(*scales));
    if (const auto it = call.attrs.find("scales"); it != call.attrs.end())
        return std::holds_alternative<std::vector<double>>(it->second) && readScales(call, std::get<std::vector<double>>(it->second));
    if (!call.attrs.contains("height_scale") || !call.attrs.contains("width_scale")) return false;
    return readScales(call, {1, 1, call.getReal("height_scale", 1), call.getReal("width_scale", 1)});
}

bool read(OnnxCall& call)
{
    const Value& in = call.value(0);
    if (in.shape.rank() < 3 || (in.layout.h < 0 && in.layout.w < 0) || in.layout.h == in.layout.w || !readMode(call)) return false;
    if (call.type == "Upsample" || call.opset < 11) return readUpsample(call);
    if (call.has(3)) return call.isConstant(3) && readSizes(call, call.args[3]);
    if (call.follows(2)) return readComputedScales(call, 2);
    const Tensor* scales = call.constant(2);
    return scales && scales->elements() > 0 && readScales(call, reals(*scales));
}

// Sizes of the output as a tensor: height and width of the second input, or stated ones; the rest as it comes in.
std::string sizesOf(OnnxWriter& writer)
{
    const Shape& made = writer.outputValue().shape;
    if (const std::string sizes = writer.node().attrs.getText("sizes"); !sizes.empty()) {
        const Layout& layout = writer.inputValue().layout;
        const std::size_t cut = sizes.find(';');
        std::string all;
        for (int dim = 0; dim < std::max(writer.inputValue().shape.rank(), 3); ++dim)
            all += (dim == 0 ? "" : ";") + (dim == layout.h ? sizes.substr(0, cut) : dim == layout.w && cut != std::string::npos ? sizes.substr(cut + 1) : "in0." + std::to_string(dim));
        return writer.sizes(all);
    }
    const bool like = writer.node().inputs.size() > 1;
    if (!like && !writer.open().batch && made.isComplete()) return writer.ints({made.dims().begin(), made.dims().end()});
    const auto sizesOfInput = [&](std::size_t input, Ints dims) {
        return writer.emit("Gather", {writer.emit("Shape", {writer.input(input)}), writer.ints(std::move(dims))}, {{"axis", std::int64_t{0}}});
    };
    const Layout &own = writer.inputValue().layout, &other = writer.inputValue(1).layout;
    std::vector<std::string> parts;
    for (int dim = 0; dim < std::max(writer.inputValue().shape.rank(), 3); ++dim) {
        const bool height = dim == own.h, width = dim == own.w;
        if (!height && !width) parts.push_back(sizesOfInput(0, {dim}));
        else if (like) parts.push_back(sizesOfInput(1, {height ? other.h : other.w}));
        else parts.push_back(writer.ints({attrAt(writer.node(), "size", height ? 0 : 1, 0)}));
    }
    return writer.emit("Concat", parts, {{"axis", std::int64_t{0}}});
}

OnnxResize resizeOf(const OnnxWriter& writer)
{
    const Attributes& attrs = writer.node().attrs;
    const std::string mode = attrs.getText("mode", "nearest"), nearest = attrs.getText("nearest_mode", "floor");
    OnnxResize out;
    out.mode = mode == "nearest" ? "nearest" : mode == "bicubic" ? "cubic" : "linear";
    out.toSize = attrs.has("sizes") || writer.node().inputs.size() > 1 || attrAt(writer.node(), "size", 0, 0) > 0;
    const Value &in = writer.inputValue(), &made = writer.outputValue();
    const std::int64_t sizes[2] = {in.height(), in.width()}, sizesMade[2] = {made.height(), made.width()};
    for (std::size_t axis = 0; axis < 2; ++axis)
        out.scale[axis] = out.toSize ? Rational(std::max<std::int64_t>(sizesMade[axis], 1), std::max<std::int64_t>(sizes[axis], 1))
                                     : scaleOf(writer.node(), axis);
    // PyTorch's nearest takes floor(u / scale), which ONNX has for asymmetric coordinates only.
    const bool shrinks = out.scale[0] < Rational(1) || out.scale[1] < Rational(1);
    out.quotient = mode == "nearest" && (nearest == "floor" || (nearest == kByDirection && !shrinks));
    out.coordinates = out.quotient ? "asymmetric" : attrs.getText("coordinates", "half_pixel");
    out.nearest = nearest == kFloorOfCoordinates || out.quotient ? "floor" : nearest == kByDirection ? "ceil" : nearest;
    out.cubicA = attrs.getDouble("cubic_coeff_a", -0.75);
    return out;
}

// Whether it rounds down along one axis and up along the other.
bool roundsBothWays(const Node& node, const OnnxResize& resize)
{
    return node.attrs.getText("nearest_mode", "floor") == kByDirection && (resize.scale[0] < Rational(1)) != (resize.scale[1] < Rational(1));
}

// A scale for each dimension, 1 but for height and width.
std::string scalesOf(OnnxWriter& writer, Rational height, Rational width)
{
    const Value& in = writer.inputValue();
    const int rank = std::max(in.shape.rank(), 3);
    std::vector<float> scales(static_cast<std::size_t>(rank), 1.0f);
    if (in.layout.h >= 0) scales[static_cast<std::size_t>(in.layout.h)] = static_cast<float>(height.value());
    if (in.layout.w >= 0) scales[static_cast<std::size_t>(in.layout.w)] = static_cast<float>(width.value());
    return writer.constant(Tensor::fromFloats({rank}, scales));
}

// One axis after the other, each with its own rounding.
void writeByAxis(OnnxWriter& writer, const OnnxResize& resize, OnnxAttrs attrs)
{
    const std::string none = writer.opset() < 13 ? writer.constant(Tensor::fromFloats({0}, {})) : std::string();
    const Layout& layout = writer.inputValue().layout;
    const int rank = std::max(writer.inputValue().shape.rank(), 3);
    const std::string sizes = resize.toSize ? sizesOf(writer) : std::string();
    // The second axis is as it came in until it is its turn.
    const auto sizesOfFirst = [&] {
        const std::string own = writer.emit("Shape", {writer.input()});
        std::vector<std::string> parts;
        for (int dim = 0; dim < rank; ++dim) parts.push_back(writer.emit("Gather", {dim == layout.w ? own : sizes, writer.ints({dim})}, {{"axis", std::int64_t{0}}}));
        return writer.emit("Concat", parts, {{"axis", std::int64_t{0}}});
    };
    std::string value = writer.input();
    for (std::size_t axis = 0; axis < 2; ++axis) {
        std::vector<std::string> inputs{value, none};
        if (resize.toSize) {
            inputs.push_back(none);
            inputs.push_back(axis == 0 ? sizesOfFirst() : sizes);
        } else {
            inputs.push_back(axis == 0 ? scalesOf(writer, resize.scale[0], 1) : scalesOf(writer, 1, resize.scale[1]));
        }
        attrs["coordinate_transformation_mode"] = std::string("asymmetric");
        attrs["nearest_mode"] = std::string(resize.scale[axis] < Rational(1) ? "ceil" : "floor");
        if (axis == 1) writer.finish("Resize", inputs, attrs);
        else value = writer.emit("Resize", inputs, attrs);
    }
}

void write(OnnxWriter& writer)
{
    OnnxResize resize = resizeOf(writer);
    const bool inside = writer.node().attrs.getBool("exclude_outside", false);
    if (inside) writer.needOpset(11, "a Resize that leaves out what lies beyond an edge");
    if (const auto common = commonScale({writer.node(), {&writer.inputValue(), 1}, {}}); common && writer.opset() < 18) {
        const Value &in = writer.inputValue(), &made = writer.outputValue();
        if (scaled(in.height(), *common) != made.height() || scaled(in.width(), *common) != made.width())
            writer.needOpset(18, "a Resize that keeps the ratio of its sides");
        writer.needFixedSides("The scale that keeps the ratio of its sides can be written", 18);
        resize.scale = {*common, *common};
        resize.toSize = false;
    }
    if (writer.opset() < 11) {
        emitOlderResize(writer, resize, {writer.output()});
        return;
    }
    if (attrAt(writer.node(), "size", 0, 0) > 0 && writer.node().attrs.getText("nearest_mode") == kByDirection)
        writer.needFixedSides("A rounding down where it enlarges, and up where it shrinks, can be written");
    OnnxAttrs out{{"mode", resize.mode}, {"coordinate_transformation_mode", resize.coordinates}};
    if (resize.mode == "nearest") out.emplace("nearest_mode", resize.nearest);
    if (resize.mode == "cubic") out.emplace("cubic_coeff_a", resize.cubicA);
    if (inside) out.emplace("exclude_outside", std::int64_t{1});
    if (writer.node().attrs.getBool("antialias", false)) {
        writer.needOpset(18, "a Resize with antialiasing");
        out.emplace("antialias", std::int64_t{1});
    }
    if (roundsBothWays(writer.node(), resize)) return writeByAxis(writer, resize, out);
    // Until opset 13 the inputs that are not used had to be there and empty.
    const std::string none = writer.opset() < 13 ? writer.constant(Tensor::fromFloats({0}, {})) : std::string();
    const Value& in = writer.inputValue();
    if (const std::string policy = writer.node().attrs.getText("aspect_policy", "stretch"); policy != "stretch" && resize.toSize) {
        out.emplace("keep_aspect_ratio_policy", policy);
        out.emplace("axes", Ints{in.layout.h, in.layout.w});
        writer.finish("Resize", {writer.input(), none, none, writer.ints(Ints{attrAt(writer.node(), "size", 0, 0), attrAt(writer.node(), "size", 1, 0)})}, out);
        return;
    }
    if (resize.toSize) {
        writer.finish("Resize", {writer.input(), none, none, sizesOf(writer)}, out);
        return;
    }
    writer.finish("Resize", {writer.input(), none, scalesOf(writer, resize.scale[0], resize.scale[1])}, out);
}

}  // namespace

const OpDef& upsampleOp()
{
    static const OpDef def{
        .kind = "Upsample",
        .opClass = OpClass::Resample,
        .doc = "Interpolates to a multiple of its size, to a fixed size, or to the size of its second input.",
        .attrs = {{.name = "scale_factor", .type = AttrType::Pair, .fallback = Ints{2, 2}, .doc = "Output size over input size (numerator)", .min = 1},
                  {.name = "scale_divisor", .type = AttrType::Pair, .fallback = Ints{1, 1}, .doc = "Denominator of the scale", .min = 1, .shown = false},
                  {.name = "size", .type = AttrType::Pair, .fallback = Ints{0, 0}, .doc = "Fixed output size; 0 uses the scale", .unit = "units"},
                  {.name = "mode", .type = AttrType::Choice, .fallback = std::string("nearest"), .doc = "How values between units are made", .choices = {"nearest", "bilinear", "bicubic"}},
                  {.name = "coordinates", .type = AttrType::Choice, .fallback = std::string("half_pixel"), .doc = "Where a unit's centre lies",
                   .choices = {"half_pixel", "pytorch_half_pixel", "half_pixel_symmetric", "align_corners", "asymmetric", "tf_half_pixel_for_nn"}},
                  {.name = "nearest_mode", .type = AttrType::Choice, .fallback = std::string("floor"), .doc = "Which unit the nearest one is; floor is PyTorch's floor(u / scale)",
                   .choices = {"floor", kFloorOfCoordinates, kByDirection, "ceil", "round_prefer_floor", "round_prefer_ceil"}, .shown = false},
                  {.name = "cubic_coeff_a", .type = AttrType::Real, .fallback = -0.75, .doc = "Shape of the cubic kernel", .min = -10, .max = 10, .shown = false},
                  {.name = "antialias", .type = AttrType::Bool, .fallback = false, .doc = "Where it shrinks, a unit is the mean of all that it covers", .shown = false},
                  {.name = "exclude_outside", .type = AttrType::Bool, .fallback = false, .doc = "Units beyond an edge have no weight, rather than being those at the edge", .shown = false},
                  {.name = "aspect_policy", .type = AttrType::Choice, .fallback = std::string("stretch"), .doc = "Whether both axes of a fixed size have one scale", .choices = {"stretch", "not_larger", "not_smaller"}, .shown = false},
                  {.name = "sizes", .type = AttrType::Text, .fallback = std::string(), .doc = "Height and width where they follow sizes of its inputs", .shown = false}},
        .minInputs = 1,
        .maxInputs = -1,
        .pathInputs = 1,
        .reach =
            [](const NodeView& view) {
                Reach out;
                out.h = axisReach(view, 0);
                out.w = axisReach(view, 1);
                return out;
            },
        .infer = infer,
        .torch = {TorchOp::Interpolate, {"mode", "coordinates"}, {}, resampling},
        .onnx = {.types = {"Resize", "Upsample"}, .read = read, .write = write},
    };
    return def;
}

}  // namespace fovea
