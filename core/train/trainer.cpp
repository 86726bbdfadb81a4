#include "core/train/trainer.h"

#include "core/base/files.h"
#include "core/io/json/graph_json.h"
#include "core/io/pytorch/keys.h"
#include "core/io/safetensors/safetensors.h"
#include "core/recipe/event_file.h"
#include "core/recipe/run_lock.h"
#include "core/recipe/schedule.h"
#include "core/train/device.h"
#include "core/train/learner.h"
#include "core/train/preparation.h"
#include "core/train/scores.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <fstream>

namespace fovea {

namespace {

// Lines added to a file that others read meanwhile: each in one write.
void appendLine(const std::filesystem::path& file, const std::string& line)
{
    std::ofstream out(file, std::ios::app);
    out << line + "\n" << std::flush;
    if (!out) throw Error(ErrorCode::File, "Cannot write to '" + file.string() + "'.");
}

std::string epochText(const MetricsLine& line, std::int64_t epochs)
{
    char text[160];
    std::snprintf(text, sizeof text,
                  "Epoch %lld of %lld: training loss %.4f, validation loss %.4f, top-1 %.2f %%, top-5 %.2f %%.",
                  static_cast<long long>(line.epoch + 1), static_cast<long long>(epochs), line.trainLoss,
                  line.evalLoss.value_or(0), line.top1.value_or(0) * 100, line.top5.value_or(0) * 100);
    return text;
}

class Run {
public:
    Run(const TrainStart& start, const Recipe& recipe, DataParts data, RunFolder folder, RunInfo info,
        const JobWatch& watch)
        : m_recipe(recipe), m_folder(std::move(folder)), m_info(std::move(info)), m_watch(watch),
          m_data(std::move(data)), m_learner(start.graph, start.weights, recipe, start.device),
          m_keys(pytorchKeys(start.graph)), m_training(m_data.train, m_learner.trainingOptions()),
          m_validation(m_data.validation, validationOptions())
    {
        const auto sum = at::TensorOptions(at::kDouble).device(m_learner.classifier().network().device);
        m_epochLoss = at::zeros({}, sum);
        m_lineLoss = at::zeros({}, sum);
        const LoadOptions shape = m_learner.classifier().loadOptions();
        m_info.size = {shape.height, shape.width};
        checkClasses(m_learner.classifier(), *m_data.train);
        m_stepsPerEpoch = m_training.batchesPerEpoch();
        m_total = totalSteps(m_recipe, m_stepsPerEpoch);
    }

    void writeStart(const Graph& graph)
    {
        writeAtomically(m_folder.graph(), jsonLine(toJson(graph)) + "\n");
        writeAtomically(m_folder.recipe(), toJson(m_recipe).dump(2) + "\n");
        openEvents();
        checkpoint();
        writeInfo("running", "");
    }

    void takeUp()
    {
        StateTensors state = m_learner.state();
        const auto position = readCheckpoint(m_folder, m_learner.classifier().network(), state);
        if (!position)
            throw Error(ErrorCode::File, "'" + m_folder.root.string() + "' has no checkpoint to go on from.");
        m_at = *position;
        m_learner.setSteps(m_at.step);
        if (m_at.step > 0) m_rate = learningRate(m_recipe, m_at.step - 1, m_stepsPerEpoch);
        m_epochLoss.fill_(m_at.epochLoss);
        m_lineLoss.fill_(m_at.lineLoss);
        openEvents();
        keepMetricsUpTo(m_folder, m_at);
        writeInfo("running", "");
        log("Resumed at epoch " + std::to_string(m_at.epoch + 1) + ", step " + std::to_string(m_at.step) + ".");
    }

    // The recipe is another one now, and early stopping begins anew.
    void goFurther()
    {
        m_at.epochsSinceBest = 0;
        writeAtomically(m_folder.recipe(), toJson(m_recipe).dump(2) + "\n");
    }

    TrainReply go()
    {
        m_began = secondsNow();
        m_secondsBefore = m_at.seconds;
        try {
            std::string reason;
            while (reason.empty()) reason = whyOver();
            if (!m_stopped) log(reason);
            writeInfo(m_stopped ? "stopped" : "done", reason);
            return replyWith(reason);
        } catch (const Error& error) {
            fail(error.what());
            throw;
        } catch (const std::exception& error) {
            fail(error.what());
            throw;
        }
    }

private:
    void openEvents()
    {
        if (m_recipe.tensorboard) m_events = std::make_unique<EventFile>(m_folder.root, m_at.step);
    }

    LoadOptions validationOptions() const
    {
        LoadOptions out = m_learner.classifier().loadOptions();
        out.batch = m_recipe.batchSize;
        out.workers = static_cast<int>(m_recipe.workers);
        return out;
    }

    // Trains an epoch, or says why there is none.
    std::string whyOver()
    {
        if (m_at.step >= m_total || m_at.epoch >= m_recipe.epochs)
            return "All " + std::to_string(m_at.step) + " steps are done.";
        if (m_recipe.patience > 0 && m_at.epochsSinceBest >= m_recipe.patience)
            return "Stopped early: no better top-1 for " + std::to_string(m_at.epochsSinceBest) + " epochs.";
        return epoch();
    }

    std::string epoch()
    {
        m_training.start(m_at.epoch, m_at.batch);
        ProgressTeller teller(
            m_watch,
            {.phase = "training", .done = m_at.step, .total = m_total, .epoch = m_at.epoch, .epochs = m_recipe.epochs},
            m_info.device);
        while (m_at.step < m_total) {
            if (m_watch.stop()) return stop();
            const auto batch = m_training.next();
            if (!batch) break;
            translated("step " + std::to_string(m_at.step), [&] { step(*batch); });
            teller.advance(static_cast<std::int64_t>(batch->labels.size()));
            if (m_at.step % m_recipe.logInterval == 0) stepLine(teller.imagesPerSecond());
            if (m_recipe.checkpointInterval > 0 && m_at.step % m_recipe.checkpointInterval == 0) {
                finite(m_epochLoss, m_at.epochSteps);  // no checkpoint of weights that are lost
                checkpoint();
            }
        }
        return finishEpoch(teller.imagesPerSecond());
    }

    void step(const Batch& batch)
    {
        m_rate = learningRate(m_recipe, m_at.step, m_stepsPerEpoch);
        const at::Tensor loss = m_learner.step(batch, m_at.step, m_rate).to(at::kDouble);
        m_epochLoss.add_(loss);
        m_lineLoss.add_(loss);
        ++m_at.step;
        ++m_at.batch;
        ++m_at.epochSteps;
        ++m_at.lineSteps;
    }

    // With the averaged weights where the recipe wants an average. nullopt: stopped.
    std::optional<Scores> validated()
    {
        const Learner::Averaged averaged(m_learner);
        Scores scores = scoreOf(m_learner.classifier(), m_validation, "validating", m_watch);
        if (scores.stopped) return std::nullopt;
        if (!std::isfinite(scores.loss))
            throw Error(ErrorCode::Usage,
                        "The validation loss is no number in epoch " + std::to_string(m_at.epoch + 1) +
                            ": a norm that reads one value a channel has no statistics, so begin a new run with a larger "
                            "batch, or with a smaller learning rate than " + Json(m_recipe.lr).dump() + ".");
        if (scores.top1 > m_at.bestTop1) writeBest(m_folder, m_learner.classifier().network(), m_keys, m_at.epoch);
        return scores;
    }

    std::string finishEpoch(double imagesPerSecond)
    {
        const double trainLoss = finite(m_epochLoss, m_at.epochSteps);
        const auto scores = validated();
        if (!scores) return stop();
        MetricsLine line;
        line.kind = MetricsLine::Kind::Epoch;
        line.trainLoss = trainLoss;
        line.evalLoss = scores->loss;
        line.top1 = scores->top1;
        line.top5 = scores->top5;
        tell(line, imagesPerSecond);
        const bool isBest = scores->top1 > m_at.bestTop1;
        if (isBest) {
            m_at.bestTop1 = scores->top1;
            m_at.bestEpoch = m_at.epoch;
        }
        m_at.epochsSinceBest = isBest ? 0 : m_at.epochsSinceBest + 1;
        ++m_at.epoch;
        m_at.batch = m_at.epochSteps = 0;
        m_epochLoss.zero_();
        checkpoint();
        return {};
    }

    void stepLine(double imagesPerSecond)
    {
        MetricsLine line;
        line.trainLoss = finite(m_lineLoss, m_at.lineSteps);
        m_at.lineSteps = 0;
        m_lineLoss.zero_();
        tell(line, imagesPerSecond);
    }

    void tell(MetricsLine line, double imagesPerSecond)
    {
        line.epoch = m_at.epoch;
        line.step = m_at.step;
        line.lr = m_rate;
        line.imagesPerSecond = imagesPerSecond;
        line.seconds = seconds();
        line.memory = memoryInUse(m_info.device);
        appendLine(m_folder.metrics(), jsonLine(toJson(line)));
        m_watch.metrics(line);
        if (m_events) m_events->add(line);
        if (line.kind == MetricsLine::Kind::Epoch) log(epochText(line, m_recipe.epochs));
    }

    // What to go on from is written, so nothing is lost.
    std::string stop()
    {
        checkpoint();
        m_stopped = true;
        return "Stopped after step " + std::to_string(m_at.step) + " of " + std::to_string(m_total) +
               "; it can be resumed.";
    }

    void checkpoint()
    {
        m_at.seconds = seconds();
        m_at.epochLoss = m_epochLoss.item<double>();
        m_at.lineLoss = m_lineLoss.item<double>();
        writeCheckpoint(m_folder, m_learner.classifier().network(), m_keys, m_learner.state(), m_at);
    }

    double seconds() const { return m_secondsBefore + (m_began > 0 ? secondsNow() - m_began : 0); }

    // The mean loss. Error(Usage) where it is no number any more.
    double finite(const at::Tensor& sum, std::int64_t count) const
    {
        const double mean = sum.item<double>() / static_cast<double>(std::max<std::int64_t>(count, 1));
        if (!std::isfinite(mean))
            throw Error(ErrorCode::Usage, "The loss is no number any more in epoch " + std::to_string(m_at.epoch + 1) +
                                              ": begin a new run with a smaller learning rate than " +
                                              Json(m_recipe.lr).dump() + ", or clip gradients.");
        return mean;
    }

    void log(const std::string& text)
    {
        appendLine(m_folder.log(), text);
        m_watch.log(text);
    }

    void writeInfo(const std::string& state, const std::string& reason)
    {
        m_info.state = state;
        m_info.reason = reason;
        writeAtomically(m_folder.info(), toJson(m_info).dump(2) + "\n");
    }

    void fail(const std::string& why)
    {
        try {
            writeInfo("failed", why);
            appendLine(m_folder.log(), why);
        } catch (const Error&) {
            // The first trouble is the one to tell.
        }
    }

    TrainReply replyWith(const std::string& reason) const
    {
        TrainReply out{m_info.state, reason, m_at.epoch, m_at.step, {}, m_at.bestEpoch, seconds()};
        if (m_at.bestEpoch >= 0) out.bestTop1 = m_at.bestTop1;
        addBroken(out.broken, m_training);
        addBroken(out.broken, m_validation);
        return out;
    }

    Recipe m_recipe;
    RunFolder m_folder;
    RunInfo m_info;
    const JobWatch& m_watch;
    DataParts m_data;
    Learner m_learner;
    Keys m_keys;
    Loader m_training, m_validation;
    std::unique_ptr<EventFile> m_events;
    RunPosition m_at;
    at::Tensor m_epochLoss, m_lineLoss;  // sums; on the device, so that no step waits for them
    std::int64_t m_stepsPerEpoch = 0, m_total = 0;
    double m_rate = 0, m_began = 0, m_secondsBefore = 0;
    bool m_stopped = false;
};

RunInfo infoFor(const TrainStart& start, const TrainRequest& request, const DataParts& data)
{
    RunInfo info;
    info.name = request.name.empty() ? start.graph.name() : request.name;
    info.data = absoluteSource(request.data);
    info.images = {data.train->size(), data.validation->size()};
    info.classes = data.train->classes();
    info.device = start.device;
    info.libtorch = torchVersion();
    info.from = request.from;
    info.threads = at::get_num_threads();
    return info;
}

// Otherwise images that were trained on would validate, and labels might mean other classes.
void checkSameData(const RunInfo& info, const DataParts& data)
{
    const std::array<std::int64_t, 2> images{data.train->size(), data.validation->size()};
    const auto counts = [](const std::array<std::int64_t, 2>& of) {
        return std::to_string(of[0]) + " images to train on and " + std::to_string(of[1]) + " to validate";
    };
    if (info.images != std::array<std::int64_t, 2>{} && info.images != images)
        throw Error(ErrorCode::Usage, "'" + info.data + "' has changed since the run began: it has " + counts(images) +
                                          " instead of " + counts(info.images) + ". Begin a new run.");
    if (info.classes != data.train->classes())
        throw Error(ErrorCode::Usage,
                    "'" + info.data +
                        "' has changed since the run began: its classes have other names. Begin a new run.");
}

void makeFolder(const RunFolder& folder)
{
    std::error_code failed;
    std::filesystem::create_directories(folder.root, failed);
    if (failed)
        throw Error(ErrorCode::File,
                    "Cannot make the folder '" + folder.root.string() + "': " + failed.message() + ".");
}

}  // namespace

TrainReply train(const TrainStart& given, const TrainRequest& request, const JobWatch& watch)
{
    checkRecipe(request.recipe);
    if (request.run.empty()) throw Error(ErrorCode::Usage, "No folder was named for the run.");
    const RunFolder folder{request.run};
    refuseTaken(folder);
    DataParts data = dataFor(request.data, request.recipe);
    std::vector<std::string> said;  // before there is a folder
    JobWatch early = watch;
    early.log = [&](const std::string& text) {
        said.push_back(text);
        watch.log(text);
    };
    early.log(data.description);
    PreparedTraining prepared;
    try {
        prepared = prepareTraining(given, request.recipe, data, early);
    } catch (const Error&) {
        if (!watch.stop()) throw;
        return {"stopped", "Stopped before the first step; nothing was written."};
    }
    const RunInfo info = infoFor(prepared.start, request, data);
    Run run(prepared.start, prepared.recipe, std::move(data), folder, info, watch);
    makeFolder(folder);
    const RunLock lock(folder);
    refuseTaken(folder);  // by another process, meanwhile
    run.writeStart(prepared.start.graph);
    for (const std::string& text : said) appendLine(folder.log(), text);
    return run.go();
}

TrainReply resumeTraining(const TrainRequest& request, const JobWatch& watch)
{
    const RunFolder folder{request.run};
    if (!isRunFolder(folder.root))
        throw Error(ErrorCode::Usage, "'" + folder.root.string() + "' holds no training run to resume.");
    if (std::filesystem::exists(folder.job()))
        throw Error(ErrorCode::Usage, "'" + folder.root.string() +
                                          "' is a job for PyTorch's own engine: go on with 'torchrun "
                                          "--nproc_per_node=N " +
                                          (folder.root / "train.py").string() +
                                          "', which takes up its last checkpoint.");
    const RunLock lock(folder);
    RunInfo info = readRunInfo(folder);
    Recipe recipe = readRecipe(folder.recipe());
    const bool goesFurther = request.epochs >= 0 || request.patience >= 0;
    if (request.epochs >= 0) recipe.epochs = request.epochs;
    if (request.patience >= 0) recipe.patience = request.patience;
    checkRecipe(recipe);
    // Another number of threads may round otherwise.
    if (request.device == "cpu" && info.device == "cpu" && info.threads > 0)
        at::set_num_threads(static_cast<int>(info.threads));
    info.device = request.device;
    info.libtorch = torchVersion();
    if (!request.data.empty()) info.data = request.data;
    DataParts data = dataFor(info.data, recipe);
    checkSameData(info, data);
    Graph graph = readRunGraph(folder);
    const Weights weights = weightsFromStateDict(graph, readSafetensors(folder.last()));
    const TrainStart start{std::move(graph), weights, request.device};
    Run run(start, recipe, std::move(data), folder, info, watch);
    run.takeUp();
    if (goesFurther) run.goFurther();
    return run.go();
}

}  // namespace fovea
