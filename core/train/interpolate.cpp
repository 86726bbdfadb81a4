#include "core/train/calls.h"

#include "core/base/rational.h"

#include <algorithm>
#include <array>
#include <cmath>

// Interpolation one axis after the other, by gathering taps. One code for PyTorch's modes and for those that only
// ONNX has; positions are computed from exact scales, so that no rounding moves a tap.
namespace fovea {

namespace {

struct Axis {
    std::int64_t dim, from, to;  // sizes
    std::int64_t num, den;       // scale
    std::string coordinates, nearest;
    double cubic;
    bool antialias, inside;  // inside: units beyond an edge have no weight, rather than being those at the edge
};

// Where the centre of output unit u lies on the input's grid.
double position(const Axis& axis, std::int64_t u)
{
    const double scale = static_cast<double>(axis.den) / static_cast<double>(axis.num);
    if (axis.coordinates == "align_corners")
        return axis.to > 1 ? static_cast<double>(u * (axis.from - 1)) / static_cast<double>(axis.to - 1) : 0.0;
    if (axis.coordinates == "asymmetric") return static_cast<double>(u) * scale;
    if (axis.coordinates == "pytorch_half_pixel" && axis.to == 1) return 0.0;
    if (axis.coordinates == "tf_half_pixel_for_nn") return static_cast<double>((2 * u + 1) * axis.den) / static_cast<double>(2 * axis.num);
    if (axis.coordinates == "half_pixel_symmetric")
        return static_cast<double>((2 * u + 1) * axis.den - axis.num + axis.from * axis.num - axis.to * axis.den) / static_cast<double>(2 * axis.num);
    return static_cast<double>((2 * u + 1) * axis.den - axis.num) / static_cast<double>(2 * axis.num);
}

std::int64_t nearestUnit(const Axis& axis, std::int64_t u)
{
    // PyTorch's nearest takes floor(u / scale), whatever the coordinates.
    if (axis.nearest == "floor") return floorDiv(u * axis.den, axis.num);
    const double at = position(axis, u);
    if (axis.nearest == "floor_of_coordinates") return static_cast<std::int64_t>(std::floor(at));
    if (axis.nearest == "ceil") return static_cast<std::int64_t>(std::ceil(at));
    if (axis.nearest == "round_prefer_ceil") return static_cast<std::int64_t>(std::floor(at + 0.5));
    return static_cast<std::int64_t>(std::ceil(at - 0.5));
}

// Keys' kernel at distances 1 + t, t, 1 - t, 2 - t.
std::array<double, 4> cubicWeights(double t, double a)
{
    const auto inner = [a](double x) { return ((a + 2) * x - (a + 3)) * x * x + 1; };
    const auto outer = [a](double x) { return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a; };
    return {outer(1 + t), inner(t), inner(1 - t), outer(2 - t)};
}

double kernelAt(double distance, int taps, double a)
{
    const double x = std::abs(distance);
    if (taps == 2) return std::max(0.0, 1 - x);
    if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

// The kernel stretched to the output's pitch where it shrinks. Source: ONNX, Resize with antialias.
at::Tensor antialiased(const at::Tensor& x, const Axis& axis, int taps, bool equal)
{
    const double stretch = std::max(1.0, static_cast<double>(axis.den) / static_cast<double>(axis.num)), reach = taps / 2 * stretch;
    std::vector<double> weights(static_cast<std::size_t>(axis.from * axis.to), 0);
    for (std::int64_t u = 0; u < axis.to; ++u) {
        const double at = position(axis, u);
        const auto first = static_cast<std::int64_t>(std::floor(at - reach)) + 1, last = static_cast<std::int64_t>(std::floor(at + reach));
        double sum = 0;
        for (const bool adding : {true, false})
            for (std::int64_t v = first; v <= last; ++v) {
                const std::int64_t unit = std::clamp<std::int64_t>(v, 0, axis.from - 1);
                if (axis.inside && unit != v) continue;
                const double weight = equal ? 1 : kernelAt((static_cast<double>(v) - at) / stretch, taps, axis.cubic);
                if (adding) sum += weight;
                else weights[static_cast<std::size_t>(unit * axis.to + u)] += weight / sum;
            }
    }
    const at::Tensor table = at::tensor(weights, at::kDouble).to(x.device(), x.scalar_type()).reshape({axis.from, axis.to});
    return at::matmul(x.movedim(axis.dim, -1), table).movedim(-1, axis.dim);
}

std::int64_t tapOf(const Axis& axis, std::int64_t u, int taps, int tap)
{
    if (taps == 1) return nearestUnit(axis, u);
    return static_cast<std::int64_t>(std::floor(position(axis, u))) + tap - (taps == 4 ? 1 : 0);
}

double weightOf(const Axis& axis, std::int64_t u, int taps, int tap)
{
    if (taps == 1) return 1;
    const double at = position(axis, u), t = at - std::floor(at);
    if (taps == 2) return tap == 0 ? 1 - t : t;
    const std::array<double, 4> weights = cubicWeights(t, axis.cubic);
    if (!axis.inside) return weights[static_cast<std::size_t>(tap)];
    double sum = 0;
    const auto isInside = [&](int i) { return tapOf(axis, u, taps, i) >= 0 && tapOf(axis, u, taps, i) < axis.from; };
    for (int i = 0; i < taps; ++i) sum += isInside(i) ? weights[static_cast<std::size_t>(i)] : 0;
    return isInside(tap) ? weights[static_cast<std::size_t>(tap)] / sum : 0;
}

at::Tensor gatherTaps(const at::Tensor& x, const Axis& axis, int taps, bool equal)
{
    at::Tensor out;
    std::vector<std::int64_t> wide(static_cast<std::size_t>(x.dim()), 1);
    wide[static_cast<std::size_t>(axis.dim)] = axis.to;
    for (int tap = 0; tap < taps; ++tap) {
        std::vector<std::int64_t> units;
        std::vector<double> weights;
        for (std::int64_t u = 0; u < axis.to; ++u) {
            const std::int64_t unit = tapOf(axis, u, taps, tap);
            units.push_back(std::clamp<std::int64_t>(unit, 0, axis.from - 1));
            weights.push_back(equal ? 1.0 / taps : weightOf(axis, u, taps, tap));
        }
        const at::Tensor index = at::tensor(units, at::kLong).to(x.device());
        const at::Tensor weight = at::tensor(weights, at::kDouble).to(x.device(), x.scalar_type()).reshape(wide);
        const at::Tensor part = at::index_select(x, axis.dim, index) * weight;
        out = out.defined() ? out + part : part;
    }
    return out;
}

}  // namespace

at::Tensor interpolate(const TorchCall& call, const at::Tensor& x, bool equalTaps)
{
    const std::string mode = call.args.getText("mode", "nearest");
    const int taps = mode == "nearest" ? 1 : mode == "bicubic" ? 4 : 2;
    at::Tensor out = x;
    for (std::size_t i = 0; i < 2; ++i) {
        Axis axis{call.args.at("dim", i, -1),
                  0,
                  call.args.at("size", i, 0),
                  call.args.at("scale_numerator", i, 1),
                  call.args.at("scale_denominator", i, 1),
                  call.args.getText("coordinates", "half_pixel"),
                  call.args.getText(i == 0 ? "nearest_mode" : "nearest_mode_w", "floor"),
                  call.args.getDouble("cubic_coeff_a", -0.75),
                  call.args.getBool("antialias", false) && taps > 1,
                  call.args.getBool("exclude_outside", false)};
        if (axis.dim < 0) continue;
        axis.from = x.size(axis.dim);
        if (axis.num == axis.den) continue;
        out = axis.antialias ? antialiased(out, axis, taps, equalTaps) : gatherTaps(out, axis, taps, equalTaps);
    }
    return out;
}

}  // namespace fovea
