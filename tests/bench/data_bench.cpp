// How many images a single core makes ready for the network: files in memory, so the disk is no part of it.
#include "core/data/decode.h"
#include "core/data/patterns.h"
#include "core/data/sample.h"

#include <benchmark/benchmark.h>

#include <cmath>
#include <memory>
#include <span>

#include <turbojpeg.h>

namespace fovea::bench {

namespace {

// A picture with smooth parts and detail, at the quality that photographs are kept in.
std::vector<std::byte> jpegOf(int height, int width)
{
    std::vector<unsigned char> pixels;
    RandomStream stream(1, {});
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x)
            for (int c = 0; c < 3; ++c) {
                const double wave =
                    std::sin(0.05 * x * (1 + c)) + std::cos(0.07 * y) + 0.5 * std::sin(0.9 * x + 0.6 * y);
                pixels.push_back(static_cast<unsigned char>(128 + 40 * wave + stream.uniform(-8, 8)));
            }
    unsigned char* data = nullptr;
    unsigned long size = 0;
    const tjhandle handle = tjInitCompress();
    tjCompress2(handle, pixels.data(), width, 0, height, TJPF_RGB, &data, &size, TJSAMP_420, 90, 0);
    const auto bytes = std::as_bytes(std::span(data, size));
    std::vector<std::byte> out(bytes.begin(), bytes.end());
    tjFree(data);
    tjDestroy(handle);
    return out;
}

class OneFile final : public Dataset {
public:
    OneFile(int height, int width) : m_bytes(jpegOf(height, width)) { m_classes = {"one"}; }
    std::int64_t size() const override { return 1 << 20; }
    int label(std::int64_t) const override { return 0; }
    std::string nameOf(std::int64_t) const override { return "made up"; }
    Image image(std::int64_t, std::int64_t leastSide) const override { return decodeImage(m_bytes, leastSide); }

private:
    std::vector<std::byte> m_bytes;
};

void samples(benchmark::State& state, const Dataset& data, const LoadOptions& options)
{
    const Sampler sampler(options);
    SampleScratch scratch;
    std::vector<float> out(sampler.elements());
    std::int64_t index = 0;
    for (auto _ : state) {
        sampler.write(data, index++ % data.size(), 0, scratch, out.data());
        benchmark::DoNotOptimize(out.data());
    }
    state.SetItemsProcessed(state.iterations());
}

// CIFAR's recipe on 64x64 JPEGs: padded, cut, mirrored.
void smallJpegs(benchmark::State& state)
{
    LoadOptions options{3, 64, 64};
    options.augmentation.hflip = 0.5;
    options.augmentation.pad = 8;
    samples(state, OneFile(64, 64), options);
}

// ImageNet's recipe.
void randomCrops(benchmark::State& state)
{
    LoadOptions options;
    options.augmentation = {0.5, {0.08, 1}, {0.75, 4.0 / 3}, 0};
    samples(state, OneFile(375, 500), options);
}

void evaluation(benchmark::State& state)
{
    LoadOptions options;
    options.preprocessing.resize = 256;
    samples(state, OneFile(375, 500), options);
}

void patterns(benchmark::State& state)
{
    PatternOptions options;
    options.size = 64;
    const DataParts parts = openPatterns(options);
    std::int64_t index = 0;
    for (auto _ : state) benchmark::DoNotOptimize(parts.train->image(index++ % parts.train->size(), 0));
    state.SetItemsProcessed(state.iterations());
}

BENCHMARK(smallJpegs)->Name("data/jpeg_64");
BENCHMARK(randomCrops)->Name("data/crops_224");
BENCHMARK(evaluation)->Name("data/evaluation_224");
BENCHMARK(patterns)->Name("data/patterns_64");

}  // namespace

}  // namespace fovea::bench
