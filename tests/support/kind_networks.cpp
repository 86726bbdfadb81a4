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
          before + "conv k=3 p=4 d=2 c=2"}},
        {"ConvTranspose2d",
         {before + "convtranspose2d k=4x3 s=2x3 p=1x0x1x0 c=4 output_padding=1x2",
          before + "convtranspose2d k=2x3 s=3x2 c=4 p=0x1x0x0", before + "convtranspose2d k=3x2 s=2x1 d=2x3 c=4 p=1",
          before + "convtranspose2d k=1x2 s=3x4 c=4 > conv k=2 c=2"}},
        {"MaxPool2d",
         {before + "maxpool k=3 s=2 p=1 ceil=1", before + "maxpool k=3x2 s=2x1 p=0x1x1x0 d=2x1",
          before + "maxpool k=2 s=1 p=2x0x0x2"}},
        {"AvgPool2d",
         {before + "avgpool k=3 s=2 p=1 ceil=1", before + "avgpool k=3x2 s=2x1 p=0x1x1x0 count_include_pad=0",
          before + "avgpool k=2 s=3 ceil=1"}},
        {"AdaptiveAvgPool2d",
         {before + "gap", before + "adaptiveavgpool2d output_size=3x4", before + "adaptiveavgpool2d output_size=12x7"}},
        {"AdaptiveMaxPool2d",
         {before + "adaptivemaxpool2d output_size=1x1", before + "adaptivemaxpool2d output_size=4x3"}},
        {"BatchNorm2d", {before + "bn"}},
        {"GroupNorm", {before + "groupnorm num_groups=2"}},
        {"InstanceNorm2d", {before + "instancenorm2d"}},
        {"LayerNorm", {before + "permute dims=0x2x3x1 > layernorm > permute dims=0x3x1x2 > conv k=3 c=2"}},
        {"LocalResponseNorm", {before + "localresponsenorm size=3"}},
        {"Softmax", {before + "softmax dim=1", before + "softmax dim=3"}},
        {"LogSoftmax", {before + "logsoftmax dim=1"}},
        {"Dropout", {before + "dropout"}},
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
        {"Slice", {before + "slice dim=2x3 start=2x3 end=9x19 step=1x2 > conv k=3 p=1 c=2"}},
        {"Select", {before + "select dim=1 index=2"}},
        {"ZeroPad2d", {before + "zeropad2d padding=3x0x1x2 > conv k=3 c=2"}},
        {"ReflectionPad2d", {before + "reflectionpad2d padding=1x2x1x0 > conv k=5 c=2"}},
        {"ReplicationPad2d", {before + "replicationpad2d padding=1x2x0x1 > conv k=3 c=2"}},
        {"Upsample",
         {before + "upsample scale_factor=2x3", before + "upsample scale_factor=3x2 mode=bilinear > conv k=3 p=1 c=2",
          before + "upsample scale_factor=2 mode=bicubic", before + "upsample size=7x31 mode=bilinear",
          before + "upsample size=13x11", before + "upsample scale_factor=2x3 mode=bilinear coordinates=align_corners",
          before + "upsample scale_factor=3 mode=bilinear coordinates=asymmetric"}},
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
        {"Minimum", {before + "conv:a k=3 p=1 c=4; @stem > minimum @a"}},
    };
    return table;
}

bool isElementwise(const OpDef& op)
{
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
