// Jobs on files of images, some of them damaged.
#include "core/io/safetensors/safetensors.h"
#include "core/recipe/run_folder.h"
#include "core/train/effective_field.h"
#include "core/train/evaluate.h"
#include "core/train/norms.h"
#include "core/train/probe.h"
#include "tests/data/files.h"
#include "tests/support/text_graph.h"

#include <gtest/gtest.h>

#include <cmath>

namespace fovea {
namespace {

class FileJobs : public ::testing::Test {
protected:
    // 40 images of two classes; eight of them end in their header or in their pixels.
    FileJobs()
    {
        const std::string whole[] = {test::bytesOf("rgb.jpg"), test::bytesOf("progressive.jpg")};
        for (int i = 0; i < 40; ++i) {
            const std::string& bytes = whole[i / 2 % 2];
            const auto cut = static_cast<std::size_t>(i) * 9;
            test::put(photos / (i % 2 ? "cat" : "dog") / (std::to_string(100 + i) + ".jpg"),
                      i % 5 == 2 ? bytes.substr(0, 30 + cut) : bytes);
        }
        start.graph = test::graphOf("input 3x8x8 > conv:a k=3 p=1 c=4 > bn:an > relu > gap > flatten > linear:head c=2");
        start.graph.setPreprocessing(Preprocessing{.mean = {0.5}, .deviation = {0.25}});  // so that a stop comes at a batch
        start.weights = materialise(start.graph, {}, 1);
        use.source = photos.string();
        use.batch = 8;
    }

    TrainRequest trainRequest(const char* name, std::int64_t workers) const
    {
        TrainRequest request;
        request.run = (folder.path() / name).string();
        request.data = photos.string();
        request.recipe.epochs = 3;
        request.recipe.batchSize = 8;
        request.recipe.workers = workers;
        return request;
    }

    test::Folder folder;
    std::filesystem::path photos = folder.path() / "photos";
    TrainStart start;
    DataUse use;
};

TEST_F(FileJobs, ARunIsTheSameAtAnyNumberOfWorkers)
{
    const auto bytesOf = [&](const char* name) { return readText(folder.path() / name / "last.safetensors", 1 << 20); };
    const TrainReply one = train(start, trainRequest("one", 1), {});
    EXPECT_EQ(one.broken.count, 8);
    EXPECT_EQ(one.broken.named.size(), 8u);
    for (const std::int64_t workers : {2, 5}) {
        const std::string name = "of " + std::to_string(workers);
        EXPECT_EQ(train(start, trainRequest(name.c_str(), workers), {}).broken.count, 8);
        EXPECT_EQ(bytesOf(name.c_str()), bytesOf("one")) << workers;
    }
    // Stopped and resumed, too.
    int asked = 0;
    JobWatch watch;
    watch.stop = [&] { return asked++ >= 9; };
    TrainRequest request = trainRequest("resumed", 3);
    EXPECT_EQ(train(start, request, watch).state, "stopped");
    request.resume = true;
    request.device = "cpu";
    resumeTraining(request, {});
    EXPECT_EQ(bytesOf("resumed"), bytesOf("one"));
}

TEST_F(FileJobs, EveryJobNamesTheImagesThatItCouldNotRead)
{
    const std::int64_t inTraining = recalibrate(start, {use, ""}, {}).broken.count;
    EvaluateRequest validation{use}, training{use};
    training.data.part = "train";
    const EvaluateReply scored = evaluate(start, validation, {}), learnt = evaluate(start, training, {});
    EXPECT_EQ(scored.broken.count + learnt.broken.count, 8);
    EXPECT_EQ(inTraining, 8);
    EXPECT_EQ(learnt.images + learnt.broken.count + scored.images + scored.broken.count, 40);
    ProbeRequest probes;
    probes.data = use;
    EXPECT_EQ(probe(start, probes, {}).broken.count, 8);
    EffectiveRequest field;
    field.layer = "a";
    field.data = use;
    EXPECT_EQ(effectiveField(start, field, {}).broken.count, scored.broken.count);
    RateRequest rates;
    rates.data = photos.string();
    rates.recipe = trainRequest("", 2).recipe;
    rates.steps = 12;
    EXPECT_EQ(findLearningRate(start, rates, {}).broken.count, learnt.broken.count);
    for (const BrokenName& broken : scored.broken.named) {
        EXPECT_NE(broken.name.find(".jpg"), std::string::npos);
        EXPECT_TRUE(broken.why.ends_with(".")) << broken.why;
    }
    // Each image counts once in the statistics.
    EXPECT_EQ(recalibrate(start, {use, ""}, {}).images, learnt.images);
}

TEST_F(FileJobs, TheRateThatIsSuggestedLearns)
{
    const char* source =
        "patterns:classes=4,size=16,pattern=9,mark=3,clutter=0,jitter=0,noise=0,place=centre,images=256,validation=64";
    TrainStart fresh;
    fresh.graph = test::graphOf(
        "input 1x16x16 > conv:a k=3 p=1 c=8 > bn:an > relu > maxpool:p k=2 s=2 > conv:b k=7 p=3 c=32 > bn:bn > relu > "
        "gap > flatten > linear:head c=4");
    fresh.weights = materialise(fresh.graph, {}, 1);
    RateRequest ask;
    ask.data = source;
    ask.recipe.batchSize = 32;
    const RateReply reply = findLearningRate(fresh, ask, {});
    ASSERT_TRUE(reply.suggested);
    TrainRequest request = trainRequest("suggested", 1);
    request.data = source;
    request.recipe.epochs = 12;
    request.recipe.batchSize = 32;
    request.recipe.lr = *reply.suggested;
    EXPECT_GT(train(fresh, request, {}).bestTop1.value_or(0), 0.9) << *reply.suggested;
}

}  // namespace
}  // namespace fovea
