#include "core/base/files.h"
#include "core/io/model/model.h"
#include "core/io/pytorch/export_job.h"
#include "core/io/pytorch/keys.h"
#include "core/io/safetensors/safetensors.h"
#include "tests/document/folder.h"
#include "tests/support/text_graph.h"

#include <gtest/gtest.h>

namespace fovea {
namespace {

using test::graphOf;
using test::layer;

ExportJob smallJob()
{
    Graph graph =
        graphOf("input 3x8x8 > conv:/stem/Conv k=3 p=1 c=4 > bn:norm > relu > gap > flatten > linear:head c=2");
    graph.setName("small");
    graph.update(layer(graph, "/stem/Conv").id, [](Node& node) {
        node.tensors = {{"weight", "onnx::1"}, {"bias", "onnx::2"}};
    });
    ExportJob job{graph, {}, {}, {}};
    job.info.name = "small";
    job.info.data = "patterns";
    job.info.size = {8, 8};
    return job;
}

class ExportedJob : public ::testing::Test {
protected:
    test::Folder folder;
    std::filesystem::path run = folder.path() / "run";
};

TEST_F(ExportedJob, IsARunThatHasNotBegun)
{
    EXPECT_EQ(writeExportJob(run, smallJob()).size(), 8u);
    EXPECT_TRUE(isRunFolder(run));
    const RunInfo info = readRunInfo({run});
    EXPECT_EQ(info.state, "stopped");
    EXPECT_EQ(info.reason, "It has not begun: run train.py.");
    EXPECT_EQ(info.data, "patterns");
    EXPECT_EQ(readRecipe(RunFolder{run}.recipe()), Recipe{});
    EXPECT_EQ(openModel(run.string()).graph.name(), "small");
    EXPECT_TRUE(openModel(run.string()).weights.empty());
    for (const char* name :
         {"model.py", "model.safetensors", "train.py", "images.py", "README.txt", "job.json", "graph.json"})
        EXPECT_TRUE(std::filesystem::exists(run / name)) << name;
}

TEST_F(ExportedJob, HoldsTheScriptsOfTheTree)
{
    writeExportJob(run, smallJob());
    for (const char* name : {"train.py", "images.py"})
        EXPECT_EQ(readText(run / name, 1u << 20),
                  readText(std::filesystem::path(FOVEA_SOURCE_DIR) / "resources/export_job" / name, 1u << 20));
}

TEST_F(ExportedJob, ABestCheckpointOpensUnderTheGraphsNames)
{
    const ExportJob job = smallJob();
    writeExportJob(run, job);
    const Weights state = readSafetensors(run / "model.safetensors");
    writeSafetensors(state, RunFolder{run}.best());
    const Model model = openModel(run.string());
    EXPECT_EQ(model.weights.tensors().size(), 8u);
    ASSERT_NE(model.weights.find("onnx::1"), nullptr);
    EXPECT_EQ(model.weights.find("onnx::1")->real(5), state.find("stem.weight")->real(5));
}

TEST_F(ExportedJob, NamesTheTensorsOfFrozenLayers)
{
    ExportJob job = smallJob();
    job.recipe.freeze = "norm";
    writeExportJob(run, job);
    const Json settings = parseJson(readText(run / "job.json", 1u << 20));
    EXPECT_EQ(
        settings["frozen"].dump(),
        "[\"stem.bias\",\"stem.weight\",\"norm.bias\",\"norm.running_mean\",\"norm.running_var\",\"norm.weight\"]");
    EXPECT_EQ(settings["frozen_norms"].dump(), "[\"norm\"]");
    EXPECT_EQ(settings["layers"][2]["name"], "head");
}

TEST_F(ExportedJob, RefusesWhatItCannotDo)
{
    ExportJob job = smallJob();
    job.recipe.freeze = "none";
    EXPECT_THROW(writeExportJob(run, job), Error);
    EXPECT_FALSE(std::filesystem::exists(run));
    job.recipe.freeze.clear();
    writeExportJob(run, job);
    EXPECT_THROW(writeExportJob(run, job), Error);
}

TEST_F(ExportedJob, WeightsThatDoNotFitAreRefusedWithTheFile)
{
    writeExportJob(run, smallJob());
    Weights wrong;
    wrong.set("stem.weight", Tensor::fromFloats({1}, {1}));
    writeSafetensors(wrong, RunFolder{run}.best());
    EXPECT_THROW(openModel(run.string()), Error);
}

}  // namespace
}  // namespace fovea
