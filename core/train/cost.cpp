#include "core/train/cost.h"

#include "core/base/random.h"
#include "core/train/device.h"
#include "core/train/learner.h"
#include "core/train/purposes.h"
#include "core/train/scores.h"

#include <algorithm>
#include <fstream>

namespace fovea {

namespace {

constexpr std::int64_t kMaxBatch = 65536, kMaxRepeats = 1000;

// The kernel's high-water mark starts anew; where that is not allowed, it stays what it was.
void forgetPeak() { std::ofstream("/proc/self/clear_refs") << "5"; }

at::Tensor noise(const LoadOptions& shape, std::int64_t batch, const at::Device& device)
{
    at::manual_seed(0);
    return at::randn({batch, shape.channels, shape.height, shape.width}, at::kFloat).to(device);
}

}  // namespace

CostReply measureCost(const TrainStart& start, const CostRequest& request, const JobWatch& watch)
{
    if (request.batch < 1 || request.batch > kMaxBatch || request.repeats < 1 || request.repeats > kMaxRepeats)
        throw Error(ErrorCode::Usage, "A batch has from 1 to 65536 images, and is repeated from 1 to 1000 times.");
    Learner learner(start.graph, start.weights, Recipe{}, start.device);
    ClassifyingNetwork& classifier = learner.classifier();
    const at::Device device = classifier.network().device;
    CostReply reply;
    reply.device = start.device;
    return translated("measuring", [&] {
        forgetPeak();
        const std::int64_t before = memoryInUse(start.device);
        const at::Tensor images = noise(classifier.loadOptions(), request.batch, device);
        const at::Tensor labels = at::arange(request.batch, at::kLong).remainder(classifier.classes()).to(device);
        const auto once = [&](std::int64_t step) {
            const double began = secondsNow();
            double read = 0;
            if (request.training) {
                read = learner.step(images, labels, step, 1e-3).item<double>();
            } else {
                const at::NoGradGuard noGradients;
                classifier.setTraining(false);
                read = classifier.logits(images).sum().item<double>();  // waits for a GPU
            }
            return std::pair(secondsNow() - began, read);
        };
        Progress progress;
        progress.phase = "measuring the cost";
        progress.total = request.repeats + 1;
        ProgressTeller teller(watch, progress, start.device);
        for (std::int64_t i = 0; i <= request.repeats; ++i) {
            if (watch.stop()) throw Error(ErrorCode::Usage, "The measurement was stopped.");
            const double seconds = once(i).first;
            if (i > 0) reply.seconds.push_back(seconds);
            teller.advance(request.batch);
        }
        reply.memory = std::max<std::int64_t>(memoryInUse(start.device) - before, 0);
        std::vector<double> sorted = reply.seconds;
        std::sort(sorted.begin(), sorted.end());
        reply.median = sorted[sorted.size() / 2];
        return reply;
    });
}

}  // namespace fovea
