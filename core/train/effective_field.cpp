#include "core/train/effective_field.h"

#include "core/base/random.h"
#include "core/io/safetensors/safetensors.h"
#include "core/train/purposes.h"
#include "core/train/scores.h"
#include "core/train/tensors.h"

#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <numbers>

namespace fovea {

namespace {

constexpr std::int64_t kNoiseImages = 20;  // as Luo et al. average over

Batch noise(const LoadOptions& options, std::uint64_t seed, std::int64_t index)
{
    RandomStream stream(seed, {kNoisePurpose, static_cast<std::uint64_t>(index)});
    std::vector<float> values(static_cast<std::size_t>(options.channels * options.height * options.width));
    for (float& value : values) value = static_cast<float>(stream.normal());
    Batch out;
    out.images = Tensor::fromFloats({1, options.channels, options.height, options.width}, std::move(values));
    return out;
}

at::Tensor gradientOf(const Network& network, const std::string& layer, std::size_t value,
                      const std::array<std::int64_t, 2>& unit, const Batch& batch)
{
    at::Tensor image = toTorch(batch.images, network.type, network.device, "images").set_requires_grad(true);
    std::vector<at::Tensor> made;
    network.run({value}, {{network.imageName(), network.inOrderOf(network.imageName(), image)}}, made);
    const at::Tensor sum = unitSum({layer, unit[0], unit[1]}, network.values[value].layout, made[value]);
    if (!sum.requires_grad()) return at::zeros({image.size(2), image.size(3)}, at::kDouble);
    const auto gradients = torch::autograd::grad({sum}, {image}, {}, false, false, true);
    if (!gradients[0].defined()) return at::zeros({image.size(2), image.size(3)}, at::kDouble);
    return gradients[0].to(at::kCPU, at::kDouble).abs().sum(at::IntArrayRef{0, 1});
}

std::array<std::int64_t, 2> unitFor(const EffectiveRequest& request, const Value& value)
{
    const std::array<std::int64_t, 2> size{std::max<std::int64_t>(value.height(), 1),
                                           std::max<std::int64_t>(value.width(), 1)};
    if (!request.unit) return {size[0] / 2, size[1] / 2};
    for (int axis = 0; axis < 2; ++axis)
        if ((*request.unit)[axis] < 0 || (*request.unit)[axis] >= size[axis])
            throw Error(ErrorCode::Usage, "Layer '" + request.layer + "' has a map of " + std::to_string(size[0]) +
                                              " x " + std::to_string(size[1]) + ", so there is no unit at " +
                                              std::to_string((*request.unit)[0]) + "," +
                                              std::to_string((*request.unit)[1]) + ".");
    return *request.unit;
}

}  // namespace

EffectiveReply measureField(const Tensor& image, double threshold)
{
    EffectiveReply out;
    const std::int64_t height = image.dims.at(0), width = image.dims.at(1);
    out.size = {height, width};
    double most = 0, mass = 0, meanY = 0, meanX = 0;
    const auto forEach = [&](auto body) {
        for (std::int64_t y = 0; y < height; ++y)
            for (std::int64_t x = 0; x < width; ++x) body(y, x, image.real(y * width + x));
    };
    forEach([&](std::int64_t y, std::int64_t x, double value) {
        most = std::max(most, value);
        mass += value;
        meanY += value * static_cast<double>(y);
        meanX += value * static_cast<double>(x);
    });
    if (!(mass > 0)) return out;
    meanY /= mass;
    meanX /= mass;
    double variance = 0;
    forEach([&](std::int64_t y, std::int64_t x, double value) {
        const double dy = static_cast<double>(y) - meanY, dx = static_cast<double>(x) - meanX;
        variance += value * (dy * dy + dx * dx) / 2;
        if (!(value > threshold * most)) return;
        ++out.area;
        if (!out.box) out.box = {y, x, y + 1, x + 1};
        auto& box = *out.box;
        box = {box[0], std::min(box[1], x), y + 1, std::max(box[3], x + 1)};
    });
    out.sigma = std::sqrt(variance / mass);
    out.diameter = 2 * std::sqrt(static_cast<double>(out.area) / std::numbers::pi);
    return out;
}

EffectiveReply effectiveField(const TrainStart& start, const EffectiveRequest& request, const JobWatch& watch)
{
    if (!(request.threshold >= 0 && request.threshold < 1))
        throw Error(ErrorCode::Usage, "The threshold is a share of the largest value: at least 0 and below 1.");
    std::optional<DataParts> parts;
    if (!request.data.source.empty()) parts = openFor(request.data);
    Network network(parts ? withPreprocessing(start.graph, *parts, watch) : start.graph, start.weights,
                    {.device = start.device});
    for (Network::Step& step : network.steps) step.training = request.trainMode;
    const std::size_t value = network.entryNamed(request.layer).firstOutput;
    const auto unit = unitFor(request, network.values[value]);
    LoadOptions options = loadOptionsOf(network);
    options.workers = workersOf(request.data);
    const auto seed = static_cast<std::uint64_t>(request.seed);
    const std::int64_t count = request.data.images > 0 ? request.data.images : kNoiseImages;
    std::unique_ptr<Loader> loader;
    if (parts) {
        options.batch =
            request.trainMode ? std::min<std::int64_t>(std::max<std::int64_t>(request.data.batch, 2), count) : 1;
        loader = std::make_unique<Loader>(
            partOf(*parts, request.data.part, count, static_cast<std::uint64_t>(request.data.splitSeed)), options);
        loader->start(0);
    }
    Progress progress;
    progress.phase = "measuring the field";
    progress.total = loader ? loader->batchesPerEpoch() : count;
    ProgressTeller teller(watch, progress, start.device);
    at::Tensor total = at::zeros({options.height, options.width}, at::kDouble);
    std::int64_t images = 0;
    for (std::int64_t i = 0; i < progress.total; ++i) {
        if (watch.stop()) throw Error(ErrorCode::Usage, "The measurement was stopped.");
        std::optional<Batch> batch = loader ? loader->next() : std::optional(noise(options, seed, i));
        if (!batch) break;
        at::manual_seed(RandomStream(seed, {kDropPurpose, static_cast<std::uint64_t>(i)}).next());
        total += translated("gradient of '" + request.layer + "'",
                            [&] { return gradientOf(network, request.layer, value, unit, *batch); });
        images += batch->images.dims[0];
        teller.advance(batch->images.dims[0]);
    }
    const Tensor field = fromTorch(total / static_cast<double>(std::max<std::int64_t>(images, 1)));
    EffectiveReply reply = measureField(field, request.threshold);
    reply.unit = unit;
    reply.images = images;
    if (loader) addBroken(reply.broken, *loader);
    if (!request.image.empty()) {
        Weights written;
        written.set("field", field);
        writeSafetensors(written, request.image);
    }
    return reply;
}

}  // namespace fovea
