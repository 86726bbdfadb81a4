#include "tests/support/kind_networks.h"

#include <map>

namespace fovea::test {

namespace {

// A network that holds the kind, with windows before it so that its units see more than one pixel.
const std::map<std::string, std::vector<std::string>>& networks()
{
    static const std::string before = "input 3x19x23 > conv:stem k=3x5 s=2x1 p=1x0x0x2 c=4 > ";
    static const std::string square = "input 4x12x16 > conv:stem k=3 p=1 c=8 > ";
    static const std::map<std::string, std::vector<std::string>> table = {
        {"Input", {"input 3x7x9 > conv k=3 c=2"}},
        {"Conv2d",
         {before + "conv k=4x2 s=1x3 p=0x2x3x1 d=2x1 c=6 g=2", before + "conv k=2 s=4 c=4 g=4",
          before + "conv k=3 p=4 d=2 c=2", before + "conv k=5x4 s=2x3 auto_pad=same_upper c=2",
          before + "conv k=4x6 s=1x4 auto_pad=same_lower c=2 > conv k=3 c=2"}},
        {"Conv1d",
         {before + "mean dim=2 keepdim=0 > conv1d kernel_size=3 stride=2 padding=1x0 dilation=2 in_channels=4 c=4",
          before + "mean dim=3 keepdim=0 > conv1d kernel_size=4 stride=2 auto_pad=same_upper in_channels=4 c=2"}},
        {"ConvTranspose2d",
         {before + "convtranspose2d k=4x3 s=2x3 p=1x0x1x0 c=4 output_padding=1x2",
          before + "convtranspose2d k=2x3 s=3x2 c=4 p=0x1x0x0", before + "convtranspose2d k=3x2 s=2x1 d=2x3 c=4 p=1",
          before + "convtranspose2d k=1x2 s=3x4 c=4 > conv k=2 c=2",
          before + "convtranspose2d k=3x4 s=2x3 auto_pad=same_upper c=4", before + "convtranspose2d k=4x3 s=1x2 auto_pad=same_lower c=4 > conv k=2 c=2",
          before + "convtranspose2d k=3x4 s=2x3 output_shape=16x66 c=4", before + "convtranspose2d k=3 s=2 output_shape=18x40 auto_pad=same_upper c=4"}},
        {"MaxPool2d",
         {before + "maxpool k=3 s=2 p=1 ceil=1", before + "maxpool k=3x2 s=2x1 p=0x1x1x0 d=2x1",
          before + "maxpool k=2 s=1 p=2x0x0x2", before + "maxpool k=4x3 s=3x2 auto_pad=same_lower",
          before + "maxpool k=9x2 s=1x2 global_axes=1x0",
          before + "maxpool:pool k=3x2 s=2 p=1x0 ceil=1 return_indices=1"}},
        {"MaxPool1d", {before + "mean dim=2 keepdim=0 > maxpool1d kernel_size=3 stride=2 padding=1x1 ceil=1", before + "mean dim=3 keepdim=0 > maxpool1d kernel_size=2 stride=1 padding=1x0 dilation=2"}},
        {"MaxUnpool2d",
         {before + "maxpool:pool k=2 s=2 return_indices=1 > conv:mid k=3 p=1 c=4 > maxunpool2d k=2 s=2 @pool#1 @stem > conv k=3 p=1 c=2",
          before + "maxpool:pool k=3 s=2x3 p=1x0x0x1 return_indices=1 > conv:mid k=1x3 p=0x1 c=4 > maxunpool2d k=3 s=2x3 p=1x0x0x1 @pool#1 @stem"}},
        {"AvgPool1d", {before + "mean dim=2 keepdim=0 > avgpool1d kernel_size=4 stride=3 padding=1x2", before + "mean dim=3 keepdim=0 > avgpool1d kernel_size=3 stride=2 auto_pad=same_upper count_include_pad=0"}},
        {"AvgPool2d",
         {before + "avgpool k=3 s=2 p=1 ceil=1", before + "avgpool k=3x2 s=2x1 p=0x1x1x0 count_include_pad=0",
          before + "avgpool k=2 s=3 ceil=1", before + "avgpool k=3x2 s=2 auto_pad=same_upper count_include_pad=0",
          before + "avgpool k=2x21 s=1 global_axes=0x1"}},
        {"AdaptiveAvgPool2d",
         {before + "gap", before + "adaptiveavgpool2d output_size=3x4", before + "adaptiveavgpool2d output_size=12x7"}},
        {"AdaptiveMaxPool2d",
         {before + "adaptivemaxpool2d output_size=1x1", before + "adaptivemaxpool2d output_size=4x3"}},
        {"BatchNorm2d", {before + "bn"}},
        {"GroupNorm", {before + "groupnorm num_groups=2"}},
        {"InstanceNorm2d", {before + "instancenorm2d"}},
        {"LayerNorm", {before + "permute dims=0x2x3x1 > layernorm > permute dims=0x3x1x2 > conv k=3 c=2"}},
        {"LocalResponseNorm", {before + "localresponsenorm size=3"}},
        {"Softmax", {before + "softmax dim=1", before + "softmax dim=3", before + "softmax dim=1 flattened=1", before + "maxpool k=9x1 s=9x1 > softmax dim=2 flattened=1"}},
        {"LogSoftmax", {before + "logsoftmax dim=1"}},
        {"Dropout", {before + "dropout", before + "dropout mask=1"}},
        {"PReLU", {before + "prelu"}},
        {"Linear", {before + "permute dims=0x2x3x1 > linear c=5", before + "flatten > linear c=5"}},
        {"MatMul", {before + "permute:t dims=0x1x3x2; @stem > matmul @t"}},
        {"Concat",
         {before + "conv:a k=3 p=1 c=2; @stem > conv:b k=1 c=2; @a > concat @b @stem > conv k=2 c=2",
          before + "concat:tall dim=2 @stem > conv k=3 c=2"}},
        {"Split",
         {before + "split dim=1 chunks=2", before + "split dim=2 sections=3x4x2", before + "split dim=3 chunks=3"}},
        {"Flatten", {before + "flatten"}},
        {"Squeeze", {before + "gap > squeeze dim=2x3"}},
        {"Unsqueeze", {before + "unsqueeze dim=2"}},
        {"Permute",
         {before + "permute dims=0x1x3x2", before + "permute dims=0x3x1x2 > permute dims=0x2x3x1 > conv k=3 c=2"}},
        {"Slice",
         {before + "slice dim=2x3 start=2x3 end=9x19 step=1x2 > conv k=3 p=1 c=2",
          before + "slice dim=2x3 start=-1x15 end=-100x2 step=-2x-3 > conv k=3 p=1 c=2"}},
        {"Select", {before + "select dim=1 index=2"}},
        {"ZeroPad2d", {before + "zeropad2d padding=3x0x1x2 > conv k=3 c=2"}},
        {"ReflectionPad2d", {before + "reflectionpad2d padding=1x2x1x0 > conv k=5 c=2"}},
        {"ReplicationPad2d", {before + "replicationpad2d padding=1x2x0x1 > conv k=3 c=2"}},
        {"Upsample",
         {before + "upsample scale_factor=2x3", before + "upsample scale_factor=3x2 mode=bilinear > conv k=3 p=1 c=2",
          before + "upsample scale_factor=2 mode=bicubic", before + "upsample size=7x31 mode=bilinear",
          before + "upsample size=13x11", before + "upsample scale_factor=2x3 mode=bilinear coordinates=align_corners",
          before + "upsample scale_factor=3 mode=bilinear coordinates=asymmetric",
          before + "upsample size=17x41 mode=bilinear coordinates=align_corners > conv k=3 p=1 c=2", before + "upsample size=5x11 mode=bicubic coordinates=align_corners",
          before + "upsample scale_factor=5x7 scale_divisor=2x3 mode=bilinear coordinates=half_pixel_symmetric",
          before + "upsample size=13x9 coordinates=tf_half_pixel_for_nn nearest_mode=floor_of_coordinates", before + "upsample size=7x31 coordinates=half_pixel nearest_mode=round_prefer_ceil",
          before + "upsample size=7x31 coordinates=half_pixel nearest_mode=round_prefer_floor > conv k=2 c=2", before + "upsample size=6x13 coordinates=asymmetric nearest_mode=floor_or_ceil",
          before + "upsample size=13x8 coordinates=asymmetric nearest_mode=ceil", before + "upsample size=4x8 mode=bilinear antialias=1 > conv k=2 c=2",
          before + "upsample size=12x4 mode=bicubic antialias=1", before + "upsample size=12x12 aspect_policy=not_larger mode=bilinear"}},
        {"PixelShuffle", {before + "pixelshuffle upscale_factor=2 > conv k=3 p=1 c=2"}},
        {"DepthToSpace", {before + "depthtospace upscale_factor=2 > conv k=2 c=2"}},
        {"SpaceToDepth", {square + "spacetodepth downscale_factor=2 > conv k=2 c=2"}},
        {"ChannelShuffle", {before + "channelshuffle groups=2"}},
        {"Expand", {before + "gap > expand size=1x-1x5x6", before + "unsqueeze dim=1 > expand size=-1x3x4x-1x-1"}},
        {"Tile", {before + "tile repeats=1x3x1x1 > conv k=3 c=2"}},
        {"Mean", {before + "mean dim=2", before + "mean dim=1", before + "mean dim=2x3 keepdim=0"}},
        {"Sum", {before + "sum dim=3"}},
        {"Amax", {before + "amax dim=2x3"}},
        {"Amin", {before + "amin dim=1"}},
        {"Norm", {before + "norm dim=1"}},
        {"Add", {before + "conv:a k=3 p=1 c=4; @stem > conv:b k=3 p=2x0x0x2 c=4; @a > add @b @stem > conv k=2 c=2"}},
        {"Mul", {before + "gap > conv:gate k=1 c=4; @stem > mul @gate > conv k=3 c=2"}},
        {"Sub", {before + "conv:a k=3x1 p=1x0 c=4; @stem > sub @a"}},
        {"Div", {before + "conv:a k=1x3 p=0x1 c=4; @stem > div @a"}},
        {"Pow", {before + "conv:a k=1 c=4; @stem > pow @a"}},
        {"Maximum", {before + "conv:a k=3 p=1 c=4; @stem > maximum @a"}},
        {"Average", {before + "conv:a k=3x1 p=1x0 c=4; @stem > average @a"}},
        {"Mod", {before + "conv:a k=3 p=1 c=4; @stem > mod @a"}},
        {"Equal", {before + "conv:a k=3 p=1 c=4; @stem > equal @a"}},
        {"Greater", {before + "conv:a k=3 p=1 c=4; @stem > greater @a"}},
        {"GreaterOrEqual", {before + "conv:a k=3 p=1 c=4; @stem > greaterorequal @a"}},
        {"Less", {before + "conv:a k=3 p=1 c=4; @stem > less @a"}},
        {"LessOrEqual", {before + "conv:a k=3 p=1 c=4; @stem > lessorequal @a"}},
        {"And", {before + "conv:a k=3 p=1 c=4; @stem > and @a"}},
        {"Or", {before + "conv:a k=3 p=1 c=4; @stem > or @a"}},
        {"Xor", {before + "conv:a k=3 p=1 c=4; @stem > xor @a"}},
        {"Where", {before + "conv:a k=3 p=1 c=4; @stem > conv:b k=1x3 p=0x1 c=4; @stem > where @a @b > conv k=2 c=2"}},
        {"Not", {before + "not > conv k=3 c=2"}},
        {"IsNaN", {before + "isnan > conv k=3 c=2"}},
        {"IsInf", {before + "isinf > conv k=3 c=2"}},
        {"Cast", {before + "cast to=1 > conv k=3 c=2", before + "cast to=7 > cast to=1 > conv k=3 c=2"}},
        {"Affine", {before + "affine alpha=2 beta=0.5 > conv k=3 c=2"}},
        {"Asin", {before + "sigmoid > asin > conv k=3 c=2"}},
        {"Acos", {before + "sigmoid > acos > conv k=3 c=2"}},
        {"Atanh", {before + "sigmoid > affine alpha=0.9 > atanh > conv k=3 c=2"}},
        {"Acosh", {before + "sigmoid > affine alpha=2 beta=1 > acosh > conv k=3 c=2"}},  // at least 1
        {"L1Norm", {before + "l1norm dim=1"}},
        {"LogSum", {before + "sigmoid > logsum dim=2"}},
        {"LogSumExp", {before + "logsumexp dim=3"}},
        {"Prod", {before + "prod dim=1"}},
        {"SumSquare", {before + "sumsquare dim=1"}},
        {"ArgMax", {before + "argmax dim=1 > conv k=3 c=2", before + "argmax dim=2"}},
        {"ArgMin", {before + "argmin dim=1 keepdim=0"}},
        {"TopK", {before + "topk dim=1 k=2 > conv k=3 c=2", before + "topk dim=3 k=4"}},
        {"Hardmax", {before + "hardmax dim=1 > conv k=3 c=2"}},
        {"CumSum", {before + "cumsum dim=1 > conv k=3 c=2"}},
        {"Normalize", {before + "normalize dim=1 > conv k=3 c=2"}},
        {"Trilu", {before + "trilu diagonal=-40 > conv k=3 c=2"}},
        // A product with a matrix over channels, and with one over rows.
        {"Einsum",
         {before + "einsum equation=abcd,eb weight_at=1 weight_shape=5x4 > permute dims=0x3x1x2 > conv k=3 c=2",
          before + "einsum equation=abcd,ec weight_at=1 weight_shape=2x9"}},
        {"LPPool2d", {before + "lppool2d k=3 s=2 p=1", before + "lppool2d k=3x2 s=2x1 norm_type=1"}},
        {"IndexSelect",
         {before + "indexselect dim=1 index=3x1x0x2 > conv k=3 c=2", before + "indexselect dim=3 index=2x5x8 > conv k=2 c=2"}},
        {"Minimum", {before + "conv:a k=3 p=1 c=4; @stem > minimum @a"}},
    };
    return table;
}

bool isElementwise(const OpDef& op)
{
    if (op.torch.op == TorchOp::None) return false;
    return op.opClass == OpClass::Activation ||
           (op.opClass == OpClass::Math && op.attrs.empty() && op.minInputs == 1) || op.torch.op == TorchOp::Identity;
}

}  // namespace

std::vector<std::string> networksOf(const OpDef& op)
{
    if (const auto it = networks().find(op.kind); it != networks().end()) return it->second;
    if (isElementwise(op))
        return {"input 3x11x9 > conv:stem k=3x2 s=2x1 p=1 c=4 > " + std::string(op.kind) + ":it > conv k=3 p=1 c=2"};
    return {};
}

}  // namespace fovea::test
