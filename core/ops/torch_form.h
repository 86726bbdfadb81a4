// How PyTorch expresses a layer kind: one module or function call as data. core/io/pytorch prints it and
// core/train runs it; both switch over TorchOp without a default, so a kind that one of them forgets stops
// the build, and LibTorch stays out of this room.
#pragma once

#include "core/graph/attributes.h"

#include <cstdint>
#include <string>
#include <vector>

namespace fovea {

struct NodeView;
struct OpDef;

// Named as in torch.nn or torch.nn.functional; where PyTorch has no such call, the comment says what it is.
enum class TorchOp : std::uint8_t {
    None,  // no PyTorch form: the kind can be drawn and analysed, not run
    Input,
    Constant,
    Identity,
    Conv1d,
    Conv2d,
    Conv3d,
    ConvTranspose2d,
    Linear,
    MatMul,
    MaxPool1d,
    MaxPool2d,  // with "return_indices" two outputs, the indices as ONNX counts them: over the whole tensor
    MaxUnpool2d,
    AvgPool1d,
    AvgPool2d,
    AvgPool3d,
    AdaptiveAvgPool2d,
    AdaptiveMaxPool2d,
    BatchNorm2d,
    GroupNorm,
    InstanceNorm2d,
    LayerNorm,
    LocalResponseNorm,
    ReLU,
    ReLU6,
    LeakyReLU,
    PReLU,
    ELU,
    SELU,
    CELU,
    GELU,
    SiLU,
    Mish,
    Sigmoid,
    Tanh,
    Softplus,
    Softsign,
    Hardsigmoid,
    Hardswish,
    Hardtanh,
    Threshold,
    Softmax,
    LogSoftmax,
    ScaledHardSigmoid,  // clamp(alpha * x + beta, 0, 1)
    Erf,
    Exp,
    Log,
    Sqrt,
    Abs,
    Neg,
    Reciprocal,
    Floor,
    Ceil,
    Round,
    Sign,
    Sin,
    Cos,
    Function,  // torch's function of one map that is called `function`
    Cast,      // to the type of number `to`, as ONNX counts them; whole numbers stay in the map's own type
    Affine,    // alpha * x + beta
    ScaledTanh,
    ParametricSoftplus,
    Shrink,
    QuickGELU,
    Add,
    Sub,
    Mul,
    Div,
    Pow,
    Maximum,
    Minimum,
    Average,
    Equal,  // comparisons give 1 and 0 in the map's own type
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    And,
    Or,
    Xor,
    Mod,  // of all inputs, or of one and "scalar" or the tensor "other"
    Where,
    Mean,
    Sum,
    Amax,
    Amin,
    Norm,
    L1Norm,
    LogSum,
    LogSumExp,
    Prod,
    SumSquare,
    ArgMax,
    ArgMin,
    TopK,
    Hardmax,
    CumSum,
    Normalize,
    Trilu,
    Einsum,
    LPPool2d,
    IndexSelect,
    Concat,
    Split,
    Flatten,
    Reshape,
    Squeeze,
    Unsqueeze,
    Permute,
    Slice,
    Select,
    ConstantPad,
    ReflectionPad,
    ReplicationPad,
    Interpolate,
    PixelShuffle,
    PixelUnshuffle,
    DepthToSpace,  // reshape, permute, reshape: the block's position comes from the first channels
    SpaceToDepth,  // the opposite
    ChannelShuffle,
    Expand,
    Tile,
    Dropout,
};

// The call that one layer makes. `args` hold what the layer's settings and shapes decide, under PyTorch's names
// where it has them; lists of sides keep Fovea's order [top, left, bottom, right].
struct TorchCall {
    TorchOp op = TorchOp::None;
    Attributes args;
    std::vector<std::string> tensors;  // roles of the tensors that it takes and the layer owns, in order
};

// The same of a whole kind.
struct TorchForm {
    TorchOp op = TorchOp::None;
    std::vector<const char*> attrs = {};                        // attributes that become arguments of the same name
    std::vector<const char*> tensors = {};                      // roles; those that a layer does not own are left out
    void (*more)(const NodeView&, Attributes& args) = nullptr;  // arguments that follow from shapes
};

TorchCall torchCall(const OpDef& op, const NodeView& view);

// Where the sliding windows of a call lie, per axis.
struct TorchWindows {
    Ints kernel, stride, dilation, begin, end;  // begin, end: padding
    bool ceilMode = false;
};
TorchWindows torchWindows(const TorchCall& call, const Ints& kernel);
Ints torchKernel(const TorchCall& call, std::size_t axes);  // "kernel_size"

}  // namespace fovea
