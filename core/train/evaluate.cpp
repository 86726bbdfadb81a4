#include "core/train/evaluate.h"

#include "core/ops/classifier.h"
#include "core/train/scores.h"

namespace fovea {

EvaluateReply evaluate(const TrainStart& start, const EvaluateRequest& request, const JobWatch& watch)
{
    classifierIn(start.graph);  // before images are looked for
    const DataParts parts = openFor(request.data);
    ClassifyingNetwork classifier(withPreprocessing(start.graph, parts, watch), start.weights,
                                  start.device);
    const DatasetPtr data =
        partOf(parts, request.data.part, request.data.images, static_cast<std::uint64_t>(request.data.splitSeed));
    checkClasses(classifier, *data);
    Loader loader(data, loadOptionsFor(classifier, request.data));
    const double began = secondsNow();
    const Scores scores = scoreOf(classifier, loader, "evaluating", watch);
    if (scores.stopped) throw Error(ErrorCode::Usage, "The evaluation was stopped.");
    EvaluateReply reply{scores.images, scores.loss, scores.top1, scores.top5, data->classes(), {}};
    const auto classes = static_cast<std::size_t>(classifier.classes());
    for (std::size_t row = 0; row < classes && !scores.confusion.empty(); ++row) {
        const auto from = scores.confusion.begin() + static_cast<std::ptrdiff_t>(row * classes);
        reply.confusion.emplace_back(from, from + static_cast<std::ptrdiff_t>(classes));
    }
    reply.imagesPerSecond = static_cast<double>(scores.images) / std::max(secondsNow() - began, 1e-9);
    addBroken(reply.broken, loader);
    return reply;
}

}  // namespace fovea
