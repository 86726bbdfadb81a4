#include "core/base/error.h"
#include "core/base/files.h"
#include "core/io/safetensors/safetensors.h"
#include "core/ops/folded_norms.h"
#include "core/recipe/run_folder.h"
#include "core/train/cost.h"
#include "core/train/device.h"
#include "core/train/effective_field.h"
#include "core/train/evaluate.h"
#include "core/train/norms.h"
#include "core/train/probe.h"
#include "tests/document/folder.h"
#include "tests/support/text_graph.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>

// Jobs on the built-in images, as small as they can be and still learn.
namespace fovea {
namespace {

constexpr const char* kData =
    "patterns:classes=4,size=16,pattern=9,mark=3,clutter=0,jitter=0,noise=0,place=centre,images=256,validation=64";

TrainStart startOf(const char* text, std::uint64_t seed = 1)
{
    TrainStart out;
    out.graph = test::graphOf(text);
    out.weights = materialise(out.graph, {}, seed);
    return out;
}

// No statistics have to be taken, so a stop is asked for at batches alone.
TrainStart withPreprocessing(TrainStart start)
{
    start.graph.setPreprocessing(Preprocessing{.mean = {0.5}, .deviation = {0.25}});
    return start;
}

TrainStart smallNetwork()
{
    return startOf(
        "input 1x16x16 > conv:a k=3 p=1 c=8 > bn:an > relu > maxpool:p k=2 s=2 > conv:b k=7 p=3 c=32 > bn:bn > relu > "
        "gap > flatten > linear:head c=4");
}

DataUse data()
{
    DataUse use;
    use.source = kData;
    use.batch = 32;
    return use;
}

TrainRequest trainRequest(const std::filesystem::path& run)
{
    TrainRequest request;
    request.run = run.string();
    request.data = kData;
    request.recipe.lr = 0.1;
    request.recipe.epochs = 12;
    request.recipe.batchSize = 32;
    request.recipe.logInterval = 3;
    return request;
}

TEST(Jobs, TrainingLearnsAndWritesARunFolder)
{
    test::Folder folder;
    const RunFolder run{folder.path() / "run"};
    std::vector<MetricsLine> told;
    JobWatch watch;
    watch.metrics = [&](const MetricsLine& line) { told.push_back(line); };
    TrainRequest request = trainRequest(run.root);
    request.recipe.tensorboard = true;
    const TrainReply reply = train(smallNetwork(), request, watch);
    EXPECT_EQ(reply.state, "done");
    EXPECT_EQ(reply.epochs, 12);
    EXPECT_EQ(reply.steps, 96);
    ASSERT_TRUE(reply.bestTop1);
    EXPECT_GT(*reply.bestTop1, 0.9);
    const std::vector<MetricsLine> lines = readMetrics(run.metrics());
    EXPECT_EQ(lines, told);
    std::int64_t epochs = 0;
    for (const MetricsLine& line : lines)
        if (line.kind == MetricsLine::Kind::Epoch) ++epochs;
    EXPECT_EQ(epochs, 12);
    EXPECT_EQ(lines.size(), 12u + 32u);  // a line of steps every third of 96
    const RunInfo info = readRunInfo(run);
    EXPECT_EQ(info.state, "done");
    EXPECT_EQ(info.classes.size(), 4u);
    EXPECT_EQ(readRecipe(run.recipe()).hflip, 0);  // a mirrored pattern is of another class
    // What was best gives what was told.
    TrainStart best = smallNetwork();
    best.weights = readSafetensors(run.best());
    EvaluateRequest evaluation{data()};
    const EvaluateReply score = evaluate(best, evaluation, {});
    EXPECT_EQ(score.top1, *reply.bestTop1);
    EXPECT_EQ(score.images, 64);
    std::int64_t counted = 0, right = 0;
    for (std::size_t i = 0; i < 4; ++i)
        for (std::size_t j = 0; j < 4; ++j) {
            counted += score.confusion[i][j];
            if (i == j) right += score.confusion[i][j];
        }
    EXPECT_EQ(counted, 64);
    EXPECT_DOUBLE_EQ(static_cast<double>(right) / 64, score.top1);
    bool events = false;
    for (const auto& entry : std::filesystem::directory_iterator(run.root))
        events = events || entry.path().filename().string().starts_with("events.out.tfevents.");
    EXPECT_TRUE(events);
}

// The small network with the best weights of a training.
TrainStart trainedNetwork(const test::Folder& folder)
{
    const std::filesystem::path run = folder.path() / "run";
    train(smallNetwork(), trainRequest(run), {});
    TrainStart out = smallNetwork();
    out.weights = readSafetensors(run / "best.safetensors");
    return out;
}

// All that training has, at once.
Recipe richRecipe(Recipe recipe)
{
    recipe.opt = "adamw";
    recipe.lr = 0.005;
    recipe.modelEma = true;
    recipe.modelEmaDecay = 0.9;
    recipe.mixup = 0.2;
    recipe.cutmix = 0.5;
    recipe.smoothing = 0.1;
    recipe.clipGrad = 1;
    recipe.layerDecay = 0.9;
    recipe.scaleMin = 0.7;
    recipe.warmupEpochs = 1;
    return recipe;
}

TrainStart withDropout()
{
    return withPreprocessing(
        startOf("input 1x16x16 > conv:a k=3 p=1 c=8 > bn:an > relu > maxpool:p k=2 s=2 > conv:b k=5 p=2 c=16 > relu "
                "> dropout > "
                "gap > flatten > linear:head c=4"));
}

std::string bytesOf(const std::filesystem::path& file)
{
    const Weights weights = readSafetensors(file);
    std::string out;
    for (const auto& [name, tensor] : weights.tensors())
        out += name + std::string(reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size());
    return out;
}

TEST(Jobs, ARunThatIsStoppedAndResumedAnywhereEqualsOneThatIsNot)
{
    test::Folder folder;
    TrainRequest request = trainRequest(folder.path() / "whole");
    request.recipe = richRecipe(request.recipe);
    request.recipe.epochs = 2;
    const TrainReply whole = train(withDropout(), request, {});
    for (const int after : {0, 3, 8, 11}) {
        const RunFolder run{folder.path() / ("stopped" + std::to_string(after))};
        TrainRequest part = request;
        part.run = run.root.string();
        part.recipe.workers = 1 + after % 3;  // plays no part in the result
        JobWatch watch;
        int asked = 0;
        watch.stop = [&] { return asked++ >= after; };
        const TrainReply stopped = train(withDropout(), part, watch);
        EXPECT_EQ(stopped.state, "stopped");
        EXPECT_EQ(readRunInfo(run).state, "stopped");
        EXPECT_LT(stopped.steps, whole.steps);
        part.resume = true;
        part.device = "cpu";
        const TrainReply resumed = resumeTraining(part, {});
        EXPECT_EQ(resumed.steps, whole.steps);
        EXPECT_EQ(resumed.bestTop1, whole.bestTop1);
        EXPECT_EQ(bytesOf(run.last()), bytesOf(folder.path() / "whole" / "last.safetensors")) << after;
        EXPECT_EQ(bytesOf(run.best()), bytesOf(folder.path() / "whole" / "best.safetensors")) << after;
    }
}

TEST(Jobs, FrozenLayersStayAsTheyAre)
{
    test::Folder folder;
    TrainRequest request = trainRequest(folder.path() / "run");
    request.recipe.freeze = "p";
    request.recipe.epochs = 1;
    const TrainStart start = smallNetwork();
    train(start, request, {});
    const Weights after = readSafetensors(folder.path() / "run" / "last.safetensors");
    const auto same = [&](const char* name) {
        const Tensor &a = *start.weights.find(name), &b = *after.find(name);
        return std::equal(a.bytes.span().begin(), a.bytes.span().end(), b.bytes.span().begin(), b.bytes.span().end());
    };
    for (const char* name : {"a.weight", "a.bias", "an.weight", "an.running_mean", "an.running_var"})
        EXPECT_TRUE(same(name)) << name;
    for (const char* name : {"b.weight", "bn.running_mean", "head.weight"}) EXPECT_FALSE(same(name)) << name;
    request.run = (folder.path() / "other").string();
    request.recipe.freeze = "heat";
    request.run = (folder.path() / "slip").string();
    try {
        train(smallNetwork(), request, {});
        ADD_FAILURE() << "nothing was said";
    } catch (const Error& error) {
        EXPECT_STREQ(error.what(), "The network has no layer and no group called 'heat' to freeze. Did you mean 'head'?");
    }
    request.recipe.freeze = "head";
    EXPECT_THROW(train(start, request, {}), Error);
}

TEST(Jobs, EarlyStoppingSaysWhy)
{
    test::Folder folder;
    TrainRequest request = trainRequest(folder.path() / "run");
    request.recipe.lr = 0;
    request.recipe.momentum = 0;
    request.recipe.nesterov = false;
    request.recipe.weightDecay = 0;
    request.recipe.epochs = 50;
    request.recipe.patience = 2;
    request.recipe.minLr = 0;
    const TrainReply reply = train(startOf("input 1x16x16 > gap > flatten > linear:head c=4"), request, {});
    EXPECT_EQ(reply.reason, "Stopped early: no better top-1 for 2 epochs.");
    EXPECT_EQ(reply.epochs, 3);
    // It goes further where its user says so, and only then.
    TrainRequest further;
    further.run = request.run;
    further.resume = true;
    further.device = "cpu";
    EXPECT_EQ(resumeTraining(further, {}).epochs, 3);
    further.patience = 4;
    EXPECT_EQ(resumeTraining(further, {}).epochs, 7);
    EXPECT_EQ(readRecipe(RunFolder{request.run}.recipe()).patience, 4);
    further.patience = 0;
    further.epochs = 9;
    const TrainReply last = resumeTraining(further, {});
    EXPECT_EQ(last.reason, "All 72 steps are done.");
    EXPECT_EQ(last.epochs, 9);
    const std::string log = readText(RunFolder{request.run}.log(), 1 << 20);
    EXPECT_NE(log.find("Tensors: new 2 (8)\n    head.weight: new, 4x1\n"), std::string::npos) << log;
    EXPECT_NE(log.find("Images: resized to the network's input, mean "), std::string::npos) << log;
}

TEST(Jobs, ALossThatRunsAwayIsToldWithWhatToDo)
{
    test::Folder folder;
    TrainRequest request = trainRequest(folder.path() / "run");
    request.recipe.lr = 1000;
    try {
        train(startOf("input 1x16x16 > conv:a k=3 c=8 > conv:b k=3 c=8 > flatten > linear:h c=4"), request, {});
        ADD_FAILURE();
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("smaller learning rate than 1000"), std::string::npos) << error.what();
    }
    EXPECT_EQ(readRunInfo(RunFolder{request.run}).state, "failed");
}

TEST(Jobs, ARunThatRunsAwayKeepsItsLastGoodCheckpoint)
{
    test::Folder folder;
    TrainRequest request = trainRequest(folder.path() / "run");
    request.recipe.lr = 1000;
    request.recipe.checkpointInterval = 1;
    EXPECT_THROW(
        train(startOf("input 1x16x16 > conv:a k=3 c=8 > conv:b k=3 c=8 > flatten > linear:h c=4"), request, {}), Error);
    const Weights last = readSafetensors(RunFolder{request.run}.last());
    for (const auto& [name, tensor] : last.tensors())
        for (std::int64_t i = 0; i < tensor.elements(); ++i) ASSERT_FALSE(std::isnan(tensor.real(i))) << name;
}

// Tensors of a folded export are called after its nodes; PyTorch asks for paths of modules.
TEST(Jobs, CheckpointsStandUnderPyTorchsKeys)
{
    test::Folder folder;
    TrainStart start = withPreprocessing(smallNetwork());
    const NodeId conv = start.graph.findByName("a")->id;
    start.graph.update(conv, [](Node& node) { node.tensors.push_back({"weight", "onnx::Conv_193"}); });
    start.weights = materialise(start.graph, {}, 1);
    ASSERT_TRUE(start.weights.find("onnx::Conv_193"));
    TrainRequest request = trainRequest(folder.path() / "run");
    request.recipe.epochs = 2;
    request.recipe.unfoldNorms = false;
    JobWatch watch;
    int asked = 0;
    watch.stop = [&] { return asked++ >= 11; };
    EXPECT_EQ(train(start, request, watch).state, "stopped");
    const RunFolder run{request.run};
    for (const auto& file : {run.last(), run.best()}) {
        const Weights weights = readSafetensors(file);
        EXPECT_TRUE(weights.find("a.weight")) << file;
        EXPECT_FALSE(weights.find("onnx::Conv_193")) << file;
    }
    request.resume = true;
    request.device = "cpu";
    const TrainReply resumed = resumeTraining(request, {});
    EXPECT_EQ(resumed.state, "done");
    EXPECT_EQ(resumed.steps, 16);
}

TEST(Jobs, AStopInValidationKeepsTheRateOfTheEpochsLine)
{
    test::Folder folder;
    TrainRequest request = trainRequest(folder.path() / "whole");
    request.recipe.epochs = 2;
    train(withPreprocessing(smallNetwork()), request, {});
    request.run = (folder.path() / "stopped").string();
    JobWatch watch;
    int asked = 0;
    watch.stop = [&] { return asked++ >= 8; };  // eight steps an epoch, then the first batch of the validation
    EXPECT_EQ(train(withPreprocessing(smallNetwork()), request, watch).reason,
              "Stopped after step 8 of 16; it can be resumed.");
    request.resume = true;
    request.device = "cpu";
    resumeTraining(request, {});
    const auto rates = [&](const char* name) {
        std::vector<double> out;
        for (const MetricsLine& line : readMetrics(RunFolder{folder.path() / name}.metrics())) out.push_back(line.lr);
        return out;
    };
    EXPECT_EQ(rates("stopped"), rates("whole"));
}

TEST(Jobs, AStopBeforeTheFirstStepIsNoFailure)
{
    test::Folder folder;
    TrainRequest request = trainRequest(folder.path() / "run");
    JobWatch watch;
    watch.stop = [] { return true; };
    const TrainReply reply = train(smallNetwork(), request, watch);
    EXPECT_EQ(reply.state, "stopped");
    EXPECT_EQ(reply.reason, "Stopped before the first step; nothing was written.");
    EXPECT_FALSE(std::filesystem::exists(request.run));
}

TEST(Jobs, AResumedRunRefusesOtherData)
{
    test::Folder folder;
    TrainRequest request = trainRequest(folder.path() / "run");
    request.recipe.epochs = 1;
    train(smallNetwork(), request, {});
    const RunFolder run{request.run};
    const RunInfo info = readRunInfo(run);
    EXPECT_EQ(info.images, (std::array<std::int64_t, 2>{256, 64}));
    request.resume = true;
    request.device = "cpu";
    const auto refusal = [&](const RunInfo& changed) {
        std::ofstream(run.info()) << toJson(changed).dump();
        try {
            resumeTraining(request, {});
        } catch (const Error& error) {
            return error.message();
        }
        return std::string("nothing");
    };
    RunInfo changed = info;
    changed.images = {255, 64};
    EXPECT_NE(refusal(changed).find("it has 256 images to train on and 64 to validate instead of 255 images"),
              std::string::npos);
    changed = info;
    changed.classes[0] = "another";
    EXPECT_NE(refusal(changed).find("its classes have other names"), std::string::npos);
    EXPECT_EQ(refusal(info), "nothing");
}

TEST(Jobs, MixedPrecisionNeedsAGpuAndTheOrderOfChannelsChangesNothing)
{
    test::Folder folder;
    TrainRequest request = trainRequest(folder.path() / "amp");
    request.recipe.amp = true;
    EXPECT_THROW(train(smallNetwork(), request, {}), Error);
    EXPECT_FALSE(std::filesystem::exists(request.run));
    request.recipe.amp = false;
    request.recipe.epochs = 1;
    request.run = (folder.path() / "plain").string();
    const TrainReply plain = train(smallNetwork(), request, {});
    request.recipe.channelsLast = true;
    request.run = (folder.path() / "last").string();
    const TrainReply last = train(smallNetwork(), request, {});
    EXPECT_EQ(last.steps, plain.steps);
    const Weights a = readSafetensors(folder.path() / "plain" / "last.safetensors"),
                  b = readSafetensors(folder.path() / "last" / "last.safetensors");
    for (const auto& [name, tensor] : a.tensors())
        for (std::int64_t i = 0; i < tensor.elements(); ++i)
            ASSERT_NEAR(tensor.real(i), b.find(name)->real(i), 2e-3) << name;
}

TEST(Jobs, DataWithoutImagesToValidateIsSaidSo)
{
    test::Folder folder;
    TrainRequest request = trainRequest(folder.path() / "run");
    request.recipe.epochs = 1;
    // One picture of each class: none is left for validation.
    for (const char* name : {"a", "b", "c", "d"}) {
        std::filesystem::create_directories(folder.path() / "data" / name);
        std::ofstream(folder.path() / "data" / name / "1.bmp", std::ios::binary)
            << std::string("BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x02\0\0\0\x02\0\0\0\x01\0\x18\0\0\0\0\0\x10\0\0\0"
                           "\x13\x0b\0\0\x13\x0b\0\0\0\0\0\0\0\0\0\0",
                           54)
            << std::string(16, '\x7f');
    }
    request.data = (folder.path() / "data").string();
    DataUse use = data();
    use.source = request.data;
    try {
        evaluate(startOf("input 3x16x16 > gap > flatten > linear:head c=4"), {use}, {});
        ADD_FAILURE();
    } catch (const Error& error) {
        EXPECT_NE(error.message().find("The data has no images to evaluate on"), std::string::npos) << error.message();
    }
}

TEST(Jobs, AnotherNumberOfClassesGetsANewHead)
{
    test::Folder folder;
    TrainStart start = startOf("input 1x16x16 > conv:a k=3 p=1 c=8 > relu > gap > flatten > linear:head c=1000");
    std::string said;
    JobWatch watch;
    watch.log = [&](const std::string& text) { said += text + "\n"; };
    TrainRequest request = trainRequest(folder.path() / "run");
    request.recipe.epochs = 1;
    train(start, request, watch);
    EXPECT_NE(said.find("The network gets a new head: 4 classes instead of 1000."), std::string::npos) << said;
    EXPECT_EQ(readSafetensors(folder.path() / "run" / "best.safetensors").find("head.weight")->dims, (Ints{4, 8}));
    EXPECT_THROW(evaluate(start, {data()}, {}), Error);
}

TEST(Jobs, ARunIsNotOverwrittenAndMissingDataIsRefused)
{
    test::Folder folder;
    TrainRequest request = trainRequest(folder.path() / "run");
    request.recipe.epochs = 1;
    train(smallNetwork(), request, {});
    EXPECT_THROW(train(smallNetwork(), request, {}), Error);
    request.run = (folder.path() / "other").string();
    request.data = (folder.path() / "nowhere").string();
    EXPECT_THROW(train(smallNetwork(), request, {}), Error);
    EXPECT_FALSE(std::filesystem::exists(request.run));
}

// Only the second convolution sees the whole pattern.
TEST(Jobs, ProbesRiseWhereALayerAddsSomething)
{
    test::Folder folder;
    TrainStart trained = trainedNetwork(folder);
    ProbeRequest ask;
    ask.data = data();
    const ProbeReply reply = probe(trained, ask, {});
    ASSERT_EQ(reply.rows.size(), 4u);
    EXPECT_EQ(reply.rows[0].layer, "a");
    EXPECT_EQ(reply.rows[0].features, 8);
    EXPECT_EQ(reply.rows[1].layer, "p");
    EXPECT_EQ(reply.rows[2].layer, "b");
    EXPECT_EQ(reply.rows[3].layer, "head");
    EXPECT_LT(reply.rows[0].top1, 0.7);
    EXPECT_GT(reply.rows[2].top1, 0.9);
    EXPECT_EQ(reply.validationImages, 64);
    // Layer by layer, because nothing more may be kept.
    const ProbeReply one = probeWithin(1, trained, ask, {});
    ASSERT_EQ(one.rows.size(), reply.rows.size());
    EXPECT_EQ(one.validationImages, 64);
    for (std::size_t i = 0; i < one.rows.size(); ++i) {
        EXPECT_EQ(one.rows[i].layer, reply.rows[i].layer);
        EXPECT_EQ(one.rows[i].top1, reply.rows[i].top1);
    }
    ask.layers = {"b"};
    EXPECT_EQ(probe(trained, ask, {}).rows.size(), 1u);
    ask.layers = {"nowhere"};
    EXPECT_THROW(probe(trained, ask, {}), Error);
}

TEST(Jobs, TheRateFinderSuggestsARateAtWhichTheLossFalls)
{
    RateRequest request;
    request.data = kData;
    request.recipe.batchSize = 32;
    request.high = 10;
    request.steps = 60;
    const RateReply reply = findLearningRate(smallNetwork(), request, {});
    ASSERT_TRUE(reply.suggested);
    EXPECT_GT(*reply.suggested, 1e-4);
    EXPECT_LT(*reply.suggested, 3);
    EXPECT_EQ(reply.rates.size(), reply.losses.size());
    EXPECT_DOUBLE_EQ(reply.rates.front(), 1e-5);
}

TEST(Jobs, RecalibrationMendsStatisticsThatAreWrong)
{
    test::Folder folder;
    TrainStart broken = trainedNetwork(folder);
    for (const char* norm : {"an", "bn"}) {
        const std::int64_t channels = broken.weights.find(norm + std::string(".running_mean"))->dims[0];
        broken.weights.set(norm + std::string(".running_mean"),
                           Tensor::fromFloats({channels}, std::vector<float>(static_cast<std::size_t>(channels), 3)));
    }
    RecalibrateRequest ask;
    ask.data = data();
    ask.out = (folder.path() / "norms.safetensors").string();
    const RecalibrateReply reply = recalibrate(broken, ask, {});
    EXPECT_EQ(reply.norms, 2);
    EXPECT_EQ(reply.images, 256);
    EXPECT_LT(reply.top1Before, 0.6);
    EXPECT_GT(reply.top1After, 0.9);
    EXPECT_EQ(readSafetensors(ask.out).tensors().size(), 4u);
    EXPECT_THROW(recalibrate(startOf("input 1x16x16 > conv:a k=3 c=4 > gap > flatten"), ask, {}), Error);
}

// A folder for each class, so that images come sorted: each class has its own brightness.
void writeSortedImages(const std::filesystem::path& folder)
{
    constexpr std::uint32_t kSide = 16, kPixels = kSide * kSide * 3;
    for (int label = 0; label < 4; ++label)
        for (int i = 0; i < 30; ++i) {
            const auto path = folder / std::string(1, static_cast<char>('a' + label)) / (std::to_string(i) + ".bmp");
            std::filesystem::create_directories(path.parent_path());
            std::string file = "BM";
            const auto number = [&](std::uint32_t value, int bytes) {
                for (int b = 0; b < bytes; ++b) file.push_back(static_cast<char>(value >> (8 * b)));
            };
            number(54 + kPixels, 4), number(0, 4), number(54, 4), number(40, 4), number(kSide, 4), number(kSide, 4);
            number(1, 2), number(24, 2), number(0, 4), number(kPixels, 4), number(0, 4), number(0, 4), number(0, 4),
                number(0, 4);
            for (std::uint32_t p = 0; p < kPixels; ++p)
                file.push_back(static_cast<char>(60 * label + 20 + static_cast<int>(p % 3) * 5 + i % 4));
            std::ofstream(path, std::ios::binary) << file;
        }
}

TEST(Jobs, RecalibrationSeesAllOfTheImagesHoweverTheyAreSorted)
{
    test::Folder folder;
    writeSortedImages(folder.path() / "images");
    const TrainStart start = startOf("input 3x16x16 > conv:a k=1 c=4 > bn:an > relu > gap > flatten > linear:head c=4");
    const auto statistics = [&](std::int64_t batch) {
        RecalibrateRequest ask;
        ask.data.source = (folder.path() / "images").string();
        ask.data.batch = batch;
        ask.out = (folder.path() / "norms.safetensors").string();
        EXPECT_EQ(recalibrate(start, ask, {}).images, 96);
        const Weights written = readSafetensors(ask.out);
        std::vector<double> out;
        for (const char* name : {"an.running_mean", "an.running_var"})
            for (std::int64_t i = 0; i < 4; ++i) out.push_back(written.find(name)->real(i));
        return out;
    };
    const std::vector<double> all = statistics(96), few = statistics(7);
    for (std::size_t i = 0; i < all.size(); ++i) EXPECT_NEAR(few[i], all[i], 1e-3 * std::abs(all[i])) << i;
    EXPECT_THROW(statistics(1), Error);
}

TEST(Jobs, ANetworkOfOneChannelIsTrainedOnColouredImages)
{
    test::Folder folder;
    writeSortedImages(folder.path() / "images");
    TrainRequest request = trainRequest(folder.path() / "run");
    request.data = (folder.path() / "images").string();
    request.recipe.epochs = 1;
    EXPECT_EQ(
        train(startOf("input 1x16x16 > conv:a k=3 c=4 > bn:an > relu > gap > flatten > linear:head c=4"), request, {})
            .state,
        "done");
    const auto preprocessing = readRunGraph({folder.path() / "run"}).preprocessing();
    ASSERT_TRUE(preprocessing);
    EXPECT_EQ(preprocessing->mean.size(), 1u);
    EXPECT_NEAR(preprocessing->mean[0], (20 + 90 + 5 + 1.5) / 255, 0.01);
}

TEST(Jobs, ANormWithOneValueAChannelEndsTheRunWithASentence)
{
    test::Folder folder;
    TrainRequest request = trainRequest(folder.path() / "run");
    request.recipe.batchSize = 1;
    request.recipe.epochs = 1;
    request.recipe.maxSteps = 3;
    try {
        train(startOf("input 1x16x16 > conv:a k=16 c=4 > bn:an > relu > gap > flatten > linear:head c=4"), request, {});
        FAIL() << "nothing was said";
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("no number"), std::string::npos) << error.what();
    }
    EXPECT_EQ(readRunInfo({folder.path() / "run"}).state, "failed");
    EXPECT_FALSE(std::filesystem::exists(RunFolder{folder.path() / "run"}.best()));
}

TEST(Jobs, ARunThatCannotBeginLeavesForeignFilesAlone)
{
    test::Folder folder;
    const TrainRequest request = trainRequest(folder.path() / "run");
    std::filesystem::create_directories(request.run);
    const RunFolder run{request.run};
    for (const auto& path : {run.metrics(), run.log(), run.best()}) {
        writeAtomically(path, "mine");
        EXPECT_THROW(train(smallNetwork(), request, {}), Error) << path;
        EXPECT_EQ(readText(path, 100), "mine");
        std::filesystem::remove(path);
    }
}

double distance(const Weights& a, const Weights& b)
{
    double out = 0;
    for (const auto& [name, tensor] : a.tensors())
        for (std::int64_t i = 0; name.ends_with(".weight") && i < tensor.elements(); ++i)
            out += std::pow(tensor.real(i) - b.find(name)->real(i), 2);
    return std::sqrt(out);
}

// With a constant decay of 0.99 the average of eight steps would be 92 % of what the run began with.
TEST(Jobs, TheAverageOfAShortRunIsOfWhatItLearnt)
{
    test::Folder folder;
    const TrainStart start = smallNetwork();
    TrainRequest request = trainRequest(folder.path() / "run");
    request.recipe.epochs = 1;
    request.recipe.modelEma = true;
    request.recipe.modelEmaDecay = 0.99;
    train(start, request, {});
    const RunFolder run{folder.path() / "run"};
    const Weights best = readSafetensors(run.best()), last = readSafetensors(run.last());
    EXPECT_LT(distance(best, last), distance(start.weights, last) / 2);
    EXPECT_GT(distance(best, last), 0);
}

TEST(Jobs, ADeviceThatIsNotThereIsNamed)
{
    EXPECT_EQ(deviceFor("cpu"), "cpu");
    try {
        deviceFor("bogus");
        FAIL() << "nothing was said";
    } catch (const Error& error) {
        EXPECT_EQ(std::string(error.what()).rfind("There is no device 'bogus' here; there is cpu", 0), 0u)
            << error.what();
    }
}

TEST(Jobs, UnfoldedNormsChangeNothing)
{
    TrainStart start = startOf(
        "input 1x16x16 > conv:a k=3 p=1 c=8 > relu > conv:b k=3 p=1 c=8 > relu > gap > flatten > linear:head c=4");
    // As an exporter names what it folded.
    Weights named = start.weights;
    for (const char* layer : {"a", "b"}) {
        const NodeId id = test::layer(start.graph, layer).id;
        start.graph.update(id, [&](Node& node) {
            node.tensors = {{"weight", std::string("onnx::Conv_") + layer},
                            {"bias", std::string("onnx::Conv_bias_") + layer}};
        });
        named.set(std::string("onnx::Conv_") + layer, *start.weights.find(std::string(layer) + ".weight"));
        named.set(std::string("onnx::Conv_bias_") + layer, *start.weights.find(std::string(layer) + ".bias"));
    }
    start.weights = materialise(start.graph, named, 0);
    EXPECT_EQ(foldedConvolutions(start.graph).size(), 2u);
    UnfoldRequest ask;
    ask.data = data();
    const Unfolded unfolded = unfoldNorms(start, ask, {});
    EXPECT_EQ(unfolded.reply.norms, 2);
    EXPECT_LT(unfolded.reply.difference, 1e-4);
    EXPECT_TRUE(foldedConvolutions(unfolded.graph).empty());
    const Node& norm = test::layer(unfolded.graph, "a_norm");
    EXPECT_EQ(norm.kind, "BatchNorm2d");
    EXPECT_FALSE(test::layer(unfolded.graph, "a").attrs.getBool("bias", true));
    // The norm's own statistics are those of what it sees: training mode starts from the same function.
    const Tensor &scale = *unfolded.weights.find("a_norm.weight"),
                 &variance = *unfolded.weights.find("a_norm.running_var");
    for (std::int64_t i = 0; i < 8; ++i) EXPECT_NEAR(scale.real(i) * scale.real(i), variance.real(i) + 1e-5, 1e-5);
    EXPECT_THROW(unfoldNorms(smallNetwork(), ask, {}), Error);
}

TEST(Jobs, FineTuningPutsFoldedNormsBackFirst)
{
    test::Folder folder;
    TrainStart start = startOf("input 1x16x16 > conv:a k=3 p=1 c=8 > relu > gap > flatten > linear:head c=4");
    start.graph.update(test::layer(start.graph, "a").id, [](Node& node) {
        node.tensors = {{"weight", "onnx::Conv_9"}};
    });
    start.weights = materialise(start.graph, {}, 3);
    TrainRequest request = trainRequest(folder.path() / "run");
    request.recipe.epochs = 1;
    train(start, request, {});
    EXPECT_TRUE(readSafetensors(folder.path() / "run" / "best.safetensors").find("a_norm.running_mean"));
    request.run = (folder.path() / "plain").string();
    request.recipe.unfoldNorms = false;
    train(start, request, {});
    EXPECT_FALSE(readSafetensors(folder.path() / "plain" / "best.safetensors").find("a_norm.running_mean"));
}

// Whoever freezes a layer cannot know what norm is put back behind it; and every tensor of the file is accounted for,
// also the bias that goes into the norm, and a head that is not the file's.
TEST(Jobs, AFrozenConvolutionKeepsTheNormThatIsPutBack)
{
    test::Folder folder;
    TrainStart start = startOf(
        "input 1x16x16 > conv:a k=3 p=1 c=8 > relu > conv:b k=3 p=1 c=8 > relu > gap > flatten > linear:head c=7");
    for (const char* layer : {"a", "b"})
        start.graph.update(test::layer(start.graph, layer).id, [&](Node& node) {
            node.tensors = {{"weight", std::string("onnx::Conv_") + layer}, {"bias", std::string("onnx::Bias_") + layer}};
        });
    start.given = materialise(start.graph, {}, 3);
    start.weights = start.given;
    TrainRequest request = trainRequest(folder.path() / "still");
    request.recipe.epochs = 1;
    request.recipe.lr = 0;
    request.recipe.modelEma = false;
    std::string log;
    JobWatch watch;
    watch.log = [&](const std::string& text) { log += text + "\n"; };
    train(start, request, watch);
    EXPECT_NE(log.find("Tensors: copied 2 (648), new 10 (68), dropped 2 (16)\n"), std::string::npos) << log;
    for (const char* row : {"a_norm.weight: new, 8\n", "onnx::Bias_a: dropped, 8\n", "head.weight: new, 4x8\n"})
        EXPECT_NE(log.find(row), std::string::npos) << row << log;
    request.run = (folder.path() / "run").string();
    request.recipe.lr = 0.1;
    request.recipe.freeze = "a";
    train(start, request, {});
    const Weights before = readSafetensors(folder.path() / "still/last.safetensors"),
                  after = readSafetensors(folder.path() / "run/last.safetensors");
    const auto same = [&](const char* name) {
        const Tensor &a = *before.find(name), &b = *after.find(name);
        return std::equal(a.bytes.span().begin(), a.bytes.span().end(), b.bytes.span().begin(), b.bytes.span().end());
    };
    for (const char* name : {"a.weight", "a_norm.weight", "a_norm.bias"}) EXPECT_TRUE(same(name)) << name;
    for (const char* name : {"b.weight", "b_norm.weight", "head.weight"}) EXPECT_FALSE(same(name)) << name;
    EXPECT_EQ(readRecipe(RunFolder{request.run}.recipe()).freeze, "a_norm");
}

TEST(Jobs, TheEffectiveFieldLiesInsideTheTheoreticalOne)
{
    test::Folder folder;
    EffectiveRequest ask;
    ask.layer = "b";
    ask.unit = {{2, 3}};
    ask.threshold = 0;
    ask.image = (folder.path() / "field.safetensors").string();
    const TrainStart start =
        startOf("input 1x16x16 > conv:a k=3 p=1 c=4 > tanh > maxpool k=2 s=2 > conv:b k=3 p=1 c=4");
    const EffectiveReply reply = effectiveField(start, ask, {});
    EXPECT_EQ(reply.images, 20);
    EXPECT_EQ(reply.size, (std::array<std::int64_t, 2>{16, 16}));
    // rf = 3 + (2 - 1) + (3 - 1) * 2 = 8, starting at 2 * 2 - 2 - 1 = 1 and 3.
    ASSERT_TRUE(reply.box);
    EXPECT_EQ(*reply.box, (std::array<std::int64_t, 4>{1, 3, 9, 11}));
    EXPECT_EQ(readSafetensors(ask.image).find("field")->dims, (Ints{16, 16}));
    ask.threshold = 0.5;
    EXPECT_LT(effectiveField(start, ask, {}).area, reply.area);
    ask.unit = {{8, 0}};
    EXPECT_THROW(effectiveField(start, ask, {}), Error);
    ask.unit.reset();
    ask.data.source = kData;
    EXPECT_THROW(effectiveField(startOf("input 1x16x16 > relu:r"), ask, {}), Error);  // no such layer
}

TEST(Jobs, AFieldsNumbersAreThoseOfItsPixels)
{
    std::vector<float> values(25, 0);
    for (const int at : {11, 12, 13}) values[static_cast<std::size_t>(at)] = 1;  // row 2, columns 1 to 3
    const EffectiveReply reply = measureField(Tensor::fromFloats({5, 5}, values), 0.5);
    EXPECT_EQ(reply.area, 3);
    EXPECT_EQ(*reply.box, (std::array<std::int64_t, 4>{2, 1, 3, 4}));
    EXPECT_NEAR(reply.diameter, 2 * std::sqrt(3 / 3.14159265358979), 1e-9);
    EXPECT_NEAR(reply.sigma, std::sqrt((0 + 2.0 / 3) / 2), 1e-9);
    EXPECT_FALSE(measureField(Tensor::fromFloats({2, 2}, {0, 0, 0, 0}), 0.5).box);
}

TEST(Jobs, CostIsMeasuredForBothWaysOfRunning)
{
    CostRequest ask;
    ask.batch = 8;
    ask.repeats = 3;
    for (const bool training : {true, false}) {
        ask.training = training;
        const CostReply reply = measureCost(smallNetwork(), ask, {});
        EXPECT_EQ(reply.seconds.size(), 3u);
        EXPECT_GT(reply.median, 0);
        EXPECT_EQ(reply.device, "cpu");
    }
    // A network without a classifier has a latency as well.
    const TrainStart map = startOf("input 3x16x16 > conv:a k=3 p=1 c=8 > relu > conv:b k=1 c=2");
    ask.training = false;
    EXPECT_GT(measureCost(map, ask, {}).median, 0);
    // And a step of training, with a loss that stands for its own.
    ask.training = true;
    EXPECT_GT(measureCost(map, ask, {}).median, 0);
    const TrainStart two = startOf("input:left 3x8x8 > conv:a k=1 c=4 > relu:x; input:right 3x8x8 > conv:b k=1 c=4 > add @x");
    for (const bool training : {true, false}) {
        ask.training = training;
        EXPECT_GT(measureCost(two, ask, {}).median, 0);
    }
    ask.training = true;
    EXPECT_THROW(measureCost(startOf("input 3x8x8 > maxpool k=2 s=2"), ask, {}), Error);
    ask.repeats = 0;
    EXPECT_THROW(measureCost(smallNetwork(), ask, {}), Error);
}

TEST(Jobs, TwoInputsAreRefusedBeforeImagesAreLookedFor)
{
    const TrainStart two = startOf("input:left 3x8x8 > conv:a k=1 c=4 > relu:x; input:right 3x8x8 > conv:b k=1 c=4 > add:sum @x > gap > flatten > linear c=10");
    const auto why = [&](auto&& work) -> std::string {
        try {
            work();
        } catch (const Error& error) {
            return error.what();
        }
        return "";
    };
    DataUse nowhere;
    nowhere.source = "/no/such/folder";
    const std::string sentence = "The network reads 'right' beside the image 'left', and labelled images give one input: it cannot be trained, evaluated, probed or "
                                 "recalibrated on them.";
    EXPECT_EQ(why([&] { evaluate(two, EvaluateRequest{nowhere}, {}); }), sentence);
    ProbeRequest asked;
    asked.data = nowhere;
    EXPECT_EQ(why([&] { probe(two, asked, {}); }), sentence);
    RecalibrateRequest norms;
    norms.data = nowhere;
    EXPECT_EQ(why([&] { recalibrate(two, norms, {}); }), sentence);
}

TEST(Jobs, MemoryOfAStepIsWhatItsTensorsHold)
{
    const TrainStart plain = startOf("input 2x64x64 > conv:a k=1 c=8 > relu > gap > flatten > linear:head c=4");
    CostRequest ask;
    ask.batch = 4;
    ask.repeats = 2;
    ask.training = false;
    // Images, the convolution's maps and the rectified ones, at once; tensors of a few bytes beside them.
    const std::int64_t images = 4 * 2 * 64 * 64 * 4, maps = 4 * 8 * 64 * 64 * 4, few = 4096;
    const std::int64_t inference = measureCost(plain, ask, {}).memory;
    EXPECT_GE(inference, images + 2 * maps);
    EXPECT_LE(inference, images + 2 * maps + few);
    ask.training = true;
    const std::int64_t training = measureCost(plain, ask, {}).memory;
    // The rectified maps are kept, and so are the images; backward needs their gradient and the convolution's.
    EXPECT_GE(training, images + 3 * maps);
    EXPECT_LE(training, images + 4 * maps + few);
    // What was measured before changes nothing.
    EXPECT_EQ(measureCost(plain, ask, {}).memory, training);
    ask.training = false;
    EXPECT_EQ(measureCost(plain, ask, {}).memory, inference);
    // Twice the images: twice the maps.
    ask.batch = 8;
    EXPECT_NEAR(static_cast<double>(measureCost(plain, ask, {}).memory), 2.0 * static_cast<double>(inference), few);
}

}  // namespace
}  // namespace fovea
