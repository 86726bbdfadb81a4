#include "core/train/probe.h"

#include "core/base/checked.h"
#include "core/ops/classifier.h"
#include "core/train/optimiser.h"
#include "core/train/scores.h"

#include <c10/core/GradMode.h>

#include <algorithm>

namespace fovea {

namespace {

// Rows of features for each probed step, and the images' labels.
struct Features {
    std::map<std::size_t, std::vector<at::Tensor>> rows;
    std::vector<at::Tensor> labels;
};

bool isProbed(OpClass c) { return hasKernel(c) || c == OpClass::Pooling; }

std::vector<std::size_t> stepsFor(const Network& network, const std::vector<std::string>& layers)
{
    std::vector<std::size_t> out;
    if (layers.empty())
        for (std::size_t i = 0; i < network.steps.size(); ++i)
            if (isProbed(network.prepared.entries[i].op->opClass)) out.push_back(i);
    for (const std::string& layer : layers) out.push_back(network.indexOf(network.entryNamed(layer)));
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    if (out.empty()) throw Error(ErrorCode::Usage, "The network has no layer to probe.");
    return out;
}

// Numbers that a step gives for one image once they are pooled.
std::int64_t featuresOf(const Network& network, std::size_t step)
{
    const Value& value = network.values[network.prepared.entries[step].firstOutput];
    std::int64_t out = 1;
    for (int i = 1; i < value.shape.rank(); ++i)
        if (i != value.layout.h && i != value.layout.w)
            out = saturatingMul(out, std::max<std::int64_t>(value.shape[i], 1));
    return out;
}

// Steps whose features are kept at once: the images are gone through once for each group.
std::vector<std::vector<std::size_t>> groupsOf(const Network& network, const std::vector<std::size_t>& steps,
                                               std::int64_t images, std::int64_t most)
{
    std::vector<std::vector<std::size_t>> out;
    std::int64_t bytes = most;
    for (const std::size_t step : steps) {
        const std::int64_t own = saturatingMul(saturatingMul(featuresOf(network, step), images), sizeof(float));
        if (bytes = saturatingAdd(bytes, own); bytes > most || out.empty()) {
            out.emplace_back();
            bytes = own;
        }
        out.back().push_back(step);
    }
    return out;
}

// [n, features]: the mean over height and width; what has no map is taken as it is.
at::Tensor pooled(const at::Tensor& output, const Layout& layout)
{
    std::vector<std::int64_t> axes;
    for (const int axis : {int(layout.h), int(layout.w)})
        if (axis > 0 && axis < output.dim() && std::find(axes.begin(), axes.end(), axis) == axes.end())
            axes.push_back(axis);
    const at::Tensor mean = axes.empty() ? output : output.mean(axes);
    return mean.reshape({mean.size(0), -1}).to(at::kFloat);
}

bool collect(ClassifyingNetwork& classifier, const std::vector<std::size_t>& steps, Loader& loader,
             const std::string& phase, const JobWatch& watch, Features& out)
{
    const c10::NoGradGuard noGradients;
    const Network& network = classifier.network();
    classifier.setTraining(false);
    std::vector<std::size_t> wanted;
    for (const std::size_t step : steps) wanted.push_back(network.prepared.entries[step].firstOutput);
    Progress progress;
    progress.phase = phase;
    progress.total = loader.batchesPerEpoch();
    ProgressTeller teller(watch, progress, network.options.device);
    loader.start(0);
    while (const auto batch = loader.next()) {
        if (watch.stop()) return false;
        translated("probing", [&] {
            std::vector<at::Tensor> made;
            network.run(wanted, {{network.imageName(), network.inOrderOf(network.imageName(), classifier.images(*batch))}}, made,
                        [&](std::size_t step, const std::vector<at::Tensor>& outputs) {
                            if (!std::binary_search(steps.begin(), steps.end(), step)) return;
                            const Layout& layout = network.values[network.prepared.entries[step].firstOutput].layout;
                            out.rows[step].push_back(pooled(outputs[0], layout));
                        });
            out.labels.push_back(classifier.labels(*batch));
        });
        teller.advance(static_cast<std::int64_t>(batch->labels.size()));
    }
    return true;
}

double accuracy(const at::Tensor& scores, const at::Tensor& labels)
{
    return scores.argmax(1).eq(labels).to(at::kDouble).mean().item<double>();
}

// Full-batch AdamW: convex, so the seed plays no part and few steps do.
ProbeRow fitted(const at::Tensor& train, const at::Tensor& trainLabels, const at::Tensor& validation,
                const at::Tensor& validationLabels, std::int64_t classes)
{
    constexpr int kSteps = 200;
    constexpr double kRate = 0.05;
    const at::Tensor mean = train.mean(0, true), deviation = train.std(0, false, true).clamp_min(1e-6);
    const auto scaled = [&](const at::Tensor& rows) { return (rows - mean) / deviation; };
    const at::Tensor rows = scaled(train);
    at::Tensor weight = at::zeros({classes, train.size(1)}, train.options()).set_requires_grad(true);
    at::Tensor bias = at::zeros({classes}, train.options()).set_requires_grad(true);
    Recipe recipe;
    recipe.opt = "adamw";
    recipe.weightDecay = 1e-3;
    Optimiser optimiser(recipe, {{"weight", weight}, {"bias", bias, 1, false}});
    for (int step = 0; step < kSteps; ++step) {
        optimiser.clearGradients();
        at::cross_entropy_loss(at::linear(rows, weight, bias), trainLabels).backward();
        optimiser.step(kRate * (1 - static_cast<double>(step) / kSteps));
    }
    const c10::NoGradGuard noGradients;
    ProbeRow out;
    out.features = train.size(1);
    out.trainTop1 = accuracy(at::linear(rows, weight, bias), trainLabels);
    out.top1 = accuracy(at::linear(scaled(validation), weight, bias), validationLabels);
    return out;
}

}  // namespace

ProbeReply probeWithin(std::int64_t bytes, const TrainStart& start, const ProbeRequest& request, const JobWatch& watch)
{
    classifierIn(start.graph);  // before images are looked for
    const DataParts parts = openFor(request.data);
    refuseOneClass(parts, request.data.source);
    ClassifyingNetwork classifier(withPreprocessing(start.graph, parts, watch), start.weights,
                                  start.device);
    const Network& network = classifier.network();
    const std::vector<std::size_t> steps = stepsFor(network, request.layers);
    const auto seed = static_cast<std::uint64_t>(request.data.splitSeed);
    const LoadOptions options = loadOptionsFor(classifier, request.data);
    const DatasetPtr trainingImages = partOf(parts, "train", request.data.images, seed),
                     validationImages = partOf(parts, "validation", request.data.images, seed);
    Loader training(trainingImages, options), validation(validationImages, options);
    ProbeReply reply;
    reply.classes = static_cast<std::int64_t>(parts.train->classes().size());
    Progress progress;
    progress.phase = "probing";
    progress.total = static_cast<std::int64_t>(steps.size());
    ProgressTeller teller(watch, progress, start.device);
    const auto groups = groupsOf(network, steps, trainingImages->size() + validationImages->size(), bytes);
    for (std::size_t group = 0; group < groups.size(); ++group) {
        Features train, other;
        const std::string phase = "collecting features" + (groups.size() == 1 ? std::string()
                                                                              : " " + std::to_string(group + 1) + "/" +
                                                                                    std::to_string(groups.size()));
        reply.stopped = !collect(classifier, groups[group], training, phase, watch, train) ||
                        !collect(classifier, groups[group], validation, phase, watch, other);
        if (reply.stopped) return reply;
        const at::Tensor trainLabels = at::cat(train.labels), otherLabels = at::cat(other.labels);
        reply.images = trainLabels.size(0);
        reply.validationImages = otherLabels.size(0);
        for (const std::size_t step : groups[group]) {
            if (watch.stop()) {
                reply.stopped = true;
                return reply;
            }
            const std::string& name = network.prepared.entries[step].node->name;
            ProbeRow row = translated("layer '" + name + "'", [&] {
                return fitted(at::cat(train.rows[step]), trainLabels, at::cat(other.rows[step]), otherLabels,
                              reply.classes);
            });
            row.layer = name;
            reply.rows.push_back(std::move(row));
            train.rows.erase(step);
            other.rows.erase(step);
            teller.advance(reply.images);
        }
    }
    addBroken(reply.broken, training);
    addBroken(reply.broken, validation);
    return reply;
}

ProbeReply probe(const TrainStart& start, const ProbeRequest& request, const JobWatch& watch)
{
    return probeWithin(std::int64_t{1} << 30, start, request, watch);
}

}  // namespace fovea
