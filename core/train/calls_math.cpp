#include "core/train/calls.h"

#include "core/base/error.h"

namespace fovea {

namespace {

at::Tensor pair(TorchOp op, const at::Tensor& a, const at::Tensor& b)
{
    switch (op) {
    case TorchOp::Add: return a + b;
    case TorchOp::Sub: return a - b;
    case TorchOp::Mul: return a * b;
    case TorchOp::Div: return a / b;
    case TorchOp::Pow: return at::pow(a, b);
    case TorchOp::Maximum: return at::maximum(a, b);
    case TorchOp::Minimum: return at::minimum(a, b);
    default: throw Error(ErrorCode::Internal, "Not an operation of two maps.");
    }
}

// A mean over `size` neighbouring channels, as PyTorch pads them.
at::Tensor localResponse(const TorchCall& call, const at::Tensor& x)
{
    const std::int64_t size = call.args.getInt("size", 5), channels = x.size(1);
    const at::Tensor squares = (x * x).reshape({x.size(0), 1, channels, -1});
    const at::Tensor padded = at::constant_pad_nd(squares, {0, 0, size / 2, (size - 1) / 2});
    const at::Tensor energy = at::avg_pool2d(padded, {size, 1}, {1, 1}).reshape(x.sizes());
    return x / at::pow(call.args.getDouble("k", 1) + call.args.getDouble("alpha", 1e-4) * energy,
                       call.args.getDouble("beta", 0.75));
}

}  // namespace

at::Tensor combine(const TorchCall& call, const CallInputs& inputs)
{
    std::vector<at::Tensor> parts = inputs.in;
    at::Tensor constant = inputs.tensor("other");
    if (!constant.defined() && call.args.has("scalar"))
        constant = at::full({}, call.args.getDouble("scalar", 0), parts.at(0).options());
    if (constant.defined())
        parts.insert(call.args.getBool("scalar_first", false) ? parts.begin() : parts.end(), constant);
    at::Tensor out = parts.at(0);
    for (std::size_t i = 1; i < parts.size(); ++i) out = pair(call.op, out, parts[i]);
    return out;
}

at::Tensor reduce(const TorchCall& call, const at::Tensor& x)
{
    const Ints* listed = call.args.getInts("dim");
    const Ints dims = listed ? *listed : Ints{};
    const bool keep = call.args.getBool("keepdim", true);
    if (dims.empty()) return x;
    switch (call.op) {
    case TorchOp::Mean: return at::mean(x, dims, keep);
    case TorchOp::Sum: return at::sum(x, dims, keep);
    case TorchOp::Amax: return at::amax(x, dims, keep);
    case TorchOp::Amin: return at::amin(x, dims, keep);
    case TorchOp::Norm: return at::norm(x, 2, dims, keep);
    default: throw Error(ErrorCode::Internal, "Not a reduction.");
    }
}

std::vector<std::int64_t> dimsFrom(const TorchCall& call, const at::Tensor& x)
{
    std::int64_t axis = call.args.getInt("axis", -1);
    if (axis < 0) axis += x.dim();
    std::vector<std::int64_t> dims;
    for (; axis < x.dim(); ++axis) dims.push_back(axis);
    return dims;
}

at::Tensor normalise(const TorchCall& call, const CallInputs& inputs)
{
    const at::Tensor& x = inputs.x();
    const at::Tensor weight = inputs.tensor("weight"), bias = inputs.tensor("bias");
    const double eps = call.args.getDouble("eps", 1e-5);
    switch (call.op) {
    case TorchOp::BatchNorm2d:
        return at::batch_norm(x, weight, bias, inputs.tensor("running_mean"), inputs.tensor("running_var"),
                              inputs.training, call.args.getDouble("momentum", 0.1), eps,
                              at::globalContext().userEnabledCuDNN());
    case TorchOp::GroupNorm: return at::group_norm(x, call.args.getInt("num_groups", 1), weight, bias, eps, false);
    case TorchOp::InstanceNorm2d: return at::instance_norm(x, weight, bias, {}, {}, true, 0, eps, false);
    case TorchOp::LayerNorm: {
        std::vector<std::int64_t> shape;
        for (const std::int64_t dim : dimsFrom(call, x)) shape.push_back(x.size(dim));
        const bool plain = !weight.defined() || weight.dim() == static_cast<std::int64_t>(shape.size());
        return plain ? at::layer_norm(x, shape, weight, bias, eps, false)
                     : at::layer_norm(x, shape, weight.reshape(shape), bias.reshape(shape), eps, false);
    }
    case TorchOp::LocalResponseNorm: return localResponse(call, x);
    default: throw Error(ErrorCode::Internal, "Not a normalisation.");
    }
}

}  // namespace fovea
