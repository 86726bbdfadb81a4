#include "core/recipe/run_folder.h"

#include "core/base/files.h"
#include "core/io/json/graph_json.h"
#include "tests/document/folder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

namespace fovea {
namespace {

MetricsLine epochLine()
{
    MetricsLine line;
    line.kind = MetricsLine::Kind::Epoch;
    line.epoch = 2;
    line.step = 30;
    line.lr = 0.05;
    line.trainLoss = 1.25;
    line.evalLoss = 1.5;
    line.top1 = 0.5;
    line.top5 = 0.75;
    line.imagesPerSecond = 100;
    line.seconds = 12.5;
    line.memory = 1 << 20;
    return line;
}

TEST(RunFolder, InfoSurvivesItsFile)
{
    test::Folder folder;
    const RunFolder run{folder.path()};
    EXPECT_FALSE(isRunFolder(run.root));
    const RunInfo info{"net",    "photos",   {32, 48},  {"cat", "dog"}, {80, 20}, "cpu",
                       "1.13.1", "net.onnx", "stopped", "Stopped.",     2};
    writeAtomically(run.info(), toJson(info).dump(2));
    EXPECT_TRUE(isRunFolder(run.root));
    EXPECT_EQ(readRunInfo(run), info);
    Json older = toJson(info);
    older.erase("images");
    writeAtomically(run.info(), older.dump());
    EXPECT_EQ(readRunInfo(run).images, (std::array<std::int64_t, 2>{}));
}

TEST(RunFolder, HostileInfoIsRefusedWithTheFileAndThePlace)
{
    test::Folder folder;
    const RunFolder run{folder.path()};
    for (const char* text :
         {"{}", "[]", "{\"schema\":\"fovea.run/9\"}", "{\"schema\":\"fovea.run/1\",\"name\":3}", "not json"}) {
        std::ofstream(run.info()) << text;
        try {
            readRunInfo(run);
            ADD_FAILURE() << text;
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::Format);
            EXPECT_NE(std::string(error.what()).find("run.json"), std::string::npos) << error.what();
        }
    }
}

std::string refusal(const RunFolder& run, const std::vector<std::filesystem::path>& more = {})
{
    try {
        refuseTaken(run, more);
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Usage);
        return error.what();
    }
    return {};
}

TEST(RunFolder, NothingOfSomebodyElseIsWrittenOver)
{
    test::Folder folder;
    const RunFolder none{folder.path() / "none"}, run{folder.path()};
    EXPECT_EQ(refusal(none), "");
    std::ofstream(run.root / "notes.txt") << "mine";
    EXPECT_EQ(refusal(run), "");
    EXPECT_THROW(refuseTaken({run.root / "notes.txt"}), Error);
    EXPECT_THROW(refuseTaken({run.root / "notes.txt" / "run"}), Error);
    EXPECT_NE(refusal(run, {run.root / "notes.txt"}).find("'notes.txt'"), std::string::npos);
    for (const auto& path : {run.graph(), run.recipe(), run.metrics(), run.log(), run.last(), run.best()}) {
        std::ofstream(path) << "mine";
        EXPECT_NE(refusal(run).find("'" + path.filename().string() + "'"), std::string::npos) << refusal(run);
        std::filesystem::remove(path);
    }
    // Of a run that was killed before it had begun.
    writeAtomically(run.graph(), jsonLine(toJson(Graph())));
    std::ofstream(run.recipe()) << "{}";
    EXPECT_EQ(refusal(run), "");
    std::ofstream(run.info()) << "{}";
    EXPECT_NE(refusal(run).find("holds a training run"), std::string::npos);
}

TEST(RunFolder, StatesAreKnownByTheirNames)
{
    EXPECT_TRUE(isStateFile(RunFolder{"run"}.state(12)));
    for (const char* name : {"resnet.state.safetensors", "last-.state.safetensors", "last-1a.state.safetensors",
                             "last.state.safetensors", "last-12.safetensors", "backup-last-12.state.safetensors"})
        EXPECT_FALSE(isStateFile(name)) << name;
}

TEST(RunFolder, MetricsAreReadWhileTheyAreWritten)
{
    test::Folder folder;
    const RunFolder run{folder.path()};
    MetricsLine step;
    step.step = 5;
    step.trainLoss = 2;
    std::ofstream file(run.metrics());
    file << jsonLine(toJson(step)) << "\nnobody's line\n"
         << jsonLine(toJson(epochLine())) << "\n"
         << jsonLine(toJson(step)).substr(0, 20);
    file.flush();
    EXPECT_EQ(readMetrics(run.metrics()), (std::vector<MetricsLine>{step, epochLine()}));
}

TEST(RunFolder, ALossThatIsNoNumberIsWrittenAsNull)
{
    MetricsLine line = epochLine();
    line.trainLoss = NAN;
    line.evalLoss = INFINITY;
    const Json json = toJson(line);
    EXPECT_TRUE(json["train_loss"].is_null());
    MetricsLine back;
    read(JsonAt(json), back);
    EXPECT_TRUE(std::isnan(back.trainLoss));
    ASSERT_TRUE(back.evalLoss);
    EXPECT_TRUE(std::isnan(*back.evalLoss));
}

}  // namespace
}  // namespace fovea
