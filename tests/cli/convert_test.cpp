#include "core/graph/first_image.h"
#include "core/io/onnx/onnx.h"
#include "tests/cli/cli_run.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace fovea::test {
namespace {

using Json = nlohmann::ordered_json;

class Convert : public CliTest {
protected:
    Convert() { save("net.fovea", kNet); }
    static std::string onnxOf(const std::string& model, const std::string& to)
    {
        EXPECT_EQ(run({"convert", model, to}).code, 0);
        return to;
    }
    static Json summaryOf(const std::string& model) { return Json::parse(run({"analyze", model, "--json"}).out)["summary"]; }
};

TEST_F(Convert, WritesOnnxAndNamesTheTensorsThatHadNoValues)
{
    const Ran ran = run({"convert", "net.fovea", "net.onnx"});
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(ran.err, "");
    EXPECT_EQ(ran.out,
              "Wrote net.onnx.\n"
              "11 tensors had no values and were initialised as PyTorch does: stem.weight, wide.weight, wide.bias, body.weight, body.bias, ...\n");
    EXPECT_EQ(summaryOf("net.onnx"), summaryOf("net.fovea"));
}

TEST_F(Convert, KeepsAnImportedModelThroughADocument)
{
    ASSERT_EQ(run({"convert", "net.fovea", "first.onnx"}).code, 0);
    const Ran there = run({"convert", "first.onnx", "kept.fovea"});
    ASSERT_EQ(there.code, 0) << there.err;
    EXPECT_EQ(there.out, "Wrote kept.fovea.\n");
    ASSERT_EQ(run({"convert", "kept.fovea", "second.onnx"}).code, 0);
    EXPECT_EQ(readText("second.onnx"), readText("first.onnx"));
    EXPECT_GT(readText("first.onnx").size(), 50'000u);
}

TEST_F(Convert, MakesTheSameWeightsEveryTime)
{
    ASSERT_EQ(run({"convert", "net.fovea", "a.onnx"}).code, 0);
    ASSERT_EQ(run({"convert", "net.fovea", "b.onnx"}).code, 0);
    EXPECT_EQ(readText("a.onnx"), readText("b.onnx"));
}

TEST_F(Convert, WritesFromItsOwnRecordsAloneWhereAskedTo)
{
    ASSERT_EQ(run({"convert", "net.fovea", "a.onnx"}).code, 0);
    ASSERT_EQ(run({"convert", "a.onnx", "b.onnx", "--no-origin"}).code, 0);
    EXPECT_EQ(summaryOf("b.onnx"), summaryOf("a.onnx"));
    expectRefused({"convert", "net.fovea", "b.fovea", "--no-origin"}, "Option '--no-origin' is about .onnx files, but the output is 'b.fovea'.");
}

TEST_F(Convert, WritesTheOpsetThatIsAskedFor)
{
    ASSERT_EQ(run({"convert", "net.fovea", "a.onnx"}).code, 0);
    ASSERT_EQ(run({"convert", "a.onnx", "b.onnx", "--opset", "11"}).code, 0);
    EXPECT_EQ(opsetOf(readOnnx("a.onnx")), 17);
    EXPECT_EQ(opsetOf(readOnnx("b.onnx")), 11);
    EXPECT_EQ(summaryOf("b.onnx"), summaryOf("a.onnx"));
    expectRefused({"convert", "net.fovea", "b.fovea", "--opset", "11"}, "Option '--opset' is about .onnx files, but the output is 'b.fovea'.");
    EXPECT_EQ(run({"convert", "net.fovea", "c.onnx", "--opset", "22"}).code, 2);
}

TEST_F(Convert, StatesHeightAndWidthThatTheFileLeavesOpenAndSaysSo)
{
    Model model = readOnnx(onnxOf("net.fovea", "first.onnx"));
    model.graph.update(firstImage(model.graph)->id, [](Node& input) { setSymbols(input, {"n", "", "rows", "columns"}); });
    writeOnnx(model, "open.onnx");
    EXPECT_EQ(run({"convert", "open.onnx", "same.onnx"}).out, "Wrote same.onnx.\n");
    EXPECT_EQ(readText("same.onnx"), readText("open.onnx"));
    EXPECT_EQ(run({"convert", "open.onnx", "stated.onnx", "--size", "48x64"}).out,
              "Wrote stated.onnx.\nThe file leaves height and width open (rows, columns); they are written as 48x64.\n");
    const Model stated = readOnnx("stated.onnx");
    const Node& input = *firstImage(stated.graph);
    EXPECT_EQ(*input.attrs.getInts("shape"), (Ints{1, 3, 48, 64}));
    EXPECT_EQ(symbolsOf(input), (std::vector<std::string>{"n", "", "", ""}));
}

TEST_F(Convert, WritesPytorchSourceWithItsWeightsBeside)
{
    const Ran ran = run({"convert", "net.fovea", "net.py"});
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(ran.out.substr(0, ran.out.find('\n')), "Wrote net.py.");
    EXPECT_NE(readText("net.py").find("class Network(Group):\n"), std::string::npos);
    EXPECT_GT(std::filesystem::file_size("net.safetensors"), 50'000u);
    expectRefused({"analyze", "net.py"},
                  "Cannot open 'net.py': a model is a file that ends in .onnx, .fovea, the folder of a training run, or zoo:NAME for a built-in network.");
}

TEST_F(Convert, GivesTheInputAnotherSide)
{
    ASSERT_EQ(run({"convert", "net.fovea", "wide.fovea", "--size", "64x96"}).code, 0);
    EXPECT_EQ(Json::parse(run({"analyze", "wide.fovea", "--json"}).out)["input"]["shape"].dump(), "[1,3,64,96]");
}

TEST_F(Convert, OpensABuiltInNetwork)
{
    ASSERT_EQ(run({"convert", "zoo:example,classes=7", "example.onnx"}).code, 0);
    EXPECT_EQ(Json::parse(run({"analyze", "example.onnx", "--json"}).out)["outputs"][0]["shape"].dump(), "[1,7]");
    EXPECT_EQ(summaryOf("example.onnx")["i_min"], summaryOf("zoo:example")["i_min"]);
}

TEST_F(Convert, LeavesNothingBehindWhereItCannotWrite)
{
    expectRefused({"convert", "net.fovea", "none/net.onnx"}, "Cannot write beside 'none/net.onnx': No such file or directory.");
    expectRefused({"convert", "net.fovea", "net.txt"}, "Cannot write 'net.txt': its name must end in .onnx, .fovea, .py.");
    expectRefused({"convert", "net.fovea", "net.fovea"}, "'net.fovea' is the model that is read; choose another name for the output.");
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator("."), std::filesystem::directory_iterator{}), 1);
}

TEST_F(Convert, SaysInOneSentenceThatAFileIsNoModel)
{
    std::ofstream("text.onnx") << "this is a text file and no model\n";
    std::ofstream("empty.onnx").flush();
    for (const char* path : {"text.onnx", "empty.onnx"}) {
        const Ran ran = run({"convert", path, "out.fovea"});
        EXPECT_EQ(ran.code, 2) << path;
        EXPECT_EQ(ran.out, "");
        EXPECT_TRUE(ran.err.starts_with("fovea: ")) << ran.err;
        EXPECT_EQ(std::count(ran.err.begin(), ran.err.end(), '\n'), 1);
        EXPECT_FALSE(exists("out.fovea"));
    }
}

}  // namespace
}  // namespace fovea::test
