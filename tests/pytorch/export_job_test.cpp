#include "core/base/files.h"
#include "core/io/model/model.h"
#include "core/io/pytorch/export_job.h"
#include "core/io/pytorch/keys.h"
#include "core/io/safetensors/safetensors.h"
#include "tests/document/folder.h"
#include "tests/support/text_graph.h"

#include <gtest/gtest.h>

#include <fstream>

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

std::ptrdiff_t countOf(const std::string& text, const std::string& part)
{
    std::ptrdiff_t count = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
    return count;
}

class ExportedJob : public ::testing::Test {
protected:
    test::Folder folder;
    std::filesystem::path run = folder.path() / "run";
};

TEST_F(ExportedJob, WritesOverNobodysFiles)
{
    for (const char* name : {"model.py", "model.safetensors", "train.py", "images.py", "README.txt", "job.json"}) {
        std::filesystem::create_directories(run);
        std::ofstream(run / name) << "mine";
        EXPECT_THROW(writeExportJob(run, smallJob()), Error) << name;
        EXPECT_EQ(readText(run / name, 100), "mine");
        EXPECT_EQ(std::distance(std::filesystem::directory_iterator(run), {}), 1);
        std::filesystem::remove_all(run);
    }
}

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
    const Weights start = openModel(run.string()).weights;
    EXPECT_EQ(start.tensors().size(), 8u);
    EXPECT_EQ(start.find("onnx::1")->real(5), readSafetensors(run / "model.safetensors").find("stem.weight")->real(5));
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
    EXPECT_EQ(settings["layers"][0]["decayed"].dump(), "[\"stem.weight\"]");
    EXPECT_EQ(settings["layers"][1]["decayed"].dump(), "[]");
}

TEST_F(ExportedJob, FrozenDropoutAndNormsComputeAsInEvaluation)
{
    ExportJob job = smallJob();
    // The norm reads no tensors of its own path, so it is no module and computes with a function.
    job.graph = graphOf("input 3x8x8 > conv:stem k=3 c=4 > dropout:early > bn:norm > relu:act > dropout:late > "
                        "gap > flatten > linear:head c=2");
    job.graph.update(layer(job.graph, "norm").id, [](Node& node) { node.tensors = {{"weight", "stem.scale"}}; });
    job.recipe.freeze = "act";
    writeExportJob(run, job);
    const std::string source = readText(run / "model.py", 1u << 20);
    EXPECT_EQ(countOf(source, "F.dropout(x, p=0.5, training=False)"), 1);
    EXPECT_EQ(countOf(source, "F.dropout(x, p=0.5, training=self.training)"), 1);
    EXPECT_EQ(countOf(source, "F.batch_norm("), 1);
    EXPECT_EQ(countOf(source, "False, 0.1, eps="), 1);
}

TEST_F(ExportedJob, NamesTheClassifierAndLeavesItsSoftmaxOut)
{
    ExportJob job = smallJob();
    writeExportJob(run, job);
    const auto classifier = [&] { return parseJson(readText(run / "job.json", 1u << 20))["classifier"].dump(); };
    EXPECT_EQ(classifier(), R"({"output":"head","classes":2,"method":"forward"})");
    EXPECT_EQ(countOf(readText(run / "model.py", 1u << 20), "def logits"), 0);

    job.graph = graphOf("input 3x8x8 > conv:stem k=3 p=1 c=4 > relu:act; @act > conv:map k=1 c=1; "
                        "@act > gap > flatten > linear:head c=2 > softmax:probabilities");
    run = folder.path() / "two_outputs";
    writeExportJob(run, job);
    EXPECT_EQ(classifier(), R"({"output":"probabilities","classes":2,"method":"logits"})");
    const std::string source = readText(run / "model.py", 1u << 20);
    EXPECT_NE(source.find("    def logits(self, x):\n"
                          "        x = self.stem(x)\n"
                          "        x = F.relu(x)\n"
                          "        x = F.adaptive_avg_pool2d(x, 1)\n"
                          "        x = torch.flatten(x, 1)\n"
                          "        x = self.head(x)\n"
                          "        return x\n"),
              std::string::npos)
        << source;
}

TEST_F(ExportedJob, RefusesWhatItCannotDo)
{
    ExportJob job = smallJob();
    ExportJob maps = job;
    maps.graph = graphOf("input 3x8x8 > conv:map k=1 c=2");
    EXPECT_THROW(writeExportJob(run, maps), Error);
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
