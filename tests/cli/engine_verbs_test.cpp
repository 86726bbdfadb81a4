// The verbs that start fovea-engine: what they print, write and refuse. The engine is built where LibTorch is; without
// it each of them says what to do.
#include "app/cli/engine_work.h"
#include "app/cli/programs.h"
#include "core/data/dataset.h"
#include "core/io/model/model.h"
#include "core/recipe/run_folder.h"
#include "tests/cli/cli_run.h"

#include <csignal>
#include <cstdlib>

namespace fovea::test {
namespace {

constexpr const char* kImages =
    "patterns:classes=2,size=16,images=96,validation=32,noise=0,clutter=0,pattern=11,jitter=0";

class EngineVerbs : public CliTest {
protected:
    EngineVerbs()
    {
        save("net.fovea",
             "input 3x16x16 > conv:a k=3 p=1 c=4 > bn:an > relu > maxpool:p k=2 s=2 > conv:b k=3 p=1 c=4 > "
             "relu > gap > flatten > linear:head c=2");
    }
    void SetUp() override
    {
        // A second copy of the program on PATH would hide that there is none beside the tests.
        m_path = std::getenv("PATH");
        ::setenv("PATH", "/nowhere", 1);
    }
    void TearDown() override { ::setenv("PATH", m_path.c_str(), 1); }

    // Where there is no engine, that is what the verb says; and the test is over.
    static bool missed(const Ran& ran)
    {
        if (cli::findEngine()) return false;
        EXPECT_EQ(ran.code, 2);
        EXPECT_EQ(ran.out, "");
        EXPECT_EQ(ran.err, "fovea: This needs fovea-engine, which is neither beside this program nor on PATH; 'fovea "
                           "doctor' says what to do.\n");
        return true;
    }

    static std::vector<std::string> with(std::vector<std::string> words, const std::vector<std::string>& more)
    {
        words.insert(words.end(), more.begin(), more.end());
        return words;
    }

    static Ran train(const std::vector<std::string>& more = {}, const std::string& epochs = "2")
    {
        return run(with({"train", "net.fovea", "--data", kImages, "--preset", "quick", "--epochs", epochs, "--batch-size",
                         "16", "--workers", "1", "--device", "cpu", "-o", "run"},
                        more));
    }

    static Json json(const Ran& ran)
    {
        EXPECT_LE(ran.code, 1) << ran.err;
        return Json::parse(ran.out, nullptr, false);
    }

private:
    std::string m_path;
};

TEST_F(EngineVerbs, TheGradientIsPrintedBesideTheBox)
{
    save("fields.fovea", "input 3x32x32 > conv:a k=3 s=2 p=1 c=4 > conv:b k=5x1 p=2x0 c=2 > gap:g");
    const Ran ran = run({"field", "fields.fovea", "--layer", "b", "--unit", "0,3", "--measure"});
    if (missed(ran)) return;
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_NE(ran.out.find("  measured  [0, 5, 6, 8]  6 x 3 px, the same\n"), std::string::npos) << ran.out;
}

TEST_F(EngineVerbs, PlansAreHeldToAMeasuredLatency)
{
    save("deep.fovea", "input 3x32x32 > conv:a k=7 s=2 p=3 c=8 > maxpool:p k=2 > conv:b k=3 p=1 s=2 c=8 > conv:c k=3 p=1 "
                       "s=2 c=8 > conv:d k=3 p=1 c=8 > gap > flatten > linear:head c=2");
    const std::vector<std::string> words{"refine", "deep.fovea", "--json", "--device", "cpu"};
    const Ran ran = run(with(words, {"--max-latency", "100s", "--batch", "2"}));
    if (missed(ran)) return;
    EXPECT_EQ(ran.code, 0) << ran.err;
    const Json all = json(ran)["plans"];
    ASSERT_GT(all.size(), 0u);
    for (const Json& plan : all) {
        EXPECT_GT(plan["latency"]["before"].get<double>(), 0);
        EXPECT_GT(plan["latency"]["after"].get<double>(), 0);
        EXPECT_EQ(plan["latency"]["batch"], 2);
        EXPECT_EQ(plan["latency"]["device"], "cpu");
    }
    EXPECT_EQ(json(run({"refine", "deep.fovea", "--json"}))["plans"].size(), all.size());
    // No machine is as fast as that.
    const Ran none = run(with(words, {"--max-latency", "0.001us"}));
    EXPECT_EQ(none.code, 1);
    EXPECT_EQ(json(none)["plans"].size(), 0u);
    ASSERT_EQ(json(none)["loosen"].size(), 1u);
    EXPECT_EQ(json(none)["loosen"][0]["option"], "--max-latency");
    EXPECT_GT(json(none)["loosen"][0]["to"].get<int>(), 1);
    const std::string table = run({"refine", "deep.fovea", "--max-latency", "1000x", "--device", "cpu"}).out;
    EXPECT_NE(table.find("  latency\n"), std::string::npos) << table;
}

TEST_F(EngineVerbs, TheEffectiveFieldLiesInTheBoxAndIsWritten)
{
    const std::vector<std::string> words{"field", "net.fovea", "--layer", "b", "--unit", "3,4", "--effective"};
    const Ran noise = run(with(words, {"--images", "3", "-o", "field.safetensors"}));
    if (missed(noise)) return;
    EXPECT_EQ(noise.code, 0) << noise.err;
    EXPECT_NE(noise.out.find("  effective ["), std::string::npos) << noise.out;
    EXPECT_NE(noise.out.find(", over 3 images\n"), std::string::npos) << noise.out;
    EXPECT_EQ(std::filesystem::file_size("field.safetensors") % 8, 0u);
    EXPECT_GT(std::filesystem::file_size("field.safetensors"), 16u * 16 * 8);
    const Json told = json(run(with(words, {"--data", kImages, "--images", "4", "--train-mode", "--threshold", "0.2",
                                            "--device", "cpu", "--json"})));
    const Json &box = told["effective"]["box"], &clipped = told["clipped"];
    EXPECT_EQ(told["effective"]["images"], 4);
    for (int side = 0; side < 2; ++side) {
        EXPECT_GE(box[side], clipped[side]);
        EXPECT_LE(box[side + 2], clipped[side + 2]);
    }
}

TEST_F(EngineVerbs, OptionsOfTheEffectiveFieldNeedIt)
{
    expectRefused({"field", "net.fovea", "--layer", "b", "--threshold", "0.1"},
                  "Option '--threshold' has a meaning only together with '--effective'.");
    expectRefused({"field", "net.fovea", "--layer", "b", "--effective", "--threshold", "2"},
                  "Option '--threshold' takes a share between 0 and 1, but got '2'.");
}

TEST_F(EngineVerbs, TheDoctorNamesLibTorchOrSaysHowToGetIt)
{
    const Ran ran = run({"doctor"});
    EXPECT_EQ(ran.out.rfind("fovea         " FOVEA_VERSION "\n", 0), 0u);
    if (cli::findEngine()) {
        EXPECT_EQ(ran.code, 0) << ran.err;
        EXPECT_NE(ran.out.find("\nLibTorch      "), std::string::npos);
        EXPECT_NE(ran.out.find("\ndevice        cpu, "), std::string::npos);
    } else {
        EXPECT_EQ(ran.code, 1);
        EXPECT_NE(ran.out.find("Install LibTorch"), std::string::npos);
    }
}

TEST_F(EngineVerbs, TrainWritesARunThatOtherVerbsOpen)
{
    const Ran ran = train({"--model-ema", "--no-unfold-norms", "--lr", "0.1", "--nesterov"});
    if (missed(ran)) return;
    ASSERT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(ran.out.rfind("All 12 steps are done.\nbest top-1    ", 0), 0u) << ran.out;
    EXPECT_NE(ran.err.find("Epoch 2 of 2: training loss "), std::string::npos) << ran.err;
    // Every tensor: of a network without values all are new.
    EXPECT_NE(ran.err.find("Tensors: new 10 (278)\n    a.weight: new, 4x3x3x3\n"), std::string::npos) << ran.err;
    EXPECT_NE(readText("run/log.txt").find("Tensors: new 10 (278)\n"), std::string::npos);
    const Recipe recipe = readRecipe("run/recipe.json");
    EXPECT_TRUE(recipe.modelEma);
    EXPECT_FALSE(recipe.unfoldNorms);
    EXPECT_TRUE(recipe.nesterov);
    EXPECT_EQ(recipe.lr, 0.1);
    EXPECT_EQ(readMetrics("run/metrics.jsonl").back().epoch, 1);

    const Ran further = run({"train", "run", "--resume", "--epochs", "3"});
    EXPECT_EQ(further.code, 0) << further.err;
    EXPECT_EQ(readMetrics("run/metrics.jsonl").back().epoch, 2);
    const std::string other = "patterns:classes=3,size=16,images=96,validation=32";
    const auto namesIn = [](const std::string& source) {
        std::string out;
        const DataParts parts = openData(source, {});
        for (const std::string& name : parts.train->classes()) out += (out.empty() ? "" : ", ") + name;
        return out;
    };
    for (const char* verb : {"eval", "probe"})
        expectRefused({verb, "run", "--data", other}, "The classes of '" + other +
                                                          "' are not those that the run 'run' was trained on: " +
                                                          namesIn(other) + " instead of " + namesIn(kImages) + ".");
    expectRefused({"train", "net.fovea", "--data", kImages, "-o", "run"},
                  "'run' holds a training run already: resume it with 'fovea train run --resume', or name another "
                  "folder.");
    const Json again = json(run({"train", "run", "--resume", "--device", "cpu", "--json"}));
    EXPECT_EQ(again["schema"], "fovea.train/1");
    EXPECT_EQ(again["steps"], 18);
    EXPECT_EQ(again["state"], "done");

    const Json scores = json(run({"eval", "run", "--data", kImages, "--against", "net.fovea", "--json"}));
    EXPECT_EQ(scores["schema"], "fovea.eval/1") << scores.dump();
    const Json analysed = json(run({"analyze", "run", "--json"}));
    EXPECT_EQ(analysed["layers"].size(), 9u);
}

TEST_F(EngineVerbs, AResumedRunKeepsItsRecipe)
{
    RunInfo info;
    info.size = {16, 16};
    std::filesystem::create_directories("run");
    std::ofstream("run/run.json") << toJson(info).dump();
    for (const std::vector<std::string>& option :
         {std::vector<std::string>{"--lr", "1"}, {"--no-amp"}, {"--find-lr"}, {"--export-job", "job"}, {"-o", "other"}})
        expectRefused(with({"train", "run", "--resume"}, option),
                      "Option '" + option[0] +
                          "' cannot be given with '--resume': a run goes on with the recipe that it began with.");
    expectRefused({"train", "net.fovea", "--resume"},
                  "'net.fovea' holds no training run: 'fovea train RUN --resume' goes on with one.");
}

TEST_F(EngineVerbs, TrainRefusesWhatCannotBe)
{
    expectRefused({"train", "net.fovea", "-o", "run"},
                  "Option '--data' is missing: it names the images. 'patterns' makes some.");
    expectRefused({"train", "net.fovea", "--data", "patterns"},
                  "Option '-o' is missing: it names the folder of the run.");
    expectRefused({"train", "net.fovea", "--data", "patterns", "-o", "run", "--epochs", "many"},
                  "Option 'epochs' must be a whole number from 1 to 1000000, but is 'many'.");
    expectRefused({"train", "net.fovea", "--data", "patterns", "-o", "run", "--find-lr"},
                  "Options '-o' and '--find-lr' cannot be given together: finding a rate writes nothing.");
    EXPECT_FALSE(std::filesystem::exists("run"));
    // Too small for its head is not without a classifier.
    save("fixed.fovea", "input 3x16x16 > conv:a k=3 p=1 c=4 > flatten > linear:head c=2");
    Graph graph = openModel("fixed.fovea").graph;
    graph.update(layer(graph, "head").id, [](Node& node) { node.attrs.set("in_features", std::int64_t{1024}); });
    std::ofstream("fixed.fovea") << documentText(graph);
    const Ran ran = run({"train", "fixed.fovea", "--size", "32", "--data", kImages, "--export-job", "job"});
    EXPECT_EQ(ran.code, 2);
    EXPECT_NE(ran.err.find("cannot be trained or evaluated at this input size: layer 'head'"), std::string::npos) << ran.err;
}

TEST_F(EngineVerbs, ImagesThatMovedAreNamedToGoOn)
{
    for (const char* kind : {"cat", "dog"})
        for (int i = 0; i < 6; ++i) {
            std::filesystem::create_directories(std::string("photos/") + kind);
            std::filesystem::copy_file(std::filesystem::path(FOVEA_SOURCE_DIR) / "tests/data/files/rgb.jpg",
                                       std::string("photos/") + kind + "/" + std::to_string(i) + ".jpg");
        }
    const Ran ran = run({"train", "net.fovea", "--data", "photos", "--preset", "quick", "--epochs", "1", "--batch-size", "4",
                         "--device", "cpu", "-o", "run"});
    if (missed(ran)) return;
    ASSERT_EQ(ran.code, 0) << ran.err;
    std::filesystem::rename("photos", "elsewhere");
    EXPECT_EQ(run({"train", "run", "--resume", "--epochs", "2"}).code, 2);
    const Ran further = run({"train", "run", "--resume", "--epochs", "2", "--data", "elsewhere"});
    EXPECT_EQ(further.code, 0) << further.err;
    EXPECT_EQ(readMetrics("run/metrics.jsonl").back().epoch, 1);
    EXPECT_EQ(readRunInfo(RunFolder{"run"}).data, std::filesystem::absolute("elsewhere").string());
    EXPECT_EQ(run({"train", "run", "--resume", "--epochs", "3"}).code, 0);
}

TEST_F(EngineVerbs, AnEngineThatDiesWhileItTrainsLeavesARunToResume)
{
    const auto real = cli::findEngine();
    if (!real) return;
    // The system kills it after two seconds of work.
    std::ofstream("dying-engine") << "#!/bin/sh\nulimit -t 2\nexec " << real->string() << "\n";
    std::filesystem::permissions("dying-engine", std::filesystem::perms::owner_all);
    ::setenv("FOVEA_ENGINE", std::filesystem::absolute("dying-engine").c_str(), 1);
    const Ran ran = train({"--patience", "0"}, "1000000");
    ::setenv("FOVEA_ENGINE", "/no/such/engine", 1);
    expectRefused({"measure", "net.fovea"}, "FOVEA_ENGINE names '/no/such/engine', which is no program.");
    ::unsetenv("FOVEA_ENGINE");
    EXPECT_EQ(ran.code, 3);
    const std::string last = ran.err.substr(ran.err.rfind("fovea: "));
    EXPECT_EQ(last, "fovea: fovea-engine was ended by signal " + std::to_string(SIGKILL) +
                        " instead of answering 'train'. 'fovea train run --resume' goes on from the last checkpoint.\n");
}

TEST_F(EngineVerbs, RatesAreTriedAndNothingIsWritten)
{
    const Ran ran = run({"train", "net.fovea", "--data", kImages, "--find-lr", "--json", "--batch-size", "16"});
    if (missed(ran)) return;
    const Json told = json(ran);
    EXPECT_EQ(told["schema"], "fovea.rates/1");
    EXPECT_EQ(told["rates"].size(), told["losses"].size());
    EXPECT_GT(told["rates"].size(), 5u);
}

// Otherwise a run would be scored on images that it was trained on.
TEST_F(EngineVerbs, ARunIsEvaluatedOnTheImagesThatItsOwnSplitKept)
{
    Recipe recipe;
    recipe.valSplit = 0.35;
    recipe.seed = 7;
    std::filesystem::create_directories("run");
    std::ofstream("run/run.json") << toJson(RunInfo{}).dump();
    std::ofstream("run/recipe.json") << toJson(recipe).dump();
    const auto use = [](const std::vector<std::string>& more) {
        return cli::dataUse(
            cli::Arguments("eval", with({"run", "--data", "photos"}, more), cli::dataOptions(), {"MODEL"}));
    };
    EXPECT_EQ(use({}).validation, 0.35);
    EXPECT_EQ(use({}).splitSeed, 7);
    EXPECT_EQ(use({"--val-split", "0.5", "--seed", "9"}).validation, 0.5);
    EXPECT_EQ(use({"--val-split", "0.5", "--seed", "9"}).splitSeed, 9);
    EXPECT_EQ(use({"--seed", "0", "--workers", "0"}).splitSeed, 0);
    expectRefused({"eval", "net.fovea", "--data", kImages, "--workers", "9999"},
                  "Option '--workers' takes a whole number from 0 to 256, but got '9999'.");
    expectRefused({"measure", "net.fovea", "--batch", "1.5"},
                  "Option '--batch' takes a whole number from 1 to 65536, but got '1.5'.");
    expectRefused({"field", "run", "--layer", "b", "--effective", "-o", "run/recipe.json"},
                  "'run/recipe.json' is a file of the run that is read; choose another name for the output.");
    expectRefused({"field", "net.fovea", "--layer", "b", "--effective", "-o", "net.fovea"},
                  "'net.fovea' is the model that is read; choose another name for the output.");
    expectRefused({"field", "net.fovea", "--layer", "b", "--effective", "-o", "field.png"},
                  "Option '-o' takes a file that ends in .safetensors, but got 'field.png'.");
}

TEST_F(EngineVerbs, WhatIsNoDataToLearnFromIsSaid)
{
    const auto photo = std::filesystem::path(FOVEA_SOURCE_DIR) / "tests/data/files/rgb.jpg";
    std::filesystem::create_directories("photos/cat");
    for (const char* name : {"photos/cat/1.jpg", "photos/cat/2.jpg"}) std::filesystem::copy_file(photo, name);
    expectRefused({"train", "net.fovea", "--data", "photos", "--export-job", "job"},
                  "'photos' has one class, 'cat': there is nothing to tell apart. Put the images of each class into a "
                  "folder of its own.");
    // Images that came since would be split otherwise.
    const Ran ran = train();
    if (missed(ran)) return;
    ASSERT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(run({"eval", "run", "--data", kImages}).err.find("split otherwise"), std::string::npos);
    RunInfo info = readRunInfo(RunFolder{"run"});
    info.images[0] = 95;
    std::ofstream("run/run.json") << toJson(info).dump();
    EXPECT_NE(run({"eval", "run", "--data", kImages}).err.find("so it is split otherwise"), std::string::npos);
}

TEST_F(EngineVerbs, EvalSetsTwoNetworksSideBySide)
{
    const Ran ran = run({"eval", "net.fovea", "--data", kImages, "--against", "net.fovea"});
    if (missed(ran)) return;
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_NE(ran.out.find("top-1"), std::string::npos) << ran.out;
    EXPECT_NE(ran.out.find("net.fovea"), std::string::npos) << ran.out;
}

TEST_F(EngineVerbs, ProbesStandBesideTheVerdict)
{
    expectRefused({"probe", "net.fovea", "--data", kImages, "--part", "train"},
                  "Option '--part' has no meaning here: a probe is trained on the training images and tried on the "
                  "others.");
    const Ran ran = run({"probe", "net.fovea", "--data", kImages, "--json"});
    if (missed(ran)) return;
    const Json told = json(ran);
    ASSERT_EQ(told["rows"].size(), 4u) << told.dump();
    EXPECT_EQ(told["rows"][0]["layer"], "a");
    EXPECT_EQ(told["rows"][0]["features"], 4);
    EXPECT_EQ(told["rows"][0]["verdict"], "productive");
    EXPECT_EQ(told["validation_images"], 32);
}

TEST_F(EngineVerbs, MeasureTellsTimeAndMemoryOfBoth)
{
    const Ran ran = run({"measure", "net.fovea", "--against", "net.fovea", "--batch", "4", "--repeats", "2", "--json"});
    if (missed(ran)) return;
    const Json told = json(ran);
    ASSERT_EQ(told["networks"].size(), 2u);
    for (const Json& network : told["networks"])
        for (const char* what : {"inference", "training"}) {
            EXPECT_EQ(network[what]["seconds"].size(), 2u);
            EXPECT_GT(network[what]["median"], 0);
        }
}

TEST_F(EngineVerbs, RecalibrateWritesTheNetworkWithItsNewStatistics)
{
    const Ran ran = run({"recalibrate", "net.fovea", "--data", kImages, "-o", "out.fovea"});
    if (missed(ran)) return;
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_TRUE(std::filesystem::exists("out.fovea"));
    EXPECT_NE(ran.out.find("top-1"), std::string::npos) << ran.out;
}

TEST_F(EngineVerbs, AnExportedJobNeedsNoEngine)
{
    const Ran ran = run({"train", "net.fovea", "--data", kImages, "--export-job", "job", "--opt", "adamw"});
    ASSERT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(ran.out, "Wrote the job 'job'; its README.txt says how to run it.\n");
    EXPECT_EQ(ran.err, "Images are not mirrored: in this data a mirrored image is of another class.\n"
                       "Tensors of net.fovea: new 10 (278)\n    a.weight: new, 4x3x3x3\n    a.bias: new, 4\n"
                       "    an.weight: new, 4\n    an.bias: new, 4\n    an.running_mean: new, 4\n"
                       "    an.running_var: new, 4\n    b.weight: new, 4x4x3x3\n    b.bias: new, 4\n"
                       "    head.weight: new, 2x4\n    head.bias: new, 2\n");
    EXPECT_EQ(readRecipe("job/recipe.json").hflip, 0);
    EXPECT_EQ(readRunInfo(RunFolder{"job"}).images, (std::array<std::int64_t, 2>{96, 32}));
    for (const char* name : {"model.py", "model.safetensors", "recipe.json", "train.py", "images.py", "README.txt"})
        EXPECT_TRUE(std::filesystem::exists(std::filesystem::path("job") / name)) << name;
}

TEST_F(EngineVerbs, AJobIsExportedOrTrainedNotBoth)
{
    const std::vector<std::string> words{"train", "net.fovea", "--data", kImages, "--export-job", "job"};
    const std::vector<std::pair<std::string, std::vector<std::string>>> others{{"-o", {"-o", "run"}},
                                                                               {"--find-lr", {"--find-lr"}}};
    for (const auto& [option, more] : others)
        expectRefused(with(words, more), "Options '--export-job' and '" + option +
                                             "' cannot be given together: one writes a job for other machines, the "
                                             "other trains here.");
    for (const std::vector<std::string>& more : {std::vector<std::string>{"--device", "cpu"}, {"--json"}})
        expectRefused(with(words, more), "Option '" + more.front() +
                                             "' has no meaning with '--export-job', which trains nothing here.");
    EXPECT_FALSE(exists("job"));
}

// What the images are taken for is the same in every verb: with another mean the network says something else.
TEST_F(EngineVerbs, PreprocessingIsUsedWhereItIsStated)
{
    const Ran ran = train({"--mean", "0.25", "--std", "0.5", "--resize", "18"});
    if (missed(ran)) return;
    ASSERT_EQ(ran.code, 0) << ran.err;
    const Preprocessing wanted{18, ChannelOrder::Rgb, {0.25}, {0.5}};
    EXPECT_EQ(readRunGraph({"run"}).preprocessing(), wanted);
    const auto loss = [](const std::vector<std::string>& more) {
        return json(run(with({"eval", "run", "--data", kImages, "--json"}, more)))["loss"].get<double>();
    };
    EXPECT_EQ(loss({}), loss({"--mean", "0.25"}));
    EXPECT_NE(loss({}), loss({"--mean", "0.75"}));
    expectRefused({"train", "run", "--resume", "--mean", "0.5"},
                  "Option '--mean' cannot be given with '--resume': a run goes on with the recipe that it began with.");
}

// The same network behind an exchange of axes, as exporters of channels-last networks write it.
TEST_F(EngineVerbs, ANetworkThatReadsChannelsLastSeesTheSameImages)
{
    const std::string body = "conv:a k=3 p=1 c=4 > relu > maxpool:p k=2 s=2 > conv:b k=3 p=1 c=4 > gap > flatten > linear:head c=2";
    Graph last = graphOf("input 3x16x24 > permute:front dims=0x3x1x2 > " + body);
    last.update(last.findByName("input")->id, [](Node& node) {
        node.attrs.set("shape", Ints{1, 16, 24, 3});
        node.attrs.set("layout", std::string("NHWC"));
    });
    save("first.fovea", "input 3x16x24 > " + body);
    std::ofstream("last.fovea") << documentText(last);
    const auto told = [](const char* model, const std::vector<std::string>& more) {
        std::filesystem::remove_all("run");
        const Ran ran = run(with({more[0], model}, {more.begin() + 1, more.end()}));
        EXPECT_EQ(ran.code, 0) << more[0] << ": " << ran.err;
        return ran.out;
    };
    const std::vector<std::string> unit{"field", "--layer", "b", "--unit", "3,5", "--measure", "--effective", "--images", "2"};
    if (missed(run(with({"field", "first.fovea"}, {unit.begin() + 1, unit.end()})))) return;
    EXPECT_EQ(told("last.fovea", unit), told("first.fovea", unit));
    const std::vector<std::string> eval{"eval", "--data", kImages, "--json"};
    EXPECT_EQ(parseJson(told("last.fovea", eval))["loss"], parseJson(told("first.fovea", eval))["loss"]);
    const std::vector<std::string> probe{"probe", "--data", kImages, "--layer", "b", "--json"};
    EXPECT_EQ(parseJson(told("last.fovea", probe))["layers"], parseJson(told("first.fovea", probe))["layers"]);
    const std::vector<std::string> train{"train",     "--data", kImages,  "--epochs", "1",  "--batch-size", "16",
                                         "--workers", "1",      "--device", "cpu",    "-o", "run",          "--mixup", "0.5"};
    EXPECT_EQ(told("last.fovea", train), told("first.fovea", train));
    EXPECT_NE(told("last.fovea", {"measure", "--batch", "1"}).find("of 16x24"), std::string::npos);
}

TEST_F(EngineVerbs, AnExportedJobSaysThatFoldedNormsStayFolded)
{
    Graph graph = graphOf("input 3x16x16 > conv:a k=3 p=1 c=4 > relu > gap > flatten > linear:head c=2");
    graph.update(layer(graph, "a").id, [](Node& node) { node.tensors = {{"weight", "onnx::1"}, {"bias", "onnx::2"}}; });
    std::ofstream("folded.fovea") << documentText(graph);
    const auto told = [](const std::string& job, const std::vector<std::string>& more) {
        const Ran ran = run(with({"train", "folded.fovea", "--data", kImages, "--hflip", "0", "--export-job", job}, more));
        EXPECT_EQ(ran.code, 0) << ran.err;
        const std::string last = "    head.bias: new, 2\n";
        return ran.err.substr(ran.err.find(last) + last.size());
    };
    EXPECT_EQ(told("job", {}), "train.py leaves norms folded that an exporter folded into convolutions (1 here): 'fovea "
                               "recalibrate MODEL --unfold' puts them back first.\n");
    EXPECT_EQ(told("other", {"--no-unfold-norms"}), "");
}

TEST_F(EngineVerbs, AJobOfTrainPyIsNotResumedHere)
{
    ASSERT_EQ(run({"train", "net.fovea", "--data", kImages, "--export-job", "job"}).code, 0);
    const Ran ran = run({"train", "job", "--resume", "--device", "cpu"});
    if (missed(ran)) return;
    EXPECT_EQ(ran.code, 2);
    EXPECT_NE(ran.err.find("'job' is a job for PyTorch's own engine: go on with 'torchrun --nproc_per_node=N "
                           "job/train.py', which takes up its last checkpoint."),
              std::string::npos)
        << ran.err;
}

}  // namespace
}  // namespace fovea::test
