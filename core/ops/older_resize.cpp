// Resizes in opsets before 11, which had Upsample (to 9) and a Resize (10) that interpolate at asymmetric coordinates
// only, and adaptive pooling, which no opset has: where these do not do, a map is multiplied by a matrix of weights along
// each axis, or its positions are listed.
#include "core/ops/common.h"
#include "core/ops/older_forms.h"

#include <algorithm>
#include <cmath>

namespace fovea {

namespace {

// What one output position reads of one axis: positions and their weights.
using Taps = std::vector<std::pair<std::int64_t, double>>;

// Along one axis, in the words of ONNX's Resize-11.
struct SampledAxis {
    const OnnxResize& resize;
    std::int64_t in = 0, made = 0;
    double scale = 1;

    double coordinate(std::int64_t unit) const
    {
        const auto u = static_cast<double>(unit);
        if (resize.coordinates == "asymmetric") return u / scale;
        if (resize.coordinates == "align_corners")
            return made > 1 ? u * static_cast<double>(in - 1) / static_cast<double>(made - 1) : 0;
        if (resize.coordinates == "pytorch_half_pixel" && made <= 1) return 0;
        if (resize.coordinates == "tf_half_pixel_for_nn") return (u + 0.5) / scale;
        const double x = (u + 0.5) / scale - 0.5;
        if (resize.coordinates != "half_pixel_symmetric") return x;
        const auto size = static_cast<double>(in);
        return x + size / 2 * (1 - static_cast<double>(made) / (scale * size));
    }

    std::int64_t nearest(std::int64_t unit) const
    {
        if (resize.quotient) return inside(static_cast<std::int64_t>(std::floor(static_cast<double>(unit) / scale + 1e-9)));
        const double x = coordinate(unit);
        const double at = resize.nearest == "floor"               ? std::floor(x)
                          : resize.nearest == "ceil"              ? std::ceil(x)
                          : resize.nearest == "round_prefer_ceil" ? std::floor(x + 0.5)
                                                                  : std::ceil(x - 0.5);
        return inside(static_cast<std::int64_t>(at));
    }

    std::int64_t inside(std::int64_t position) const { return std::clamp<std::int64_t>(position, 0, in - 1); }

    Taps taps(std::int64_t unit) const
    {
        if (resize.mode == "nearest") return {{nearest(unit), 1.0}};
        double x = coordinate(unit);
        if (resize.mode == "linear") {
            x = std::clamp(x, 0.0, static_cast<double>(in - 1));
            const double below = std::floor(x);
            const auto at = static_cast<std::int64_t>(below);
            return {{inside(at), 1 - (x - below)}, {inside(at + 1), x - below}};
        }
        const double below = std::floor(x), t = x - below;
        const auto at = static_cast<std::int64_t>(below);
        Taps out;
        for (std::int64_t k = -1; k <= 2; ++k)
            out.emplace_back(inside(at + k), cubic(std::abs(t - static_cast<double>(k))));
        return out;
    }

    // Keys, Cubic Convolution Interpolation for Digital Image Processing, 1981.
    double cubic(double d) const
    {
        const double a = resize.cubicA;
        if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
        return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
    }
};

// [made, in]; `transposed`: [in, made].
std::string matrix(OnnxWriter& writer, const std::vector<Taps>& rows, std::int64_t in, bool transposed)
{
    const auto made = static_cast<std::int64_t>(rows.size());
    std::vector<float> values(static_cast<std::size_t>(saturatingMul(made, in)), 0.0f);
    for (std::int64_t row = 0; row < made; ++row)
        for (const auto& [position, weight] : rows[static_cast<std::size_t>(row)])
            values[static_cast<std::size_t>(transposed ? position * made + row : row * in + position)] +=
                static_cast<float>(weight);
    return writer.reals(transposed ? Ints{in, made} : Ints{made, in}, values);
}

// Each output position of dimension `dim` as the weighted sum of the positions that it reads.
std::string emitWeighted(OnnxWriter& writer, const std::string& value, int dim, int rank, std::int64_t in,
                         const std::vector<Taps>& rows, OnnxNames out)
{
    const bool listed = std::all_of(rows.begin(), rows.end(),
                                    [](const Taps& taps) { return taps.size() == 1 && taps[0].second == 1.0; });
    if (listed) {
        Ints positions;
        for (const Taps& taps : rows) positions.push_back(taps[0].first);
        return writer.emit("Gather", {value, writer.ints(positions)}, {{"axis", std::int64_t{dim}}}, std::move(out));
    }
    if (dim == rank - 2)
        return writer.emit("MatMul", {matrix(writer, rows, in, false), value}, {}, std::move(out));
    if (dim == rank - 1)
        return writer.emit("MatMul", {value, matrix(writer, rows, in, true)}, {}, std::move(out));
    Ints exchanged;
    for (int i = 0; i < rank; ++i) exchanged.push_back(i == dim ? rank - 1 : i == rank - 1 ? dim : i);
    const OnnxAttrs order{{"perm", exchanged}};
    const std::string turned = writer.emit("Transpose", {value}, order);
    return writer.emit("Transpose", {writer.emit("MatMul", {turned, matrix(writer, rows, in, true)})}, order,
                       std::move(out));
}

// Height and width, one after the other; `rowsOf` says what the positions of one of them read.
template <typename RowsOf>
std::string emitAlongBoth(OnnxWriter& writer, const RowsOf& rowsOf, OnnxNames out)
{
    const Value &in = writer.inputValue(), &made = writer.outputValue();
    const std::int64_t sizes[2] = {in.height(), in.width()}, sizesMade[2] = {made.height(), made.width()};
    const int dims[2] = {in.layout.h, in.layout.w};
    std::string value = writer.input();
    for (std::size_t axis = 0; axis < 2; ++axis) {
        const std::int64_t size = writer.known(sizes[axis], "the size of its input"),
                           units = writer.known(sizesMade[axis], "the size of its output");
        value = emitWeighted(writer, value, dims[axis], in.shape.rank(), size, rowsOf(axis, size, units),
                             axis == 1 ? std::move(out) : OnnxNames{});
    }
    return value;
}

// floor(u / k) for a whole k, whichever way the file says it: half a pixel never is a tie there.
bool repeatsUnits(const OnnxResize& resize)
{
    if (resize.mode != "nearest" || !resize.scale[0].isWhole() || !resize.scale[1].isWhole()) return false;
    const bool rounds = resize.nearest == "round_prefer_floor" || resize.nearest == "round_prefer_ceil";
    return resize.quotient || (resize.coordinates == "asymmetric" && resize.nearest == "floor") ||
           (resize.coordinates != "asymmetric" && resize.coordinates != "align_corners" && rounds);
}

// Whether the opset's own operator computes it: at asymmetric coordinates, and before 10 enlarging only.
bool isNative(const OnnxResize& resize, std::int64_t opset)
{
    if (resize.toSize && !(resize.scale[0].isWhole() && resize.scale[1].isWhole())) return false;
    if (repeatsUnits(resize)) return true;
    const bool enlarges = resize.scale[0] >= Rational(1) && resize.scale[1] >= Rational(1);
    return resize.mode == "linear" && resize.coordinates == "asymmetric" && (enlarges || opset >= 10);
}

}  // namespace

std::string emitOlderResize(OnnxWriter& writer, const OnnxResize& resize, OnnxNames out)
{
    const Layout& layout = writer.inputValue().layout;
    const int rank = writer.inputValue().shape.rank();
    if (resize.toSize) writer.needFixedSides("Before opset 11 a resize to a stated size, or to that of another map, can be written", 11);
    if (isNative(resize, writer.opset())) {
        std::vector<float> scales(static_cast<std::size_t>(std::max(rank, 4)), 1.0f);
        for (std::size_t axis = 0; axis < 2; ++axis)
            scales[static_cast<std::size_t>(axis == 0 ? layout.h : layout.w)] =
                static_cast<float>(resize.scale[axis].value());
        const OnnxAttrs mode{{"mode", resize.mode}};
        if (writer.opset() >= 9) {
            const auto count = static_cast<std::int64_t>(scales.size());
            return writer.emit(writer.opset() >= 10 ? "Resize" : "Upsample",
                               {writer.input(), writer.constant(Tensor::fromFloats({count}, scales))}, mode,
                               std::move(out));
        }
        OnnxAttrs attrs = mode;
        attrs.emplace("scales", std::vector<double>(scales.begin(), scales.end()));
        return writer.emit("Upsample", {writer.input()}, attrs, std::move(out));
    }
    writer.needFixedSides("Before opset 11 an interpolation of this kind can be written", 11);
    const auto rowsOf = [&](std::size_t axis, std::int64_t size, std::int64_t units) {
        const double scale = resize.toSize ? static_cast<double>(units) / static_cast<double>(size)
                                           : resize.scale[axis].value();
        const SampledAxis along{resize, size, units, scale};
        std::vector<Taps> rows;
        for (std::int64_t unit = 0; unit < units; ++unit) rows.push_back(along.taps(unit));
        return rows;
    };
    return emitAlongBoth(writer, rowsOf, std::move(out));
}

namespace {

// Region u of n is floor(u * in / n) .. ceil((u + 1) * in / n), as PyTorch cuts them.
std::pair<std::int64_t, std::int64_t> region(std::int64_t unit, std::int64_t in, std::int64_t count)
{
    return {unit * in / count, ceilDiv((unit + 1) * in, count)};
}

}  // namespace

std::string emitRegionMeans(OnnxWriter& writer, const std::array<std::int64_t, 2>& size, OnnxNames out)
{
    writer.needFixedSides("An adaptive pooling can be written");
    const auto rowsOf = [&](std::size_t axis, std::int64_t in, std::int64_t) {
        std::vector<Taps> rows;
        for (std::int64_t unit = 0; unit < size[axis]; ++unit) {
            const auto [from, to] = region(unit, in, size[axis]);
            Taps taps;
            for (std::int64_t position = from; position < to; ++position)
                taps.emplace_back(position, 1.0 / static_cast<double>(to - from));
            rows.push_back(std::move(taps));
        }
        return rows;
    };
    return emitAlongBoth(writer, rowsOf, std::move(out));
}

std::string emitRegionMaxima(OnnxWriter& writer, const std::array<std::int64_t, 2>& size, OnnxNames out)
{
    writer.needFixedSides("An adaptive pooling can be written");
    const Value& in = writer.inputValue();
    const std::int64_t sizes[2] = {in.height(), in.width()}, dims[2] = {in.layout.h, in.layout.w};
    std::string value = writer.input();
    for (std::size_t axis = 0; axis < 2; ++axis) {
        OnnxNames parts;
        for (std::int64_t unit = 0; unit < size[axis]; ++unit) {
            const auto [from, to] = region(unit, writer.known(sizes[axis], "the size of its input"), size[axis]);
            parts.push_back(emitReduce(writer, "ReduceMax", emitPart(writer, value, dims[axis], from, to), {dims[axis]}, true));
        }
        value = writer.emit("Concat", parts, {{"axis", dims[axis]}}, axis == 1 ? std::move(out) : OnnxNames{});
    }
    return value;
}

}  // namespace fovea
