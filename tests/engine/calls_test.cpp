#include "core/ops/registry.h"
#include "core/train/module.h"
#include "core/train/network.h"
#include "tests/support/text_graph.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstring>

// Calls that core/train makes of other pieces than PyTorch's own, against PyTorch's own.
namespace fovea {
namespace {

at::Tensor tensorOf(const Tensor& tensor)
{
    at::Tensor out = at::empty(tensor.dims, tensor.dtype == DType::Float64 ? at::kDouble : at::kFloat);
    std::memcpy(out.data_ptr(), tensor.bytes.data(), tensor.bytes.size());
    return out;
}

struct Ran {
    at::Tensor input, output;
    Weights weights;
    at::Tensor weight(const std::string& name) const { return tensorOf(*weights.find(name)); }
};

Ran runGraph(const Graph& graph)
{
    Ran ran;
    ran.weights = materialise(graph, {}, 5);
    const Module module(graph, ran.weights);
    const NamedTensors inputs = module.randomInputs(2);
    ran.input = tensorOf(inputs.begin()->second);
    ran.output = tensorOf(module.forward(inputs).begin()->second);
    return ran;
}

Ran runText(const std::string& text) { return runGraph(test::graphOf(text)); }

void expectEqual(const at::Tensor& a, const at::Tensor& b)
{
    ASSERT_EQ(a.sizes(), b.sizes());
    EXPECT_LT((a - b).abs().max().item<double>(), 1e-5 * std::max(1.0, b.abs().max().item<double>()));
}

TEST(Calls, InterpolationEqualsPyTorchs)
{
    const std::string image = "input 2x3x7x9 > ";
    for (const auto& [scale, h, w] : {std::tuple{"scale_factor=2x3", 14, 27}, std::tuple{"size=5x13", 5, 13}}) {
        const auto run = [&](const char* mode) { return runText(image + "upsample " + scale + " " + mode); };
        const std::vector<std::int64_t> to{h, w};
        Ran ran = run("mode=nearest");
        expectEqual(ran.output, at::upsample_nearest2d(ran.input, to));
        ran = run("mode=bilinear");
        expectEqual(ran.output, at::upsample_bilinear2d(ran.input, to, false));
        ran = run("mode=bilinear coordinates=align_corners");
        expectEqual(ran.output, at::upsample_bilinear2d(ran.input, to, true));
        ran = run("mode=bicubic");
        expectEqual(ran.output, at::upsample_bicubic2d(ran.input, to, false));
    }
}

TEST(Calls, PoolingsWithPaddingOfOneSideEqualPaddingFirst)
{
    Ran ran = runText("input 2x3x9x8 > maxpool k=3 s=2 p=2x0x0x1");
    expectEqual(ran.output, at::max_pool2d(at::constant_pad_nd(ran.input, {0, 1, 2, 0}, -1e30), {3, 3}, {2, 2}));
    ran = runText("input 2x3x9x8 > avgpool k=3 s=2 p=2x0x0x1");
    expectEqual(ran.output, at::avg_pool2d(at::constant_pad_nd(ran.input, {0, 1, 2, 0}), {3, 3}, {2, 2}));
    ran = runText("input 2x3x9x8 > avgpool k=3 s=2 p=1 ceil=1 count_include_pad=0");
    expectEqual(ran.output, at::avg_pool2d(ran.input, {3, 3}, {2, 2}, {1, 1}, true, false));
}

TEST(Calls, ConvolutionsWithPaddingOfOneSideEqualPaddingFirst)
{
    Ran ran = runText("input 2x4x9x8 > conv:c k=3x2 s=2 p=0x1x3x0 d=1x2 c=6 g=2");
    expectEqual(ran.output, at::conv2d(at::constant_pad_nd(ran.input, {1, 0, 0, 3}), ran.weight("c.weight"),
                                       ran.weight("c.bias"), {2, 2}, at::IntArrayRef{0, 0}, {1, 2}, 2));
    ran = runText("input 2x4x5x6 > convtranspose2d:c k=4x3 s=2 p=1x0x2x1 c=6 g=2");
    const at::Tensor whole =
        at::conv_transpose2d(ran.input, ran.weight("c.weight"), ran.weight("c.bias"), {2, 2}, {0, 0}, {0, 0}, 2);
    expectEqual(ran.output, at::constant_pad_nd(whole, {0, -1, -1, -2}));
}

TEST(Calls, LocalResponseNormEqualsItsDefinition)
{
    const Ran ran = runText("input 2x6x3x4 > localresponsenorm size=3 alpha=0.5 beta=0.6");
    at::Tensor energy = at::zeros_like(ran.input);
    for (std::int64_t c = 0; c < 6; ++c)
        for (std::int64_t k = std::max<std::int64_t>(c - 1, 0); k <= std::min<std::int64_t>(c + 1, 5); ++k)
            energy.select(1, c) += ran.input.select(1, k).square();
    expectEqual(ran.output, ran.input / at::pow(1 + 0.5 / 3 * energy, 0.6));
}

TEST(Calls, ShufflesMoveElementsAsPyTorchDoes)
{
    Ran ran = runText("input 2x8x3x5 > pixelshuffle upscale_factor=2");
    expectEqual(ran.output, at::pixel_shuffle(ran.input, 2));
    ran = runText("input 2x8x3x5 > channelshuffle groups=4");
    expectEqual(ran.output, at::channel_shuffle(ran.input, 4));
    // Depth to space with the channels in the other order, and back.
    ran = runText("input 2x8x3x5 > depthtospace upscale_factor=2 > spacetodepth downscale_factor=2");
    expectEqual(ran.output, ran.input);
}

Graph withInput(Ints shape, Node node)
{
    Graph graph;
    Node input = makeNode("Input", "input");
    input.attrs.set("shape", std::move(shape));
    node.inputs = {{graph.add(std::move(input)), 0}};
    node.name = "c";
    graph.setOutputs({{"out", {graph.add(std::move(node)), 0}}});
    return graph;
}

Node convolution(const char* kind, Ints kernel, Ints padding)
{
    Node node = makeNode(kind);
    node.attrs.set("kernel_size", std::move(kernel));
    node.attrs.set("padding", std::move(padding));
    node.attrs.set("in_channels", std::int64_t{4});
    node.attrs.set("out_channels", std::int64_t{6});
    return node;
}

TEST(Calls, OneAndThreeDimensionalLayersRun)
{
    Ran ran = runGraph(withInput({2, 4, 11}, convolution("Conv1d", {3}, {2, 0})));
    expectEqual(ran.output,
                at::conv1d(at::constant_pad_nd(ran.input, {2, 0}), ran.weight("c.weight"), ran.weight("c.bias")));
    ran = runGraph(withInput({2, 4, 5, 6, 7}, convolution("Conv3d", {3, 2, 1}, {1, 0, 0, 1, 0, 0})));
    expectEqual(ran.output, at::conv3d(ran.input, ran.weight("c.weight"), ran.weight("c.bias"), {1, 1, 1},
                                       at::IntArrayRef{1, 0, 0}));
    Node pool = makeNode("AvgPool3d");
    pool.attrs.set("kernel_size", Ints{3, 1, 1});
    pool.attrs.set("padding", Ints{1, 0, 0, 1, 0, 0});
    ran = runGraph(withInput({2, 1, 5, 6, 7}, pool));
    expectEqual(ran.output, at::avg_pool3d(ran.input, {3, 1, 1}, {1, 1, 1}, {1, 0, 0}));
}

TEST(Calls, AHeadRunsAtABatchOfItsOwn)
{
    const Graph graph =
        test::graphOf("input 1x3x8x8 > conv k=3 p=1 c=4 > gap > flatten > linear:fc c=5 > softmax dim=1");
    const Module module(graph, materialise(graph, {}, 1));
    const NamedTensors out =
        module.forward({{"input", Tensor::fromFloats({3, 3, 8, 8}, std::vector<float>(3 * 3 * 64, 0.5f))}});
    EXPECT_EQ(out.begin()->second.dims, (Ints{3, 5}));
    EXPECT_NEAR(tensorOf(out.begin()->second).sum().item<double>(), 3, 1e-5);
}

TEST(TorchErrors, SayWhatHappenedAndWhatToDo)
{
    const auto told = [](const char* words) { return translatedError(c10::Error({"f", "x.cpp", 1}, words)); };
    for (const char* words : {"CUDA out of memory. Tried to allocate 2.00 GiB (GPU 0; 23.65 GiB total capacity)",
                              "[enforce fail at alloc_cpu.cpp:66] . DefaultCPUAllocator: can't allocate memory: you tried to"}) {
        EXPECT_EQ(told(words).code(), ErrorCode::Limit);
        EXPECT_NE(told(words).message().find("a smaller batch"), std::string::npos);
    }
    for (const char* words : {"CUDA error: unspecified launch failure\nCUDA kernel errors might be",
                              "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED", "CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when"}) {
        EXPECT_EQ(told(words).code(), ErrorCode::Internal);
        EXPECT_NE(told(words).message().find("when it is resumed"), std::string::npos);
        EXPECT_EQ(told(words).message().find("might be"), std::string::npos);
    }
    EXPECT_EQ(told("mat1 and mat2 shapes cannot be multiplied").code(), ErrorCode::Usage);
}

}  // namespace
}  // namespace fovea
