#include "core/train/calls.h"

#include "core/base/error.h"

namespace fovea {

at::Tensor CallInputs::tensor(const char* role) const
{
    const auto it = tensors.find(role);
    return it == tensors.end() ? at::Tensor() : it->second;
}

namespace {

at::Tensor linear(const TorchCall& call, const CallInputs& inputs)
{
    at::Tensor weight = inputs.tensor("weight");
    if (call.args.getBool("weight_transposed", false)) weight = weight.t();
    return at::linear(inputs.x(), weight, inputs.tensor("bias"));
}

at::Tensor softmax(const TorchCall& call, const at::Tensor& x)
{
    const std::int64_t dim = call.args.getInt("dim", -1);
    const bool flattened = call.args.getBool("flattened", false);
    const at::Tensor ready = flattened ? x.flatten(dim) : x;
    const at::Tensor out = call.op == TorchOp::Softmax ? at::softmax(ready, dim) : at::log_softmax(ready, dim);
    return flattened ? out.reshape(x.sizes()) : out;
}

// One slope, one a channel, or a shape that broadcasts.
at::Tensor prelu(const CallInputs& inputs)
{
    const at::Tensor slope = inputs.tensor("weight");
    if (slope.numel() == 1) return at::where(inputs.x() > 0, inputs.x(), inputs.x() * slope.reshape({}));
    at::Tensor wide = slope;
    if (slope.dim() == 1) {
        std::vector<std::int64_t> shape(static_cast<std::size_t>(inputs.x().dim()), 1);
        shape[1] = slope.numel();
        wide = slope.reshape(shape);
    }
    return at::where(inputs.x() > 0, inputs.x(), inputs.x() * wide);
}

}  // namespace

std::vector<at::Tensor> runCall(const TorchCall& call, const CallInputs& inputs)
{
    const Attributes& args = call.args;
    const auto real = [&](const char* name) { return args.getDouble(name, 0); };
    const auto x = [&]() -> const at::Tensor& { return inputs.x(); };
    switch (call.op) {
    case TorchOp::None:
    case TorchOp::Input: break;
    case TorchOp::Constant: return {inputs.tensor("value")};
    case TorchOp::Identity: return {x()};
    case TorchOp::Dropout:
        if (args.getBool("mask", false)) return {at::dropout(x(), real("p"), inputs.training), at::ones_like(x())};
        return {at::dropout(x(), real("p"), inputs.training)};
    case TorchOp::Conv1d: return {convolution(call, inputs, 1)};
    case TorchOp::Conv2d: return {convolution(call, inputs, 2)};
    case TorchOp::Conv3d: return {convolution(call, inputs, 3)};
    case TorchOp::ConvTranspose2d: return {transposedConvolution(call, inputs)};
    case TorchOp::Linear: return {linear(call, inputs)};
    case TorchOp::MatMul: return {at::matmul(x(), inputs.in.at(1))};
    case TorchOp::MaxPool1d: return {maxPool(call, x(), 1)};
    case TorchOp::MaxPool2d:
        if (args.getBool("return_indices", false)) return maxPoolWithIndices(call, x());
        return {maxPool(call, x(), 2)};
    case TorchOp::MaxUnpool2d: return {maxUnpool(call, inputs)};
    case TorchOp::AvgPool1d: return {averagePool(call, x(), 1)};
    case TorchOp::AvgPool2d: return {averagePool(call, x(), 2)};
    case TorchOp::AvgPool3d: return {averagePool(call, x(), 3)};
    case TorchOp::AdaptiveAvgPool2d: return {adaptivePool(call, x(), true)};
    case TorchOp::AdaptiveMaxPool2d: return {adaptivePool(call, x(), false)};
    case TorchOp::BatchNorm2d:
    case TorchOp::GroupNorm:
    case TorchOp::InstanceNorm2d:
    case TorchOp::LayerNorm:
    case TorchOp::LocalResponseNorm: return {normalise(call, inputs)};
    case TorchOp::ReLU: return {at::relu(x())};
    case TorchOp::ReLU6: return {at::clamp(x(), 0, 6)};
    case TorchOp::LeakyReLU: return {at::leaky_relu(x(), real("negative_slope"))};
    case TorchOp::PReLU: return {prelu(inputs)};
    case TorchOp::ELU: return {at::elu(x(), real("alpha"))};
    case TorchOp::SELU: return {at::elu(x(), real("alpha"), real("scale"))};
    case TorchOp::CELU: return {at::celu(x(), real("alpha"))};
    case TorchOp::GELU: return {at::gelu(x(), args.getText("approximate", "none"))};
    case TorchOp::SiLU: return {at::silu(x())};
    case TorchOp::Mish: return {at::mish(x())};
    case TorchOp::Sigmoid: return {at::sigmoid(x())};
    case TorchOp::Tanh: return {at::tanh(x())};
    case TorchOp::Softplus: return {at::softplus(x())};
    case TorchOp::Softsign: return {x() / (1 + at::abs(x()))};
    case TorchOp::Hardsigmoid: return {at::hardsigmoid(x())};
    case TorchOp::Hardswish: return {at::hardswish(x())};
    case TorchOp::Hardtanh: return {at::clamp(x(), real("min_val"), real("max_val"))};
    case TorchOp::Threshold: return {at::threshold(x(), real("threshold"), 0)};
    case TorchOp::Softmax:
    case TorchOp::LogSoftmax: return {softmax(call, x())};
    case TorchOp::ScaledHardSigmoid: return {at::clamp(x() * real("alpha") + real("beta"), 0, 1)};
    case TorchOp::Erf: return {at::erf(x())};
    case TorchOp::Exp: return {at::exp(x())};
    case TorchOp::Log: return {at::log(x())};
    case TorchOp::Sqrt: return {at::sqrt(x())};
    case TorchOp::Abs: return {at::abs(x())};
    case TorchOp::Neg: return {at::neg(x())};
    case TorchOp::Reciprocal: return {at::reciprocal(x())};
    case TorchOp::Floor: return {at::floor(x())};
    case TorchOp::Ceil: return {at::ceil(x())};
    case TorchOp::Round: return {at::round(x())};
    case TorchOp::Sign: return {at::sign(x())};
    case TorchOp::Sin: return {at::sin(x())};
    case TorchOp::Cos: return {at::cos(x())};
    case TorchOp::Function: return {functionOf(args.getText("function"), x())};
    case TorchOp::Cast: return {castTo(args.getInt("to", 1), x())};
    case TorchOp::Affine: return {x() * real("alpha") + real("beta")};
    case TorchOp::ScaledTanh: return {at::tanh(x() * real("beta")) * real("alpha")};
    case TorchOp::ParametricSoftplus: return {at::softplus(x() * real("beta")) * real("alpha")};
    case TorchOp::Shrink: return {at::where(at::abs(x()) > real("lambda"), x() - at::sign(x()) * real("bias"), at::zeros_like(x()))};
    case TorchOp::QuickGELU: return {x() * at::sigmoid(x() * real("alpha"))};
    case TorchOp::Add:
    case TorchOp::Sub:
    case TorchOp::Mul:
    case TorchOp::Div:
    case TorchOp::Pow:
    case TorchOp::Maximum:
    case TorchOp::Minimum:
    case TorchOp::Average:
    case TorchOp::Equal:
    case TorchOp::Greater:
    case TorchOp::GreaterOrEqual:
    case TorchOp::Less:
    case TorchOp::LessOrEqual:
    case TorchOp::And:
    case TorchOp::Or:
    case TorchOp::Xor:
    case TorchOp::Mod: return {combine(call, inputs)};
    case TorchOp::Where: return {chosen(inputs)};
    case TorchOp::Mean:
    case TorchOp::Sum:
    case TorchOp::Amax:
    case TorchOp::Amin:
    case TorchOp::Norm:
    case TorchOp::L1Norm:
    case TorchOp::LogSum:
    case TorchOp::LogSumExp:
    case TorchOp::Prod:
    case TorchOp::SumSquare: return {reduce(call, x())};
    case TorchOp::ArgMax:
    case TorchOp::ArgMin:
    case TorchOp::TopK:
    case TorchOp::Hardmax:
    case TorchOp::CumSum:
    case TorchOp::Normalize: return alongAxis(call, x());
    case TorchOp::Trilu: return {args.getBool("upper", true) ? at::triu(x(), args.getInt("diagonal", 0)) : at::tril(x(), args.getInt("diagonal", 0))};
    case TorchOp::Einsum: return {einsum(call, inputs)};
    case TorchOp::LPPool2d: return {lpPool(call, x())};
    case TorchOp::Concat: return {at::cat(inputs.in, args.getInt("dim", 1))};
    case TorchOp::Split: return splitUp(call, x());
    case TorchOp::Flatten:
    case TorchOp::Reshape:
    case TorchOp::Squeeze:
    case TorchOp::Unsqueeze:
    case TorchOp::Permute:
    case TorchOp::Slice:
    case TorchOp::Select:
    case TorchOp::IndexSelect:
    case TorchOp::PixelShuffle:
    case TorchOp::PixelUnshuffle:
    case TorchOp::DepthToSpace:
    case TorchOp::SpaceToDepth:
    case TorchOp::ChannelShuffle:
    case TorchOp::Expand:
    case TorchOp::Tile: return {reshaped(call, x())};
    case TorchOp::ConstantPad:
    case TorchOp::ReflectionPad:
    case TorchOp::ReplicationPad: return {padded(call, x())};
    case TorchOp::Interpolate: return {interpolate(call, x(), false)};
    }
    throw Error(ErrorCode::Internal, "A layer without a PyTorch form was run.");
}

}  // namespace fovea
