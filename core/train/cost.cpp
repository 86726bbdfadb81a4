#include "core/train/cost.h"

#include "core/base/random.h"
#include "core/train/device.h"
#include "core/train/learner.h"
#include "core/train/purposes.h"
#include "core/train/scores.h"
#include "core/train/tensor_memory.h"

#include <algorithm>
#include <functional>

namespace fovea {

namespace {

constexpr std::int64_t kMaxBatch = 65536, kMaxRepeats = 1000;

// One step; what it returns has waited for a GPU.
using Once = std::function<double(std::int64_t step)>;

at::Tensor noise(const LoadOptions& shape, std::int64_t batch, const at::Device& device)
{
    at::manual_seed(0);
    return at::randn({batch, shape.channels, shape.height, shape.width}, at::kFloat).to(device);
}

Once trainingStep(const TrainStart& start, std::int64_t batch)
{
    auto learner = std::make_shared<Learner>(start.graph, start.weights, Recipe{}, start.device);
    ClassifyingNetwork& classifier = learner->classifier();
    const at::Device device = classifier.network().device;
    const at::Tensor images = noise(classifier.loadOptions(), batch, device);
    const at::Tensor labels = at::arange(batch, at::kLong).remainder(classifier.classes()).to(device);
    return [=](std::int64_t step) { return learner->step(images, labels, step, 1e-3).item<double>(); };
}

// Of all outputs, whatever they are.
Once inferenceStep(const TrainStart& start, std::int64_t batch)
{
    auto network = std::make_shared<Network>(start.graph, start.weights, ModuleOptions{.device = start.device});
    std::vector<std::size_t> wanted;
    for (const GraphOutput& output : network->graph.outputs())
        wanted.push_back(network->valueOf(output.port, output.name));
    const at::Tensor images = noise(loadOptionsOf(*network), batch, network->device);
    return [=](std::int64_t) {
        const at::NoGradGuard noGradients;
        std::vector<at::Tensor> made;
        network->run(wanted, {{network->imageName(), images}}, made);
        double sum = 0;
        for (const std::size_t value : wanted) sum += made[value].sum().item<double>();
        return sum;
    };
}

}  // namespace

CostReply measureCost(const TrainStart& start, const CostRequest& request, const JobWatch& watch)
{
    if (request.batch < 1 || request.batch > kMaxBatch || request.repeats < 1 || request.repeats > kMaxRepeats)
        throw Error(ErrorCode::Usage, "A batch has from 1 to 65536 images, and is repeated from 1 to 1000 times.");
    CostReply reply;
    reply.device = start.device;
    return translated("measuring", [&] {
        const TensorMemory memory(start.device);
        const Once step = request.training ? trainingStep(start, request.batch) : inferenceStep(start, request.batch);
        Progress progress;
        progress.phase = "measuring the cost";
        progress.total = request.repeats + 1;
        ProgressTeller teller(watch, progress, start.device);
        for (std::int64_t i = 0; i <= request.repeats; ++i) {
            if (watch.stop()) throw Error(ErrorCode::Usage, "The measurement was stopped.");
            const double began = secondsNow();
            step(i);
            if (i > 0) reply.seconds.push_back(secondsNow() - began);
            teller.advance(request.batch);
        }
        reply.memory = memory.peak();
        std::vector<double> sorted = reply.seconds;
        std::sort(sorted.begin(), sorted.end());
        reply.median = sorted[sorted.size() / 2];
        return reply;
    });
}

}  // namespace fovea
