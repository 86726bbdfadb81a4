#include "core/train/cost.h"

#include "core/ops/classifier.h"
#include "core/train/device.h"
#include "core/train/learner.h"
#include "core/train/scores.h"
#include "core/train/tensor_memory.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <functional>

namespace fovea {

namespace {

constexpr std::int64_t kMaxBatch = 65536, kMaxRepeats = 1000;

// One step; what it returns has waited for a GPU.
using Once = std::function<double(std::int64_t step)>;

// Random values for every input that the values need: the first dimension is the batch.
std::map<std::string, at::Tensor> noiseFor(const Network& network, const std::vector<std::size_t>& wanted, std::int64_t batch)
{
    at::manual_seed(0);
    std::map<std::string, at::Tensor> out;
    const std::vector<bool> needed = network.stepsBefore(wanted);
    for (std::size_t i = 0; i < network.steps.size(); ++i) {
        const auto& entry = network.prepared.entries[i];
        if (!needed[i] || entry.op->opClass != OpClass::Input) continue;
        const Shape& shape = network.values[entry.firstOutput].shape;
        std::vector<std::int64_t> dims(shape.dims().begin(), shape.dims().end());
        if (dims.size() > 1) dims[0] = batch;
        if (!shape.hasRank() || std::any_of(dims.begin(), dims.end(), [](std::int64_t dim) { return dim < 1; }))
            throw Error(ErrorCode::Usage, "Input '" + entry.node->name + "' has no fixed size; say which with --size.");
        out[entry.node->name] = at::randn(dims, at::kFloat).to(network.device, network.type);
    }
    return out;
}

std::vector<std::size_t> outputsOf(const Network& network)
{
    std::vector<std::size_t> out;
    for (const GraphOutput& output : network.graph.outputs()) out.push_back(network.valueOf(output.port, output.name));
    return out;
}

// The step that training takes, with its loss.
Once classifyingStep(const TrainStart& start, std::int64_t batch)
{
    auto learner = std::make_shared<Learner>(start.graph, start.weights, Recipe{}, start.device);
    ClassifyingNetwork& classifier = learner->classifier();
    const at::Device device = classifier.network().device;
    const LoadOptions shape = classifier.loadOptions();
    at::manual_seed(0);
    const at::Tensor images = at::randn({batch, shape.channels, shape.height, shape.width}, at::kFloat).to(device);
    const at::Tensor labels = at::arange(batch, at::kLong).remainder(classifier.classes()).to(device);
    return [=](std::int64_t step) { return learner->step(images, labels, step, 1e-3).item<double>(); };
}

// The mean square of all outputs stands for the loss of a detector or a segmenter: it leads back to every weight, and
// a loss costs little beside the network.
Once anyTrainingStep(const TrainStart& start, std::int64_t batch)
{
    const Recipe recipe;
    auto network = std::make_shared<Network>(start.graph, start.weights, ModuleOptions{.device = start.device});
    for (Network::Step& step : network->steps) step.training = true;
    auto optimiser = std::make_shared<Optimiser>(recipe, trainedTensors(*network, recipe, {}));
    const std::vector<std::size_t> wanted = outputsOf(*network);
    const auto inputs = noiseFor(*network, wanted, batch);
    return [=](std::int64_t) {
        std::vector<at::Tensor> made;
        optimiser->clearGradients();
        network->run(wanted, inputs, made);
        at::Tensor loss;
        for (const std::size_t value : wanted)
            if (const at::Tensor& output = made[value]; output.requires_grad() && output.numel() > 0) {
                const at::Tensor part = output.to(at::kFloat).square().mean();
                loss = loss.defined() ? loss + part : part;
            }
        if (!loss.defined())
            throw Error(ErrorCode::Usage, "No output of the network leads back to its weights, so it cannot be trained.");
        loss.backward();
        optimiser->step(1e-3);
        return loss.item<double>();
    };
}

bool isClassifier(const Graph& graph)
{
    try {
        classifierIn(graph);
        return true;
    } catch (const Error&) {
        return false;
    }
}

Once trainingStep(const TrainStart& start, std::int64_t batch)
{
    return isClassifier(start.graph) ? classifyingStep(start, batch) : anyTrainingStep(start, batch);
}

// Of all outputs, whatever they are.
Once inferenceStep(const TrainStart& start, std::int64_t batch)
{
    auto network = std::make_shared<Network>(start.graph, start.weights, ModuleOptions{.device = start.device});
    const std::vector<std::size_t> wanted = outputsOf(*network);
    const auto inputs = noiseFor(*network, wanted, batch);
    return [=](std::int64_t) {
        const c10::NoGradGuard noGradients;
        std::vector<at::Tensor> made;
        network->run(wanted, inputs, made);
        double sum = 0;
        for (const std::size_t value : wanted) sum += made[value].sum().item<double>();
        return sum;
    };
}

// A file that was written for one batch size fails in its first step at another.
double firstStep(const Once& step, std::int64_t batch)
{
    try {
        return step(0);
    } catch (const Error& error) {
        if (batch == 1 || error.code() != ErrorCode::Usage) throw;
        throw Error(error.code(), std::string(error.what()) + " If the network was made for one image at a time, measure it with a batch of 1.");
    }
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
            if (i == 0) firstStep(step, request.batch);
            else step(i);
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
