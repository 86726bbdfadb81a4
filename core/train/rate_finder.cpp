#include "core/train/learner.h"
#include "core/train/preparation.h"
#include "core/train/scores.h"

#include <algorithm>
#include <cmath>

namespace fovea {

RateReply findLearningRate(const TrainStart& given, const RateRequest& request, const JobWatch& watch)
{
    constexpr double kSmooth = 0.9, kRunsAway = 4;
    if (!(request.low > 0 && request.low < request.high) || request.steps < 10 || request.steps > 100'000)
        throw Error(ErrorCode::Usage, "The search goes from a rate above 0 to a higher one in 10 to 100000 steps.");
    checkRecipe(request.recipe);
    const DataParts data = dataFor(request.data, request.recipe);
    const auto [start, recipe] = prepareTraining(given, request.recipe, data, watch);
    Learner learner(start.graph, start.weights, recipe, start.device);
    Loader loader(data.train, learner.trainingOptions());
    Progress progress;
    progress.phase = "finding the learning rate";
    progress.total = request.steps;
    ProgressTeller teller(watch, progress, start.device);
    RateReply out;
    double average = 0, least = INFINITY;
    std::int64_t epoch = 0;
    loader.start(epoch);
    for (std::int64_t step = 0; step < request.steps && !watch.stop(); ++step) {
        auto batch = loader.next();
        if (!batch) {
            loader.start(++epoch);
            batch = loader.next();
        }
        if (!batch) break;
        const double share = static_cast<double>(step) / static_cast<double>(request.steps - 1);
        const double rate = request.low * std::pow(request.high / request.low, share);
        const double loss =
            translated("step " + std::to_string(step), [&] { return learner.step(*batch, step, rate).item<double>(); });
        average = kSmooth * average + (1 - kSmooth) * loss;
        const double smoothed = average / (1 - std::pow(kSmooth, static_cast<double>(step + 1)));
        if (!std::isfinite(smoothed) || smoothed > kRunsAway * least) break;
        least = std::min(least, smoothed);
        out.rates.push_back(rate);
        out.losses.push_back(smoothed);
        teller.advance(static_cast<std::int64_t>(batch->labels.size()));
    }
    // The steepest fall over a tenth of the search, so that noise decides less; before the lowest loss, behind which
    // it runs away.
    const auto lowest =
        static_cast<std::size_t>(std::min_element(out.losses.begin(), out.losses.end()) - out.losses.begin());
    const auto span = static_cast<std::size_t>(std::max<std::int64_t>(request.steps / 10, 2));
    double steepest = 0;
    for (std::size_t i = 0; i + span <= lowest && i + span < out.losses.size(); ++i)
        if (const double fall = out.losses[i] - out.losses[i + span]; fall > steepest) {
            steepest = fall;
            out.suggested = out.rates[i + span / 2];
        }
    addBroken(out.broken, loader);
    return out;
}

}  // namespace fovea
