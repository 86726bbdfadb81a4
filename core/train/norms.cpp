#include "core/train/norms.h"

#include "core/base/random.h"
#include "core/io/safetensors/safetensors.h"
#include "core/ops/classifier.h"
#include "core/ops/folded_norms.h"
#include "core/train/purposes.h"
#include "core/train/scores.h"
#include "core/train/tensors.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace fovea {

namespace {

constexpr std::int64_t kImages = 1000;  // where the request names no number

std::int64_t imagesFor(const DataUse& use) { return use.images > 0 ? use.images : kImages; }

// Moments of one convolution's output per channel, in double.
struct Moments {
    at::Tensor sum, squares;
    double count = 0;

    void add(const at::Tensor& output)
    {
        const at::Tensor plain = output.detach().to(at::kDouble);
        const at::Tensor total = plain.sum(at::IntArrayRef{0, 2, 3}),
                         square = (plain * plain).sum(at::IntArrayRef{0, 2, 3});
        sum = sum.defined() ? sum + total : total;
        squares = squares.defined() ? squares + square : square;
        count += static_cast<double>(plain.numel() / plain.size(1));
    }
    at::Tensor mean() const { return sum / count; }
    at::Tensor variance() const { return (squares / count - mean() * mean()).clamp_min(0); }
};

// Moments of what a norm reads over all images, from those of each batch.
class BatchMoments {
public:
    void add(const Network::Step& norm, double images)
    {
        const at::Tensor mean = norm.tensors.at("running_mean").to(at::kDouble),
                         variance = norm.tensors.at("running_var").to(at::kDouble);
        const at::Tensor square = (variance + mean * mean) * images;
        m_sum = m_sum.defined() ? m_sum + mean * images : mean * images;
        m_squares = m_squares.defined() ? m_squares + square : square;
        m_images += images;
    }
    void write(Network::Step& norm) const
    {
        const at::Tensor mean = m_sum / m_images, variance = (m_squares / m_images - mean * mean).clamp_min(0);
        if (!at::isfinite(mean).all().item<bool>() || !at::isfinite(variance).all().item<bool>())
            throw Error(ErrorCode::Usage,
                        "Norm '" + norm.entry->node->name +
                            "' has no statistics: it reads one value a channel, or numbers without end. "
                            "Take a larger batch.");
        norm.tensors.at("running_mean").copy_(mean);
        norm.tensors.at("running_var").copy_(variance);
    }

private:
    at::Tensor m_sum, m_squares;
    double m_images = 0;
};

// Data is often sorted by class, and a batch of one class has other statistics than all. Not the loader's own shuffling,
// which puts another image in a broken one's place, so that one would count twice.
DatasetPtr inAnyOrder(const DatasetPtr& images, std::uint64_t seed)
{
    std::vector<std::int64_t> order(static_cast<std::size_t>(images->size()));
    std::iota(order.begin(), order.end(), std::int64_t{0});
    RandomStream(seed, {kNormsPurpose}).shuffle(order);
    return partOfDataset(images, std::move(order));
}

// Batches of about the size asked for and all of one size or nearly.
LoadOptions evenly(LoadOptions options, std::int64_t images)
{
    if (options.batch < 2)
        throw Error(ErrorCode::Usage, "A batch of one image has no statistics: recalibrate with batches of 2 or more.");
    const std::int64_t batches = std::max<std::int64_t>(1, (images + options.batch / 2) / options.batch);
    options.batch = (images + batches - 1) / std::max<std::int64_t>(batches, 1);
    return options;
}

double largestDifference(ClassifyingNetwork& before, ClassifyingNetwork& after, const Batch& batch)
{
    const c10::NoGradGuard noGradients;
    const at::Tensor a = before.logits(before.images(batch)), b = after.logits(after.images(batch));
    return (a - b).abs().max().item<double>() / std::max(a.abs().max().item<double>(), 1e-30);
}

}  // namespace

RecalibrateReply recalibrate(const TrainStart& start, const RecalibrateRequest& request, const JobWatch& watch)
{
    classifierIn(start.graph);  // before images are looked for
    const DataParts parts = openFor(request.data);
    ClassifyingNetwork classifier(withPreprocessing(start.graph, parts, watch), start.weights,
                                  start.device);
    Network& network = classifier.network();
    std::vector<Network::Step*> norms;
    for (Network::Step& step : network.steps)
        if (step.call.op == TorchOp::BatchNorm2d) norms.push_back(&step);
    if (norms.empty()) throw Error(ErrorCode::Usage, "The network has no BatchNorm2d to recalibrate.");
    const auto seed = static_cast<std::uint64_t>(request.data.splitSeed);
    // Statistics need no labels; scores do.
    const bool isScored = static_cast<std::int64_t>(parts.train->classes().size()) == classifier.classes();
    const auto scored = [&](Loader& loader) {
        return isScored ? scoreOf(classifier, loader, "evaluating", watch) : Scores{0, NAN, NAN, NAN, {}, false};
    };
    LoadOptions options = loadOptionsFor(classifier, request.data);
    Loader validation(partOf(parts, request.data.part, request.data.images, seed), options);
    const Scores before = scored(validation);
    const DatasetPtr images = inAnyOrder(partOf(parts, "train", imagesFor(request.data), seed), seed);
    Loader training(images, evenly(options, images->size()));
    RecalibrateReply reply;
    Progress progress;
    progress.phase = "recalibrating";
    progress.total = training.batchesPerEpoch();
    ProgressTeller teller(watch, progress, start.device);
    training.start(0);
    const c10::NoGradGuard noGradients;
    for (Network::Step* norm : norms) {
        norm->training = true;
        norm->call.args.set("momentum", 1.0);  // what the batch has, and nothing of what was before
    }
    std::vector<BatchMoments> moments(norms.size());
    while (const auto batch = training.next()) {
        if (watch.stop()) throw Error(ErrorCode::Usage, "The recalibration was stopped; nothing was changed.");
        const auto count = static_cast<std::int64_t>(batch->labels.size());
        translated("recalibrating", [&] {
            classifier.logits(classifier.images(*batch));
            for (std::size_t i = 0; i < norms.size(); ++i) moments[i].add(*norms[i], static_cast<double>(count));
        });
        reply.images += count;
        teller.advance(count);
    }
    translated("recalibrating", [&] {
        for (std::size_t i = 0; i < norms.size(); ++i) moments[i].write(*norms[i]);
    });
    const Scores after = scored(validation);
    if (before.stopped || after.stopped)
        throw Error(ErrorCode::Usage, "The recalibration was stopped; nothing was changed.");
    reply.norms = static_cast<std::int64_t>(norms.size());
    reply.top1Before = before.top1;
    reply.top1After = after.top1;
    reply.lossBefore = before.loss;
    reply.lossAfter = after.loss;
    reply.preprocessing = *network.graph.preprocessing();
    addBroken(reply.broken, training);
    if (isScored) addBroken(reply.broken, validation);
    if (request.out.empty()) return reply;
    Weights written;
    for (const Network::Step* norm : norms)
        for (const char* role : {"running_mean", "running_var"})
            written.set(norm->entry->node->tensorName(role), fromTorch(norm->tensors.at(role)));
    writeSafetensors(written, request.out);
    return reply;
}

Unfolded unfoldNorms(const TrainStart& start, const UnfoldRequest& request, const JobWatch& watch)
{
    return unfoldNorms(start, openFor(request.data), request, watch);
}

Unfolded unfoldNorms(const TrainStart& start, const DataParts& parts, const UnfoldRequest& request,
                     const JobWatch& watch)
{
    classifierIn(start.graph);  // before images are read
    const Graph original = withPreprocessing(start.graph, *parts.train, watch.stop);
    const std::vector<NodeId> convolutions = foldedConvolutions(original);
    if (convolutions.empty())
        throw Error(ErrorCode::Usage, "The network has no convolution whose norm was folded into it by an exporter.");
    ClassifyingNetwork before(original, start.weights, start.device);
    const Network& network = before.network();
    LoadOptions options = loadOptionsFor(before, request.data);
    Loader loader(partOf(parts, "train", imagesFor(request.data), static_cast<std::uint64_t>(request.data.splitSeed)),
                  options);
    std::map<std::size_t, Moments> moments;
    for (const NodeId id : convolutions) moments[static_cast<std::size_t>(network.prepared.entryOf(id))];
    Progress progress;
    progress.phase = "unfolding norms";
    progress.total = loader.batchesPerEpoch();
    ProgressTeller teller(watch, progress, start.device);
    Unfolded out;
    loader.start(0);
    std::optional<Batch> first;
    while (auto batch = loader.next()) {
        if (watch.stop()) throw Error(ErrorCode::Usage, "The unfolding was stopped; nothing was changed.");
        const c10::NoGradGuard noGradients;
        translated("unfolding", [&] {
            before.logits(before.images(*batch), [&](std::size_t step, const std::vector<at::Tensor>& outputs) {
                if (const auto it = moments.find(step); it != moments.end()) it->second.add(outputs[0]);
            });
        });
        out.reply.images += static_cast<std::int64_t>(batch->labels.size());
        teller.advance(static_cast<std::int64_t>(batch->labels.size()));
        if (!first) first = std::move(batch);
    }
    if (!first) throw Error(ErrorCode::Usage, "There are no training images to take statistics from.");
    addBroken(out.reply.broken, loader);
    out.graph = original;
    out.weights = start.weights;
    constexpr double kEps = 1e-5;
    Weights added;
    for (const NodeId id : convolutions) {
        const Moments& of = moments.at(static_cast<std::size_t>(network.prepared.entryOf(id)));
        if (of.count == 0) continue;  // it does not lead to the classifier
        const Node& convolution = out.graph.at(id);
        const Tensor* stored = out.weights.find(convolution.tensorName("bias"));
        const at::Tensor bias =
            stored ? toTorch(*stored, at::kDouble, network.device, "bias").flatten() : at::zeros_like(of.mean());
        Node norm = makeNode("BatchNorm2d", out.graph.uniqueName(convolution.name + "_norm"), {Port{id, 0}});
        norm.attrs.set("eps", kEps);
        norm.group = convolution.group;
        const std::string name = norm.name;
        const NodeId added_id = out.graph.add(std::move(norm));
        out.graph.rewire({id, 0}, {added_id, 0});
        out.graph.setInput(added_id, 0, {id, 0});
        out.graph.update(id, [](Node& node) {
            node.attrs.set("bias", false);
            std::erase_if(node.tensors, [](const TensorBinding& binding) { return binding.role == "bias"; });
        });
        const auto set = [&](const char* role, const at::Tensor& value) {
            added.set(name + "." + role, fromTorch(value.to(at::kFloat)));
        };
        set("weight", (of.variance() + kEps).sqrt());
        set("bias", of.mean());
        set("running_mean", of.mean() - bias);
        set("running_var", of.variance());
    }
    for (const auto& [name, tensor] : added.tensors()) out.weights.set(name, tensor);
    out.weights = materialise(out.graph, out.weights, 0);
    ClassifyingNetwork after(out.graph, out.weights, start.device);
    out.reply.difference = largestDifference(before, after, *first);
    out.reply.norms = static_cast<std::int64_t>(added.tensors().size()) / 4;
    out.reply.graph = out.graph;
    if (!request.out.empty()) writeSafetensors(added, request.out);
    return out;
}

}  // namespace fovea
