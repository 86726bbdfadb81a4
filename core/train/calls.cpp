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
    case TorchOp::Dropout: return {at::dropout(x(), real("p"), inputs.training)};
    case TorchOp::Conv1d: return {convolution(call, inputs, 1)};
    case TorchOp::Conv2d: return {convolution(call, inputs, 2)};
    case TorchOp::Conv3d: return {convolution(call, inputs, 3)};
    case TorchOp::ConvTranspose2d: return {transposedConvolution(call, inputs)};
    case TorchOp::Linear: return {linear(call, inputs)};
    case TorchOp::MatMul: return {at::matmul(x(), inputs.in.at(1))};
    case TorchOp::MaxPool2d: return {maxPool(call, x())};
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
    case TorchOp::GELU: return {at::gelu(x())};
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
    case TorchOp::Softmax: return {at::softmax(x(), args.getInt("dim", -1))};
    case TorchOp::LogSoftmax: return {at::log_softmax(x(), args.getInt("dim", -1))};
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
    case TorchOp::Add:
    case TorchOp::Sub:
    case TorchOp::Mul:
    case TorchOp::Div:
    case TorchOp::Pow:
    case TorchOp::Maximum:
    case TorchOp::Minimum: return {combine(call, inputs)};
    case TorchOp::Mean:
    case TorchOp::Sum:
    case TorchOp::Amax:
    case TorchOp::Amin:
    case TorchOp::Norm: return {reduce(call, x())};
    case TorchOp::Concat: return {at::cat(inputs.in, args.getInt("dim", 1))};
    case TorchOp::Split: return splitUp(call, x());
    case TorchOp::Flatten:
    case TorchOp::Reshape:
    case TorchOp::Squeeze:
    case TorchOp::Unsqueeze:
    case TorchOp::Permute:
    case TorchOp::Slice:
    case TorchOp::Select:
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
