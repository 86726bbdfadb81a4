#include "core/train/calls.h"

#include "core/base/error.h"
#include "core/ops/reach.h"

#include <algorithm>
#include <limits>

// Sliding windows. PyTorch pads both sides alike and poolings by at most half a kernel; what goes beyond that is
// padded first, to exactly the windows that core/ops/reach.h counts.
namespace fovea {

namespace {

struct Windows : TorchWindows {
    bool isSymmetric() const { return begin == end; }
};

Windows windowsOf(const TorchCall& call, const Ints& kernel) { return {torchWindows(call, kernel)}; }

// Padding, or cropping where negative, per axis; PyTorch lists the last dimension first.
at::Tensor pad(const at::Tensor& x, const Ints& begin, const Ints& end, double fill)
{
    std::vector<std::int64_t> backwards;
    for (std::size_t i = begin.size(); i-- > 0;) backwards.insert(backwards.end(), {begin[i], end[i]});
    return at::constant_pad_nd(x, backwards, fill);
}

// `x` enlarged or cut so that windows without padding give the units that the layer has.
at::Tensor fitToWindows(const at::Tensor& x, const Windows& windows, double fill)
{
    Ints end;
    for (std::size_t i = 0; i < windows.kernel.size(); ++i) {
        AxisReach r;
        r.kind = ReachKind::Window;
        r.kernel = windows.kernel[i];
        r.stride = windows.stride[i];
        r.dilation = windows.dilation[i];
        r.padBegin = windows.begin[i];
        r.padEnd = windows.end[i];
        r.ceilMode = windows.ceilMode;
        const std::int64_t size = x.size(static_cast<std::int64_t>(i) + 2);
        end.push_back((outputSize(r, size) - 1) * r.stride + r.effectiveKernel() - size - r.padBegin);
    }
    return pad(x, windows.begin, end, fill);
}

bool poolsAsPyTorch(const Windows& windows)
{
    for (std::size_t i = 0; i < windows.kernel.size(); ++i)
        if (windows.begin[i] * 2 > windows.kernel[i]) return false;
    return windows.isSymmetric();
}

at::Tensor plainAverage(const at::Tensor& x, const Windows& windows)
{
    switch (windows.kernel.size()) {
    case 1: return at::avg_pool1d(x, windows.kernel, windows.stride);
    case 2: return at::avg_pool2d(x, windows.kernel, windows.stride);
    default: return at::avg_pool3d(x, windows.kernel, windows.stride);
    }
}

}  // namespace

at::Tensor convolution(const TorchCall& call, const CallInputs& inputs, int axes)
{
    const at::Tensor weight = inputs.tensor("weight"), bias = inputs.tensor("bias");
    const Windows windows = windowsOf(call, weight.sizes().slice(2).vec());
    at::Tensor x = inputs.x();
    Ints padding = windows.begin;
    if (!windows.isSymmetric()) {
        x = pad(x, windows.begin, windows.end, 0);
        padding.assign(static_cast<std::size_t>(axes), 0);
    }
    const Ints none(static_cast<std::size_t>(axes), 0);
    return at::convolution(x, weight, bias, windows.stride, padding, windows.dilation, false, none,
                           call.args.getInt("groups", 1));
}

at::Tensor transposedConvolution(const TorchCall& call, const CallInputs& inputs)
{
    const at::Tensor weight = inputs.tensor("weight");
    const Windows windows = windowsOf(call, weight.sizes().slice(2).vec());
    const Ints extra{call.args.at("output_padding", 0, 0), call.args.at("output_padding", 1, 0)};
    const bool native = windows.isSymmetric();
    const Ints padding = native ? windows.begin : Ints{0, 0};
    at::Tensor out = at::convolution(inputs.x(), weight, inputs.tensor("bias"), windows.stride, padding,
                                     windows.dilation, true, extra, call.args.getInt("groups", 1));
    return native ? out : pad(out, {-windows.begin[0], -windows.begin[1]}, {-windows.end[0], -windows.end[1]}, 0);
}

at::Tensor maxPool(const TorchCall& call, const at::Tensor& x, int axes)
{
    const Windows windows = windowsOf(call, torchKernel(call, static_cast<std::size_t>(axes)));
    const bool plain = poolsAsPyTorch(windows);
    const at::Tensor ready = plain ? x : fitToWindows(x, windows, -std::numeric_limits<double>::infinity());
    const Ints padding = plain ? windows.begin : Ints(windows.begin.size(), 0);
    const bool ceil = plain && windows.ceilMode;
    return axes == 1 ? at::max_pool1d(ready, windows.kernel, windows.stride, padding, windows.dilation, ceil)
                     : at::max_pool2d(ready, windows.kernel, windows.stride, padding, windows.dilation, ceil);
}

// ONNX counts positions over the whole tensor, without padding; PyTorch within each plane of what it pools.
std::vector<at::Tensor> maxPoolWithIndices(const TorchCall& call, const at::Tensor& x)
{
    const Windows windows = windowsOf(call, torchKernel(call, 2));
    const at::Tensor ready = fitToWindows(x, windows, -std::numeric_limits<double>::infinity());
    const auto [values, within] = at::max_pool2d_with_indices(ready, windows.kernel, windows.stride, {0, 0}, windows.dilation);
    const at::Tensor rows = at::div(within, ready.size(3), "floor") - windows.begin[0];
    const at::Tensor columns = at::remainder(within, ready.size(3)) - windows.begin[1];
    const at::Tensor planes = at::arange(x.size(0) * x.size(1), within.options()).reshape({x.size(0), x.size(1), 1, 1});
    return {values, (planes * x.size(2) + rows) * x.size(3) + columns};
}

namespace {

std::vector<std::int64_t> restoredShape(const TorchCall& call, const at::Tensor& x)
{
    const std::int64_t h = call.args.at("output_size", 0, -1), w = call.args.at("output_size", 1, -1);
    if (h < 1 || w < 1) throw Error(ErrorCode::Usage, "The size of the map that a max unpooling restores does not follow from the network.");
    return {x.size(0), x.size(1), h, w};
}

}  // namespace

at::Tensor maxUnpool(const TorchCall& call, const CallInputs& inputs)
{
    const at::Tensor& x = inputs.x();
    const std::vector<std::int64_t> shape = restoredShape(call, x);
    const at::Tensor flat = at::zeros({shape[0] * shape[1] * shape[2] * shape[3]}, x.options());
    return flat.scatter(0, inputs.in.at(1).reshape({-1}), x.reshape({-1})).reshape(shape);
}

at::Tensor sumUnpool(const TorchCall& call, const CallInputs& inputs)
{
    const at::Tensor x = inputs.x() + inputs.in.at(1);
    const Windows windows = windowsOf(call, torchKernel(call, 2));
    const std::vector<std::int64_t> shape = restoredShape(call, x);
    const at::Tensor weight = at::ones({shape[1], 1, windows.kernel[0], windows.kernel[1]}, x.options().requires_grad(false));
    const at::Tensor out = at::convolution(x, weight, {}, windows.stride, {0, 0}, {1, 1}, true, {0, 0}, shape[1]);
    const Ints end{shape[2] - out.size(2) + windows.begin[0], shape[3] - out.size(3) + windows.begin[1]};
    return pad(out, {-windows.begin[0], -windows.begin[1]}, end, 0);
}

at::Tensor averagePool(const TorchCall& call, const at::Tensor& x, int axes)
{
    const Windows windows = windowsOf(call, torchKernel(call, static_cast<std::size_t>(axes)));
    const bool countPadding = call.args.getBool("count_include_pad", true);
    if (poolsAsPyTorch(windows) && axes == 2)
        return at::avg_pool2d(x, windows.kernel, windows.stride, windows.begin, windows.ceilMode, countPadding);
    // What the divisor counts is averaged beside it.
    std::vector<std::int64_t> one = x.sizes().vec();
    one[0] = one[1] = 1;
    at::Tensor counted = at::ones(one, x.options().requires_grad(false));
    if (countPadding) {
        counted = pad(counted, windows.begin, windows.end, 1);
        Ints none(windows.begin.size(), 0), end;
        const at::Tensor ready = fitToWindows(x, windows, 0);
        for (std::size_t i = 0; i < none.size(); ++i)
            end.push_back(ready.size(static_cast<std::int64_t>(i) + 2) -
                          counted.size(static_cast<std::int64_t>(i) + 2));
        return plainAverage(ready, windows) / plainAverage(pad(counted, none, end, 0), windows);
    }
    return plainAverage(fitToWindows(x, windows, 0), windows) /
           plainAverage(fitToWindows(counted, windows, 0), windows);
}

at::Tensor sumPool(const TorchCall& call, const at::Tensor& x, int axes)
{
    const Windows windows = windowsOf(call, torchKernel(call, static_cast<std::size_t>(axes)));
    const std::int64_t channels = x.size(1);
    std::vector<std::int64_t> shape{channels, 1};
    double units = 1;
    for (const std::int64_t k : windows.kernel) {
        shape.push_back(k);
        units *= static_cast<double>(k);
    }
    const at::Tensor weight = at::ones(shape, x.options().requires_grad(false)) / units;
    const Ints none(windows.kernel.size(), 0);
    return at::convolution(fitToWindows(x, windows, 0), weight, {}, windows.stride, none, windows.dilation, false, none, channels);
}

// A norm, signs left out.
at::Tensor lpPool(const TorchCall& call, const at::Tensor& x)
{
    const Windows windows = windowsOf(call, torchKernel(call, 2));
    const double p = static_cast<double>(call.args.getInt("norm_type", 2));
    const at::Tensor powers = fitToWindows(at::pow(at::abs(x), p), windows, 0);
    return at::pow(plainAverage(powers, windows) * static_cast<double>(windows.kernel[0] * windows.kernel[1]), 1 / p);
}

at::Tensor adaptivePool(const TorchCall& call, const at::Tensor& x, bool average)
{
    const Ints size{call.args.at("output_size", 0, 1), call.args.at("output_size", 1, 1)};
    const at::Tensor out = average ? at::adaptive_avg_pool2d(x, size) : std::get<0>(at::adaptive_max_pool2d(x, size));
    return call.args.getBool("keepdim", true) ? out : out.flatten(1);
}

}  // namespace fovea
