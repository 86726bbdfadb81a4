#include "core/ops/common.h"
#include "core/ops/older_forms.h"

#include <cmath>

namespace fovea {

namespace {

// A scale given as a floating-point number, as the nearest fraction with a small denominator.
Rational fraction(double scale)
{
    for (std::int64_t den = 1; den <= 64; ++den) {
        const double num = scale * static_cast<double>(den);
        if (num < 1e9 && std::abs(num - std::round(num)) < 1e-4 * num) return Rational(std::max<std::int64_t>(1, std::llround(num)), den);
    }
    return Rational(std::max<std::int64_t>(1, std::llround(std::min(scale, 1e6) * 4096)), 4096);
}

int tapsOf(const std::string& mode) { return mode == "nearest" ? 1 : mode == "bicubic" ? 4 : 2; }

// The size it must give along an axis where that does not follow from a scale.
std::int64_t targetOf(const NodeView& view, std::size_t axis)
{
    if (view.in.size() > 1) return axis == 0 ? view.in[1].height() : view.in[1].width();
    const std::int64_t fixed = attrAt(view.node, "size", axis, 0);
    return fixed > 0 ? fixed : 0;
}

AxisReach axisReach(const NodeView& view, std::size_t axis)
{
    AxisReach r;
    const std::int64_t size = view.in.empty() ? kUnknown : axis == 0 ? view.in[0].height() : view.in[0].width();
    const std::int64_t target = targetOf(view, axis);
    r.kind = ReachKind::Resize;
    r.taps = tapsOf(view.node.attrs.getText("mode", "nearest"));
    const std::string mode = view.node.attrs.getText("coordinates", "half_pixel");
    r.mode = mode == "align_corners" ? CoordinateMode::AlignCorners : mode == "asymmetric" ? CoordinateMode::Asymmetric : CoordinateMode::HalfPixel;
    if (target == 0) {
        const std::int64_t den = std::max<std::int64_t>(1, attrAt(view.node, "scale_divisor", axis, 1));
        r.scale = Rational(std::max<std::int64_t>(1, attrAt(view.node, "scale_factor", axis, 2)), den);
    } else if (target > 0 && size > 0) {
        r.scale = Rational(target, size);
    } else {
        r.scale = Rational(1);
        r.approximate = true;
    }
    if (r.scale == Rational(1) && !r.approximate) return {};  // nothing is interpolated
    return r;
}

void infer(InferContext& context)
{
    const Value& in = context.in(0);
    if (!in.shape.hasRank() || in.layout.h < 0) {
        context.out() = unknownLike(in);
        return;
    }
    const NodeView view{context.node(), context.in(), {}};
    Value out = in;
    const std::int8_t dims[2] = {in.layout.h, in.layout.w};
    for (std::size_t axis = 0; axis < 2; ++axis) {
        const std::int64_t target = targetOf(view, axis);
        if (dims[axis] < 0) continue;
        out.shape[dims[axis]] = target > 0 ? target : target < 0 ? kUnknown : in.shape[dims[axis]] < 0 ? kUnknown : (Rational(in.shape[dims[axis]]) * axisReach(view, axis).scale).floor();
        if (in.shape[dims[axis]] < 0) out.shape[dims[axis]] = kUnknown;
    }
    context.out() = out;
}

// Sizes, exact scales and dimensions per axis; and what ONNX lets a file choose beyond PyTorch's modes.
void resampling(const NodeView& view, Attributes& args)
{
    if (view.in.empty() || view.out.empty()) return;
    const Layout& layout = view.in[0].layout;
    const AxisReach axes[2] = {axisReach(view, 0), axisReach(view, 1)};
    args.set("size", Ints{view.out[0].height(), view.out[0].width()});
    args.set("scale_numerator", Ints{axes[0].scale.num(), axes[1].scale.num()});
    args.set("scale_denominator", Ints{axes[0].scale.den(), axes[1].scale.den()});
    args.set("dim", Ints{layout.h, layout.w});
    args.set("nearest_mode", view.node.attrs.getText("nearest_mode", "floor"));
    args.set("cubic_coeff_a", view.node.attrs.getDouble("cubic_coeff_a", -0.75));
}

// A nearest unit is PyTorch's floor(u / scale) where nearest_mode is "floor", whatever the coordinates; this one is what
// ONNX files may ask for besides.
constexpr const char* kFloorOfCoordinates = "floor_of_coordinates";

bool readMode(OnnxCall& call)
{
    const std::string mode = call.getText("mode", "nearest");
    Attributes& attrs = call.node.attrs;
    attrs.set("mode", std::string(mode == "linear" ? "bilinear" : mode == "cubic" ? "bicubic" : "nearest"));
    const std::string coordinates = call.getText("coordinate_transformation_mode", call.type == "Upsample" ? "asymmetric" : "half_pixel");
    if (coordinates == "tf_crop_and_resize") return false;
    attrs.set("coordinates", coordinates);
    if (mode == "nearest") {
        std::string nearest = call.getText("nearest_mode", call.type == "Upsample" ? "floor" : "round_prefer_floor");
        if (nearest == "floor" && coordinates != "asymmetric") nearest = kFloorOfCoordinates;
        attrs.set("nearest_mode", nearest);
    }
    if (mode == "cubic") attrs.set("cubic_coeff_a", call.getReal("cubic_coeff_a", -0.75));
    return mode == "nearest" || mode == "linear" || mode == "cubic";
}

bool readScales(OnnxCall& call, const Tensor& scales)
{
    const Layout& layout = call.value(0).layout;
    Ints num{1, 1}, den{1, 1};
    for (std::int64_t dim = 0; dim < scales.elements(); ++dim) {
        const double scale = scales.real(dim);
        if (!(scale > 0 && scale < 1e6)) return false;
        if (dim != layout.h && dim != layout.w) {
            if (scale != 1.0) return false;
            continue;
        }
        const Rational exact = fraction(scale);
        num[dim == layout.h ? 0 : 1] = exact.num();
        den[dim == layout.h ? 0 : 1] = exact.den();
    }
    call.node.attrs.set("scale_factor", num);
    call.node.attrs.set("scale_divisor", den);
    return true;
}

// Sizes that an exporter wrote as numbers: they follow the map they were computed from, the image, or keep
// the ratio where it is whole.
bool readSizes(OnnxCall& call, const OnnxArg& arg)
{
    const Value& in = call.value(0);
    const Tensor& sizes = *arg.constant;
    if (sizes.elements() != in.shape.rank() || in.height() < 1 || in.width() < 1) return false;
    for (int dim = 0; dim < in.shape.rank(); ++dim)
        if (dim != in.layout.h && dim != in.layout.w && sizes.integer(dim) != in.shape[dim]) return false;
    const std::int64_t h = sizes.integer(in.layout.h), w = sizes.integer(in.layout.w);
    if (h < 1 || w < 1) return false;
    const auto source = [&](int dim) { return static_cast<std::size_t>(dim) < arg.sizes.size() ? arg.sizes[static_cast<std::size_t>(dim)] : std::pair<Port, int>{}; };
    const auto [like, likeDim] = source(in.layout.h);
    if (like.node != kNoNode && source(in.layout.w).first == like && likeDim == 2) {
        call.extraInputs = {like};
        return true;
    }
    call.sizesBaked = true;
    if (call.image.node != kNoNode && h == call.imageValue.height() && w == call.imageValue.width()) {
        call.extraInputs = {call.image};
        return true;
    }
    if (h % in.height() == 0 && w % in.width() == 0) {
        call.node.attrs.set("scale_factor", Ints{h / in.height(), w / in.width()});
        return true;
    }
    call.node.attrs.set("size", Ints{h, w});
    return true;
}

bool read(OnnxCall& call)
{
    if (call.value(0).shape.rank() != 4 || call.value(0).layout.h < 0 || !readMode(call)) return false;
    if (call.type == "Upsample" || call.opset < 11) {
        const Tensor* scales = call.constant(1);
        if (scales) return readScales(call, *scales);
        return false;
    }
    if (call.has(3)) return call.isConstant(3) && readSizes(call, call.args[3]);
    const Tensor* scales = call.constant(2);
    return scales && scales->elements() > 0 && readScales(call, *scales);
}

// Sizes of the output as a tensor: height and width of the second input, or stated ones; the rest as it comes in.
std::string sizesOf(OnnxWriter& writer)
{
    const Shape& made = writer.outputValue().shape;
    const bool like = writer.node().inputs.size() > 1;
    if (!like && !writer.open().batch && made.isComplete()) return writer.ints({made.dims().begin(), made.dims().end()});
    const auto sizesOfInput = [&](std::size_t input, Ints dims) {
        return writer.emit("Gather", {writer.emit("Shape", {writer.input(input)}), writer.ints(std::move(dims))}, {{"axis", std::int64_t{0}}});
    };
    const Layout &own = writer.inputValue().layout, &other = writer.inputValue(1).layout;
    std::vector<std::string> parts;
    for (int dim = 0; dim < 4; ++dim) {
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
    // PyTorch's nearest takes floor(u / scale), which ONNX has for asymmetric coordinates only.
    out.quotient = mode == "nearest" && nearest == "floor";
    out.coordinates = out.quotient ? "asymmetric" : attrs.getText("coordinates", "half_pixel");
    out.nearest = nearest == kFloorOfCoordinates ? "floor" : nearest;
    out.cubicA = attrs.getDouble("cubic_coeff_a", -0.75);
    out.toSize = writer.node().inputs.size() > 1 || attrAt(writer.node(), "size", 0, 0) > 0;
    const Value &in = writer.inputValue(), &made = writer.outputValue();
    const std::int64_t sizes[2] = {in.height(), in.width()}, sizesMade[2] = {made.height(), made.width()};
    for (std::size_t axis = 0; axis < 2; ++axis)
        out.scale[axis] = out.toSize ? Rational(std::max<std::int64_t>(sizesMade[axis], 1), std::max<std::int64_t>(sizes[axis], 1))
                                     : Rational(std::max<std::int64_t>(1, attrAt(writer.node(), "scale_factor", axis, 2)),
                                                std::max<std::int64_t>(1, attrAt(writer.node(), "scale_divisor", axis, 1)));
    return out;
}

void write(OnnxWriter& writer)
{
    const OnnxResize resize = resizeOf(writer);
    if (writer.opset() < 11) {
        emitOlderResize(writer, resize, {writer.output()});
        return;
    }
    OnnxAttrs out{{"mode", resize.mode}, {"coordinate_transformation_mode", resize.coordinates}};
    if (resize.mode == "nearest") out.emplace("nearest_mode", resize.nearest);
    if (resize.mode == "cubic") out.emplace("cubic_coeff_a", resize.cubicA);
    // Until opset 13 the inputs that are not used had to be there and empty.
    const std::string none = writer.opset() < 13 ? writer.constant(Tensor::fromFloats({0}, {})) : std::string();
    if (resize.toSize) {
        writer.finish("Resize", {writer.input(), none, none, sizesOf(writer)}, out);
        return;
    }
    std::vector<float> scales(4, 1.0f);
    const Layout& layout = writer.inputValue().layout;
    const std::int8_t dims[2] = {layout.h, layout.w};
    for (std::size_t axis = 0; axis < 2; ++axis)
        if (dims[axis] >= 0) scales[static_cast<std::size_t>(dims[axis])] = static_cast<float>(resize.scale[axis].value());
    writer.finish("Resize", {writer.input(), none, writer.constant(Tensor::fromFloats({4}, scales))}, out);
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
                   .choices = {"half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"}}},
        .minInputs = 1,
        .maxInputs = 2,
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
