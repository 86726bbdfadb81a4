#include "core/train/calls.h"

// RunMode::Support, as module.h describes it.
namespace fovea {

namespace {

at::Tensor sumOf(const CallInputs& inputs)
{
    at::Tensor out = inputs.x();
    for (std::size_t i = 1; i < inputs.in.size(); ++i) out = out + inputs.in[i];
    // A constant carries no path, but it may widen the map.
    const at::Tensor other = inputs.tensor("other");
    return other.defined() ? out + at::zeros_like(other) : out;
}

at::Tensor meanOver(const TorchCall& call, const at::Tensor& x)
{
    const Ints* dims = call.args.getInts("dim");
    return dims && !dims->empty() ? at::mean(x, *dims, call.args.getBool("keepdim", true)) : x;
}

// Fovea counts it as reading everything: in attention the rows are positions, and two products in a row mix them all.
at::Tensor readsAll(const at::Tensor& a, const at::Tensor& b)
{
    const at::Tensor all = a.mean({-2, -1}, true) + b.mean({-2, -1}, true);
    return all + at::zeros({a.size(-2), b.size(-1)}, a.options().requires_grad(false));
}

}  // namespace

std::vector<at::Tensor> runSupportCall(const TorchCall& call, const CallInputs& inputs)
{
    switch (call.op) {
    case TorchOp::ReLU: case TorchOp::ReLU6: case TorchOp::LeakyReLU: case TorchOp::PReLU: case TorchOp::ELU: case TorchOp::SELU:
    case TorchOp::CELU: case TorchOp::GELU: case TorchOp::SiLU: case TorchOp::Mish: case TorchOp::Sigmoid: case TorchOp::Tanh:
    case TorchOp::Softplus: case TorchOp::Softsign: case TorchOp::Hardsigmoid: case TorchOp::Hardswish: case TorchOp::Hardtanh:
    case TorchOp::Threshold: case TorchOp::ScaledHardSigmoid: case TorchOp::Erf: case TorchOp::Exp: case TorchOp::Log: case TorchOp::Sqrt:
    case TorchOp::Abs: case TorchOp::Neg: case TorchOp::Reciprocal: case TorchOp::Floor: case TorchOp::Ceil: case TorchOp::Round:
    case TorchOp::Sign: case TorchOp::Sin: case TorchOp::Cos: case TorchOp::Function: case TorchOp::Cast: case TorchOp::Affine:
    case TorchOp::ScaledTanh: case TorchOp::ParametricSoftplus: case TorchOp::Shrink: case TorchOp::QuickGELU: case TorchOp::Trilu:
    case TorchOp::GroupNorm: case TorchOp::InstanceNorm2d: case TorchOp::LocalResponseNorm: return {inputs.x()};
    case TorchOp::LayerNorm: return {inputs.x() + at::mean(inputs.x(), dimsFrom(call, inputs.x()), true)};
    case TorchOp::Softmax:
    case TorchOp::LogSoftmax: {
        std::vector<std::int64_t> dims{call.args.getInt("dim", -1)};
        while (call.args.getBool("flattened", false) && dims.back() + 1 < inputs.x().dim()) dims.push_back(dims.back() + 1);
        return {inputs.x() + at::mean(inputs.x(), dims, true)};
    }
    case TorchOp::MaxPool1d: return {sumPool(call, inputs.x(), 1)};
    case TorchOp::MaxPool2d: {
        const at::Tensor sums = sumPool(call, inputs.x(), 2);
        return call.args.getBool("return_indices", false) ? std::vector{sums, sums} : std::vector{sums};
    }
    case TorchOp::LPPool2d: return {sumPool(call, inputs.x(), 2)};
    case TorchOp::MaxUnpool2d: return {sumUnpool(call, inputs)};
    case TorchOp::Dropout: return call.args.getBool("mask", false) ? std::vector{inputs.x(), inputs.x()} : std::vector{inputs.x()};
    case TorchOp::AdaptiveMaxPool2d: return {adaptivePool(call, inputs.x(), true)};
    case TorchOp::Add: case TorchOp::Sub: case TorchOp::Mul: case TorchOp::Div: case TorchOp::Pow: case TorchOp::Maximum: case TorchOp::Minimum:
    case TorchOp::Average: case TorchOp::Equal: case TorchOp::Greater: case TorchOp::GreaterOrEqual: case TorchOp::Less: case TorchOp::LessOrEqual:
    case TorchOp::And: case TorchOp::Or: case TorchOp::Xor: case TorchOp::Mod: case TorchOp::Where: return {sumOf(inputs)};
    case TorchOp::Mean: case TorchOp::Sum: case TorchOp::Amax: case TorchOp::Amin: case TorchOp::Norm: case TorchOp::L1Norm:
    case TorchOp::LogSum: case TorchOp::LogSumExp: case TorchOp::Prod: case TorchOp::SumSquare: return {meanOver(call, inputs.x())};
    case TorchOp::ArgMax: case TorchOp::ArgMin: {
        const at::Tensor mean = at::mean(inputs.x(), {call.args.getInt("dim", -1)}, true);
        return {call.args.getBool("keepdim", true) ? mean : mean.squeeze(call.args.getInt("dim", -1))};
    }
    case TorchOp::TopK: {
        const std::int64_t dim = call.args.getInt("dim", -1);
        const at::Tensor all = inputs.x() + at::mean(inputs.x(), {dim}, true), part = all.narrow(dim, 0, call.args.getInt("k", 1));
        return {part, part};
    }
    case TorchOp::Hardmax: case TorchOp::CumSum:
    case TorchOp::Normalize: return {inputs.x() + at::mean(inputs.x(), {call.args.getInt("dim", -1)}, true)};
    case TorchOp::MatMul: return {readsAll(inputs.x(), inputs.in.at(1))};
    case TorchOp::Interpolate: return {interpolate(call, inputs.x(), true)};
    // Linear already, with positive weights; spelt out, so that a new operation is decided here too.
    case TorchOp::None: case TorchOp::Input: case TorchOp::Constant: case TorchOp::Identity: case TorchOp::Conv1d:
    case TorchOp::Conv2d: case TorchOp::Conv3d: case TorchOp::ConvTranspose2d: case TorchOp::Linear: case TorchOp::AvgPool1d: case TorchOp::AvgPool2d:
    case TorchOp::AvgPool3d: case TorchOp::AdaptiveAvgPool2d: case TorchOp::BatchNorm2d: case TorchOp::Concat: case TorchOp::Split:
    case TorchOp::Flatten: case TorchOp::Reshape: case TorchOp::Squeeze: case TorchOp::Unsqueeze: case TorchOp::Permute: case TorchOp::Slice:
    case TorchOp::Einsum: case TorchOp::IndexSelect:
    case TorchOp::Select: case TorchOp::ConstantPad: case TorchOp::ReflectionPad: case TorchOp::ReplicationPad: case TorchOp::PixelShuffle:
    case TorchOp::PixelUnshuffle: case TorchOp::DepthToSpace: case TorchOp::SpaceToDepth: case TorchOp::ChannelShuffle:
    case TorchOp::Expand: case TorchOp::Tile: break;
    }
    return runCall(call, inputs);
}

}  // namespace fovea
