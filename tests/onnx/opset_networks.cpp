#include "tests/onnx/opset_networks.h"

#include "core/ops/registry.h"
#include "tests/support/kind_networks.h"
#include "tests/support/text_graph.h"

#include <map>

namespace fovea::test {

namespace {

const std::map<std::string, std::vector<std::string>>& further()
{
    static const std::string before = "input 3x18x22 > conv:stem k=3 p=1 c=8 > ";
    static const std::map<std::string, std::vector<std::string>> table = {
        {"MaxPool2d",
         {before + "maxpool k=3 s=2 p=1 d=2", before + "maxpool k=3x2 s=2x1 p=0x1x1x0 d=2x3 ceil=1",
          before + "maxpool k=2 s=3 ceil=1", before + "maxpool k=2 s=2 ceil=1", before + "maxpool k=3 s=2 p=1 ceil=1"}},
        {"AvgPool2d",
         {before + "avgpool k=3 s=2 p=1 ceil=1 count_include_pad=0", before + "avgpool k=2 s=3 ceil=1",
          before + "avgpool k=3 s=2 p=1 count_include_pad=1", before + "avgpool k=3 s=2 ceil=1",
          before + "avgpool k=3x4 s=2x3 p=1x0x0x1 ceil=1"}},
        {"AvgPool3d", {before + "unsqueeze dim=1 > avgpool3d kernel_size=3x1x1 padding=1x0x0x1x0x0"}},
        {"Conv1d", {before + "mean dim=3 keepdim=0 > conv1d kernel_size=3 stride=2 padding=1x0 dilation=1 c=5 in_channels=8"}},
        {"Conv3d",
         {before + "unsqueeze dim=2 > conv3d kernel_size=1x3x2 stride=1x2x1 padding=0x1x0x0x1x1 dilation=1x1x2 c=4 in_channels=8"}},
        {"AdaptiveAvgPool2d", {before + "gap keepdim=0 > linear c=3", before + "adaptiveavgpool2d output_size=5x7"}},
        {"LayerNorm", {before + "permute dims=0x2x3x1 > layernorm elementwise_affine=0", before + "layernorm axis=1"}},
        {"GroupNorm", {before + "mean dim=3 keepdim=0 > groupnorm num_groups=4"}},
        {"Softmax", {before + "softmax dim=-2", before + "softmax dim=-1", before + "gap > softmax dim=1"}},
        {"LogSoftmax", {before + "logsoftmax dim=2", before + "logsoftmax dim=-1"}},
        {"CELU", {before + "celu alpha=0.4", before + "celu alpha=1"}},
        {"Threshold", {before + "threshold threshold=0.1", before + "threshold threshold=-0.2"}},
        {"Sign", {before + "sub scalar=0.1 > sign"}},
        {"Round", {before + "mul scalar=8 > round"}},
        {"Linear", {before + "gap > flatten > linear c=5 bias=0", before + "permute dims=0x2x3x1 > linear c=5 bias=0"}},
        {"Concat", {before + "conv:a k=1 c=2; @stem > concat dim=-3 @a"}},
        {"Split", {before + "split dim=-3 sections=3x5", before + "split dim=-2 chunks=2", before + "split dim=0 chunks=1"}},
        {"Flatten", {before + "flatten start_dim=2", before + "flatten start_dim=0"}},
        {"Reshape",
         {before + "reshape shape=-10x2x4x-1", before + "reshape shape=-10x-21x-33", before + "reshape shape=-10x-33x-21",
          before + "reshape shape=-22x-10x-1", before + "reshape shape=-10x-21x-32x-43"}},
        {"Unsqueeze", {before + "unsqueeze dim=0x3"}},
        {"Slice",
         {before + "slice dim=1 start=1 end=7 step=2", before + "slice dim=2x3 start=-9x1 end=-1x100 step=3x2",
          before + "slice dim=-1 start=2 end=-2 step=1", before + "conv:b k=3 p=0 c=4; @stem > slice @b dim=2x3 start=0x0 end=1x1 step=1x1",
          before + "slice dim=1x2 start=0x0 end=8x18 step=3x1"}},
        {"Select", {before + "select dim=1 index=-2", before + "select dim=-1 index=3"}},
        {"ZeroPad2d", {before + "zeropad2d padding=1x2x0x1 value=-0.5", before + "zeropad2d padding=-2x1x0x-1"}},
        {"Upsample",
         {before + "avgpool k=2 s=2 > upsample @stem", before + "avgpool k=3 s=3 > upsample @stem mode=bilinear",
          before + "upsample scale_factor=3x2 scale_divisor=2x1 mode=bilinear",
          before + "upsample scale_factor=3 scale_divisor=2 mode=nearest",
          before + "upsample scale_factor=1 scale_divisor=2 mode=bilinear coordinates=asymmetric",
          before + "upsample scale_factor=2 mode=bicubic coordinates=align_corners"}},
        {"Mean", {before + "mean dim=-1 keepdim=0", before + "mean dim=2x3 keepdim=0"}},
        {"Sum", {before + "sum dim=-2x-1", before + "sum dim=1 keepdim=0"}},
        {"Amax", {before + "amax dim=-1 keepdim=0"}},
        {"Amin", {before + "amin dim=1x2 keepdim=0"}},
        {"Norm", {before + "norm dim=-3 keepdim=0"}},
        {"Add", {before + "add scalar=0.5", before + "add"}},
        {"Mul", {before + "mul scalar=-2"}},
        {"Sub", {before + "sub scalar=0.25 scalar_first=1"}},
        {"Div", {before + "div scalar=3"}},
        {"Pow", {before + "abs > pow scalar=1.5"}},
        {"Maximum", {before + "maximum scalar=0.1", before + "gap:m; @stem > conv:c k=1 c=8; @stem > maximum @m @c"}},
        {"Minimum", {before + "minimum scalar=0", before + "gap:m; @stem > minimum @m"}},
        {"Constant", {"constant:c shape=8x1x1; " + before + "add @c"}},
    };
    return table;
}

// All that the last layers give, so that each part of a split is compared.
void giveAllOutputs(Graph& graph)
{
    std::vector<GraphOutput> outputs;
    for (const GraphOutput& output : graph.outputs()) {
        const Node& node = graph.at(output.port.node);
        for (int i = 0; i < opFor(node.kind).outputCount(node); ++i)
            outputs.push_back({i == 0 ? output.name : output.name + "_" + std::to_string(i), {node.id, i}});
    }
    graph.setOutputs(std::move(outputs));
}

}  // namespace

std::vector<OpsetNetwork> opsetNetworksOf(const OpDef& op)
{
    std::vector<std::string> texts = networksOf(op);
    if (const auto it = further().find(op.kind); it != further().end())
        texts.insert(texts.end(), it->second.begin(), it->second.end());
    std::vector<OpsetNetwork> out;
    for (const std::string& text : texts) {
        Graph graph = graphOf(text);
        graph.setName(text);
        giveAllOutputs(graph);
        out.push_back({std::string(op.kind) + "_" + std::to_string(out.size()), std::move(graph)});
    }
    return out;
}

}  // namespace fovea::test
