// Long work that the engine does with the network it holds ("load" comes first), as values. While a job runs the
// engine sends notifications: "progress" (Progress), "metrics" (MetricsLine, core/recipe/metrics.h) and "log" (Log); a
// notification "stop" to it ends the job within one batch. One job at a time: another request is refused until then.
//
// Every struct lists its members once, in fields(), which toJson() and read() below both go by. An absent member
// keeps its default; unknown ones are ignored.
#pragma once

#include "core/base/pixel_box.h"
#include "core/graph/graph.h"
#include "core/recipe/recipe.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fovea {

inline constexpr const char* kStopMethod = "stop";
inline constexpr const char* kProgressMethod = "progress";
inline constexpr const char* kMetricsMethod = "metrics";
inline constexpr const char* kLogMethod = "log";

struct Progress {
    std::string phase;                 // a word for the user: "training", "validating", "probing"
    std::int64_t done = 0, total = 0;  // batches, or what the phase counts; total 0: not known
    std::int64_t epoch = 0, epochs = 0;
    double imagesPerSecond = 0, secondsLeft = -1;  // -1: not known yet
    std::int64_t memory = 0;                       // bytes at their most: resident, or on the GPU
    template <typename Self, typename Field>
    static void fields(Self& self, Field field)
    {
        field("phase", self.phase);
        field("done", self.done);
        field("total", self.total);
        field("epoch", self.epoch);
        field("epochs", self.epochs);
        field("images_per_second", self.imagesPerSecond);
        field("seconds_left", self.secondsLeft);
        field("memory", self.memory);
    }
};

struct Log {
    std::string text;
    template <typename Self, typename Field>
    static void fields(Self& self, Field field)
    {
        field("text", self.text);
    }
};

// Which images a job reads: openData() of core/data/dataset.h.
struct DataUse {
    std::string source;
    std::string part = "validation";  // "train", "validation"
    double validation = 0.2;          // share, where the data has no split of its own
    std::int64_t splitSeed = 42;
    std::int64_t images = 0;  // at most; 0: all
    std::int64_t batch = 64, workers = 0;
    template <typename Self, typename Field>
    static void fields(Self& self, Field field)
    {
        field("source", self.source);
        field("part", self.part);
        field("validation", self.validation);
        field("split_seed", self.splitSeed);
        field("images", self.images);
        field("batch", self.batch);
        field("workers", self.workers);
    }
};

struct BrokenName {
    std::string name, why;
    template <typename Self, typename Field>
    static void fields(Self& self, Field field)
    {
        field("name", self.name);
        field("why", self.why);
    }
};

// Images that could not be read: a reply's members "broken_count" and "broken".
struct BrokenImages {
    std::int64_t count = 0;
    std::vector<BrokenName> named;  // the first 20
    template <typename Self, typename Field>
    static void fields(Self& self, Field field)
    {
        field("broken_count", self.count);
        field("broken", self.named);
    }
};

// "train": into a folder (core/recipe/run_folder.h). With `resume` the folder says the rest, and nothing need be
// loaded.
struct TrainRequest {
    static constexpr const char* kMethod = "train";
    std::string run;  // folder; made where it is not there
    bool resume = false;
    std::string data;  // as openData() takes it; of a resumed run where its images are now, empty: where they were
    Recipe recipe;
    std::string name, from;       // of RunInfo
    std::string device = "auto";  // of a resumed run
    // Of a resumed run, -1: as its recipe has it. A run that had stopped early waits for a better epoch anew.
    std::int64_t epochs = -1, patience = -1;
    template <typename Self, typename Field>
    static void fields(Self& self, Field field)
    {
        field("run", self.run);
        field("resume", self.resume);
        field("data", self.data);
        field("recipe", self.recipe);
        field("name", self.name);
        field("from", self.from);
        field("device", self.device);
        field("epochs", self.epochs);
        field("patience", self.patience);
    }
};

struct TrainReply {
    std::string state;                   // "done", "stopped"
    std::string reason;                  // one sentence
    std::int64_t epochs = 0, steps = 0;  // done in all
    std::optional<double> bestTop1;
    std::int64_t bestEpoch = -1;
    double seconds = 0;
    BrokenImages broken;
    template <typename Self, typename Field>
    static void fields(Self& self, Field field)
    {
        field("state", self.state);
        field("reason", self.reason);
        field("epochs", self.epochs);
        field("steps", self.steps);
        field("best_top1", self.bestTop1);
        field("best_epoch", self.bestEpoch);
        field("seconds", self.seconds);
        BrokenImages::fields(self.broken, field);
    }
};

// "evaluate"
struct EvaluateRequest {
    static constexpr const char* kMethod = "evaluate";
    DataUse data;
    template <typename Self, typename Field>
    static void fields(Self& self, Field field)
    {
        field("data", self.data);
    }
};

struct EvaluateReply {
    std::int64_t images = 0;
    double loss = 0, top1 = 0, top5 = 0;  // shares in [0, 1]
    std::vector<std::string> classes;
    std::vector<std::vector<std::int64_t>> confusion;  // [true class][predicted class], images; none above 2000 classes
    double imagesPerSecond = 0;
    BrokenImages broken;
    template <typename Self, typename Field>
    static void fields(Self& self, Field field)
    {
        field("images", self.images);
        field("loss", self.loss);
        field("top1", self.top1);
        field("top5", self.top5);
        field("classes", self.classes);
        field("confusion", self.confusion);
        field("images_per_second", self.imagesPerSecond);
        BrokenImages::fields(self.broken, field);
    }
};

// "probe": a linear classifier on the pooled output of each layer (Alain and Bengio 2016; arXiv 2106.12307).
struct ProbeRequest {
    static constexpr const char* kMethod = "probe";
    std::vector<std::string> layers;  // empty: every layer whose kind has a window
    DataUse data;                     // `images` bounds training and validation images apart
    std::int64_t seed = 42;
    template <typename Self, typename Field>
    static void fields(Self& self, Field field)
    {
        field("layers", self.layers);
        field("data", self.data);
        field("seed", self.seed);
    }
};

struct ProbeRow {
    std::string layer;
    std::int64_t features = 0;       // the classifier's inputs
    double top1 = 0, trainTop1 = 0;  // of validation and training images
    template <typename Self, typename Field>
    static void fields(Self& self, Field field)
    {
        field("layer", self.layer);
        field("features", self.features);
        field("top1", self.top1);
        field("train_top1", self.trainTop1);
    }
};

struct ProbeReply {
    std::vector<ProbeRow> rows;  // in execution order
    std::int64_t images = 0, validationImages = 0, classes = 0;
    bool stopped = false;
    BrokenImages broken;
    template <typename Self, typename Field>
    static void fields(Self& self, Field field)
    {
        field("rows", self.rows);
        field("images", self.images);
        field("validation_images", self.validationImages);
        field("classes", self.classes);
        field("stopped", self.stopped);
        BrokenImages::fields(self.broken, field);
    }
};

// "findLearningRate": the rate rises from `low` to `high` by a constant factor a step (Smith 2017). Changes nothing.
struct RateRequest {
    static constexpr const char* kMethod = "findLearningRate";
    std::string data;
    Recipe recipe;
    double low = 1e-5, high = 1;
    std::int64_t steps = 100;
    template <typename Self, typename Field>
    static void fields(Self& self, Field field)
    {
        field("data", self.data);
        field("recipe", self.recipe);
        field("low", self.low);
        field("high", self.high);
        field("steps", self.steps);
    }
};

struct RateReply {
    std::vector<double> rates, losses;  // smoothed; ends where the loss runs away
    std::optional<double> suggested;    // where the loss falls steepest
    BrokenImages broken;
    template <typename Self, typename Field>
    static void fields(Self& self, Field field)
    {
        field("rates", self.rates);
        field("losses", self.losses);
        field("suggested", self.suggested);
        BrokenImages::fields(self.broken, field);
    }
};

// "recalibrate": running statistics of norms anew, over training images; no other weight changes.
struct RecalibrateRequest {
    static constexpr const char* kMethod = "recalibrate";
    DataUse data;     // evaluated on its part before and after; statistics come from its training images
    std::string out;  // a safetensors file for the changed tensors
    template <typename Self, typename Field>
    static void fields(Self& self, Field field)
    {
        field("data", self.data);
        field("out", self.out);
    }
};

struct RecalibrateReply {
    std::int64_t norms = 0, images = 0;
    // Not a number where the network does not tell the data's classes apart.
    double top1Before = 0, top1After = 0, lossBefore = 0, lossAfter = 0;
    Preprocessing preprocessing;  // what the statistics are of
    BrokenImages broken;
    template <typename Self, typename Field>
    static void fields(Self& self, Field field)
    {
        field("norms", self.norms);
        field("images", self.images);
        field("top1_before", self.top1Before);
        field("top1_after", self.top1After);
        field("loss_before", self.lossBefore);
        field("loss_after", self.lossAfter);
        field("preprocessing", self.preprocessing);
        BrokenImages::fields(self.broken, field);
    }
};

// "unfoldNorms": a BatchNorm2d after each convolution whose norm an exporter folded away, set from the activations on
// training images so that the network computes what it did.
struct UnfoldRequest {
    static constexpr const char* kMethod = "unfoldNorms";
    DataUse data;
    std::string out;  // a safetensors file for the new tensors
    template <typename Self, typename Field>
    static void fields(Self& self, Field field)
    {
        field("data", self.data);
        field("out", self.out);
    }
};

struct UnfoldReply {
    Graph graph;  // with the norms
    std::int64_t norms = 0, images = 0;
    double difference = 0;  // largest |difference| / largest |output| on those images
    BrokenImages broken;
    template <typename Self, typename Field>
    static void fields(Self& self, Field field)
    {
        field("graph", self.graph);
        field("norms", self.norms);
        field("images", self.images);
        field("difference", self.difference);
        BrokenImages::fields(self.broken, field);
    }
};

// "effectiveField" (Luo et al. 2016): |gradient| of a unit, summed over its channels, with respect to the input,
// averaged over images.
struct EffectiveRequest {
    static constexpr const char* kMethod = "effectiveField";
    std::string layer;
    std::optional<std::array<std::int64_t, 2>> unit;  // [y, x]; without it the middle of the map
    DataUse data;                                     // an empty source: noise of mean 0 and deviation 1
    bool trainMode = false;                           // norms and dropout as while training
    std::int64_t seed = 42;
    double threshold = 0.0455;  // of the largest value: 1 - erf(sqrt 2), two deviations of a Gaussian (Luo et al.)
    std::string image;          // a safetensors file for "field" [h, w] F64; empty: none
    template <typename Self, typename Field>
    static void fields(Self& self, Field field)
    {
        field("layer", self.layer);
        field("unit", self.unit);
        field("data", self.data);
        field("train_mode", self.trainMode);
        field("seed", self.seed);
        field("threshold", self.threshold);
        field("image", self.image);
    }
};

struct EffectiveReply {
    std::array<std::int64_t, 2> unit{}, size{};  // of the image [h, w]
    std::optional<std::array<std::int64_t, 4>>
        box;                // [top, left, bottom, right], half-open: all pixels above the threshold
    std::int64_t area = 0;  // pixels above the threshold
    double diameter = 0;    // of a disc of that area, pixels
    double sigma = 0;       // root of the mean variance along y and x of the field as a distribution, pixels
    std::int64_t images = 0;
    BrokenImages broken;
    template <typename Self, typename Field>
    static void fields(Self& self, Field field)
    {
        field("unit", self.unit);
        field("size", self.size);
        field("box", self.box);
        field("area", self.area);
        field("diameter", self.diameter);
        field("sigma", self.sigma);
        field("images", self.images);
        BrokenImages::fields(self.broken, field);
    }
};

// "cost": measured on this machine.
struct CostRequest {
    static constexpr const char* kMethod = "cost";
    std::int64_t batch = 32;
    std::int64_t repeats = 5;
    bool training = true;  // forward, backward and an SGD step; else forward only
    template <typename Self, typename Field>
    static void fields(Self& self, Field field)
    {
        field("batch", self.batch);
        field("repeats", self.repeats);
        field("training", self.training);
    }
};

struct CostReply {
    std::vector<double> seconds;  // each repeat, after one that is not counted
    double median = 0;
    std::int64_t memory = 0;  // bytes of all tensors at their most: network, images, gradients, the optimiser's
    std::string device;
    template <typename Self, typename Field>
    static void fields(Self& self, Field field)
    {
        field("seconds", self.seconds);
        field("median", self.median);
        field("memory", self.memory);
        field("device", self.device);
    }
};

// One definition for every struct above, in jobs.cpp.
template <typename Message>
Json jobJson(const Message& message);
template <typename Message>
void readJob(const JsonAt& at, Message& out);

template <typename Message>
concept JobMessage = requires(Message& message)
{
    Message::fields(message, [](const char*, auto&) {});
};

template <JobMessage Message>
Json toJson(const Message& message)
{
    return jobJson(message);
}

template <JobMessage Message>
void read(const JsonAt& at, Message& out)
{
    readJob(at, out);
}

}  // namespace fovea
