#include "tests/cli/cli_run.h"

#include <nlohmann/json.hpp>

namespace fovea::test {
namespace {

using Json = nlohmann::ordered_json;

class Analyze : public CliTest {
protected:
    Analyze() { save("net.fovea", kNet); }
};

std::vector<std::string> keysOf(const Json& json)
{
    std::vector<std::string> out;
    for (const auto& [key, value] : json.items()) out.push_back(key);
    return out;
}

const Json& layerNamed(const Json& report, const std::string& name)
{
    for (const Json& layer : report["layers"])
        if (layer["name"] == name) return layer;
    throw std::invalid_argument(name);
}

TEST_F(Analyze, PrintsOneLayerALineThenTheSummaryThenTheFindings)
{
    const Ran ran = run({"analyze", "net.fovea"});
    EXPECT_EQ(ran.code, 0);
    EXPECT_EQ(ran.err, "");
    EXPECT_EQ(ran.out,
              "net.fovea: input input 1x3x32x32\n"
              "\n"
              "verdict       kind               layer  kernel  stride  output     jump  field  parameters      MACs\n"
              "productive    Conv2d             stem   7            2  1x8x16x16     2      7      1.18 k  301.06 k\n"
              "-             ReLU               act                    1x8x16x16     2      7\n"
              "productive    MaxPool2d          pool   3            2  1x8x8x8       4     11\n"
              "critical      Conv2d             wide   1x9          1  1x16x8x8      4  11x43      1.17 k   73.73 k\n"
              "partial       Conv2d             body   5            1  1x16x8x8      4  27x59      6.42 k  409.60 k\n"
              "partial       Conv2d             last   3            1  1x16x8x8      4  35x67      2.32 k  147.46 k\n"
              "unproductive  Conv2d             dead   3            1  1x16x8x8      4  43x75      2.32 k  147.46 k\n"
              "-             AdaptiveAvgPool2d  gap    global          1x16x1x1           all\n"
              "-             Flatten            flat                   1x16               all\n"
              "-             Linear             head   global          1x10               all         170       160\n"
              "\n"
              "i_min 43x75 (all productive from 36x68, rfa_toolbox 43x75), i_max 43x75\n"
              "verdicts: 2 productive, 1 critical, 2 partial, 1 unproductive\n"
              "border layer: dead\n"
              "cost: 13.57 k parameters, 1.08 M MACs at batch 1\n"
              "memory: 42.06 KiB kept for training, 20.00 KiB at the peak of inference (stem), 53.01 KiB of parameters, at batch 1 in float32\n"
              "\n"
              "warning unproductive-tail (dead): 1 layer is unproductive at 32 px: every path into it has already seen the whole image.\n"
              "    Relax a stride or move a pooling later so that i_min (43x75) falls below the side, or use larger images.\n");
}

TEST_F(Analyze, WritesTheKeysOfTheSchemaInTheirOrder)
{
    const Ran ran = run({"analyze", "net.fovea", "--json"});
    ASSERT_EQ(ran.code, 0);
    const Json json = Json::parse(ran.out);
    EXPECT_EQ(keysOf(json), (std::vector<std::string>{"schema", "model", "inputs", "outputs", "input", "summary", "memory", "layers", "issues"}));
    EXPECT_EQ(json["schema"], "fovea.analysis/1");
    EXPECT_EQ(json["model"], "net.fovea");
    EXPECT_EQ(json["inputs"].dump(), R"([{"name":"input","shape":[1,3,32,32]}])");
    EXPECT_EQ(json["outputs"].dump(), R"([{"name":"head","shape":[1,10]}])");
    EXPECT_EQ(json["input"].dump(), R"({"name":"input","shape":[1,3,32,32],"layout":"NCHW"})");
    EXPECT_EQ(json["summary"].dump(),
              R"({"i_min":[43,75],"i_min_productive":[36,68],"i_min_rfa":[43,75],"i_max":[43,75],"parameters":13570,"macs":1079456,)"
              R"("verdicts":{"productive":2,"partial":2,"critical":1,"unproductive":1,"not_applicable":4,"unknown":0},"border_layer":"dead","complete":true})");
    EXPECT_EQ(json["layers"].size(), 10u);
    EXPECT_EQ(keysOf(json["issues"][0]), (std::vector<std::string>{"code", "severity", "layer", "attribute", "message", "hint"}));
    EXPECT_EQ(json["issues"][0]["layer"], "dead");
    EXPECT_TRUE(json["issues"][0]["attribute"].is_null());
}

TEST_F(Analyze, WritesEverythingOfAWindowLayer)
{
    const Json json = Json::parse(run({"analyze", "net.fovea", "--json"}).out);
    EXPECT_EQ(layerNamed(json, "wide").dump(),
              R"({"name":"wide","kind":"Conv2d","group":"layer1.0","kernel":[1,9],"stride":[1,1],"padding":[0,4,0,4],"dilation":[1,1],"groups":1,)"
              R"("in_shape":[[1,8,8,8]],"out_shape":[1,16,8,8],"jump":[4,4],"rf_min":[11,43],"rf_max":[11,43],"start":[-5,-21],)"
              R"("unbounded":false,"approximate":false,"verdict":"critical","covers_map":false,"parameters":1168,"macs":73728,"memory":{"kept":2048,"live":6144}})");
    EXPECT_EQ(layerNamed(json, "pool")["groups"], nullptr);
    EXPECT_EQ(layerNamed(json, "pool")["padding"].dump(), "[1,1,1,1]");
}

TEST_F(Analyze, WritesNullWhereALayerHasNoWindowOrNoFinitePath)
{
    const Json json = Json::parse(run({"analyze", "net.fovea", "--json"}).out);
    for (const char* key : {"kernel", "stride", "padding", "dilation", "groups", "jump", "rf_min", "rf_max", "start"}) {
        EXPECT_TRUE(layerNamed(json, "gap")[key].is_null()) << key;
        EXPECT_TRUE(layerNamed(json, "head")[key].is_null()) << key;
    }
    EXPECT_TRUE(layerNamed(json, "act")["kernel"].is_null());
    EXPECT_EQ(layerNamed(json, "act")["rf_min"].dump(), "[7,7]");
    EXPECT_EQ(layerNamed(json, "gap")["verdict"], "not_applicable");
    EXPECT_EQ(layerNamed(json, "gap")["unbounded"], true);
}

TEST_F(Analyze, WritesAFractionalJumpAsText)
{
    save("up.fovea", "input 3x32x32 > upsample scale_factor=2 > conv:c k=3 p=1 c=4");
    const Ran ran = run({"analyze", "up.fovea", "--json"});
    ASSERT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(layerNamed(Json::parse(ran.out), "c")["jump"].dump(), R"(["1/2","1/2"])");
}

TEST_F(Analyze, KeepsALayerThatNobodyKnowsAndNamesItsType)
{
    std::ofstream("odd.fovea") << R"({"schema":"fovea.document/1","outputs":[{"name":"y","from":[3,0]}],"nodes":[
{"id":1,"name":"x","kind":"Input","inputs":[],"attrs":{"shape":[1,3,16,16]}},
{"id":2,"name":"odd","kind":"opaque","inputs":[[1,0]],"attrs":{"onnx_op":"Deform"}},
{"id":3,"name":"conv","kind":"Conv2d","inputs":[[2,0]],"attrs":{"out_channels":4,"kernel_size":[3,3],"in_channels":3}}]})";
    const Json json = Json::parse(run({"analyze", "odd.fovea", "--json"}).out);
    EXPECT_EQ(layerNamed(json, "odd")["kind"], "opaque");
    EXPECT_EQ(layerNamed(json, "odd")["onnx_op"], "Deform");
    EXPECT_TRUE(layerNamed(json, "odd")["out_shape"].is_null());
    EXPECT_TRUE(layerNamed(json, "odd")["parameters"].is_null());
    EXPECT_EQ(layerNamed(json, "conv")["verdict"], "unknown");
    const Json stated = Json::parse(run({"analyze", "odd.fovea", "--json", "--reach", "odd=k3s2p1"}).out);
    EXPECT_EQ(layerNamed(stated, "conv")["verdict"], "productive");
    EXPECT_EQ(layerNamed(stated, "conv")["rf_min"].dump(), "[7,7]");
}

TEST_F(Analyze, AnswersForAnotherSide)
{
    const Json json = Json::parse(run({"analyze", "net.fovea", "--size", "100x200", "--json"}).out);
    EXPECT_EQ(json["input"]["shape"].dump(), "[1,3,100,200]");
    EXPECT_EQ(json["summary"]["verdicts"]["productive"], 6);
    EXPECT_TRUE(json["summary"]["border_layer"].is_null());
}

TEST_F(Analyze, PrintsOneSideALine)
{
    const Ran ran = run({"analyze", "net.fovea", "--sizes", "16,32,64,128"});
    EXPECT_EQ(ran.code, 0);
    EXPECT_EQ(ran.out,
              "net.fovea\n"
              "\n"
              "side  productive  critical  partial  unproductive      MACs    training   inference\n"
              "  16           2         1        1             2  269.98 k   10.56 KiB    5.00 KiB\n"
              "  32           2         1        2             1    1.08 M   42.06 KiB   20.00 KiB\n"
              "  64           4         1        1             0    4.32 M  168.06 KiB   80.00 KiB\n"
              " 128           6         0        0             0   17.27 M  672.06 KiB  320.00 KiB\n"
              "\n"
              "feasible sides: i_min 43x75 to i_max 43x75; memory at batch 1 in float32\n");
    const Json json = Json::parse(run({"analyze", "net.fovea", "--sizes", "32,64x48", "--json"}).out);
    EXPECT_EQ(json["sizes"][0].dump(), R"({"size":[32,32],"productive":2,"critical":1,"partial":2,"unproductive":1,"macs":1079456,"training_memory":43072,"inference_memory":20480})");
    EXPECT_EQ(json["sizes"][1]["size"].dump(), "[64,48]");
    EXPECT_EQ(json["layers"].size(), 10u);
}

TEST_F(Analyze, FailsOnALevelAndEverythingWorse)
{
    EXPECT_EQ(run({"analyze", "net.fovea", "--fail-on", "unproductive"}).code, 1);
    EXPECT_EQ(run({"analyze", "net.fovea", "--fail-on", "unproductive", "--size", "64"}).code, 0);
    EXPECT_EQ(run({"analyze", "net.fovea", "--fail-on", "partial", "--size", "64"}).code, 1);
    EXPECT_EQ(run({"analyze", "net.fovea", "--fail-on", "critical", "--size", "128"}).code, 0);
    EXPECT_EQ(run({"analyze", "net.fovea", "--fail-on", "productive", "--size", "128"}).code, 1);
    EXPECT_EQ(run({"analyze", "net.fovea", "--fail-on", "unproductive", "--sizes", "64,32"}).code, 1);
    const Ran failing = run({"analyze", "net.fovea", "--fail-on", "unproductive"});
    EXPECT_EQ(failing.out, run({"analyze", "net.fovea"}).out);
}

TEST_F(Analyze, PassesWithAFindingWhereNothingCanBeJudged)
{
    save("flat.fovea", "input 3x8x8 > flatten > linear c=2");
    const Ran ran = run({"analyze", "flat.fovea", "--fail-on", "productive"});
    EXPECT_EQ(ran.code, 0);
    EXPECT_NE(ran.out.find("no-window-layers"), std::string::npos);
}

TEST_F(Analyze, JudgesPointwiseLayersWhereAskedTo)
{
    save("point.fovea", "input 3x8x8 > conv:a k=7 p=3 c=4 > conv:b k=7 p=3 c=4 > conv:p k=1 c=4");
    const Json usual = Json::parse(run({"analyze", "point.fovea", "--json"}).out);
    EXPECT_EQ(layerNamed(usual, "p")["verdict"], "not_applicable");
    const Json judged = Json::parse(run({"analyze", "point.fovea", "--json", "--pointwise"}).out);
    EXPECT_EQ(layerNamed(judged, "p")["verdict"], "unproductive");
}

TEST_F(Analyze, RefusesWhatItCannotDoInOneSentence)
{
    expectRefused({"analyze"}, "MODEL is missing. See 'fovea analyze --help'.");
    expectRefused({"analyze", "a.fovea", "b.fovea"}, "Unexpected 'b.fovea'. See 'fovea analyze --help'.");
    expectRefused({"analyze", "none.fovea"}, "Cannot open 'none.fovea': No such file or directory.");
    expectRefused({"analyze", "net.txt"},
                  "Cannot open 'net.txt': a model is a file that ends in .onnx, .fovea, the folder of a training run, or zoo:NAME for a built-in network.");
    expectRefused({"analyze", "net.fovea", "--size", "0"},
                  "Option '--size' takes a side from 1 to 1000000 such as 224, or HEIGHTxWIDTH such as 192x224, but got '0'.");
    expectRefused({"analyze", "net.fovea", "--fail-on", "bad"},
                  "Option '--fail-on' takes productive, critical, partial or unproductive, but got 'bad'.");
    expectRefused({"analyze", "net.fovea", "--input", "inptu"}, "The network has no input called 'inptu'. Did you mean 'input'?");
    expectRefused({"analyze", "net.fovea", "--reach", "k3"}, "Option '--reach' takes LAYER=REACH such as conv1=k3s2p1, but got 'k3'.");
    expectRefused({"analyze", "net.fovea", "--json=1"}, "Option '--json' takes no value. See 'fovea analyze --help'.");
    expectRefused({"analyze", "net.fovea", "--size"}, "Option '--size' needs a value. See 'fovea analyze --help'.");
    expectRefused({"analyze", "net.fovea", "--size", "3", "--size=4"}, "Option '--size' is given twice. See 'fovea analyze --help'.");
    std::ofstream("cut.fovea") << "{\"schema\":";
    expectRefused({"analyze", "cut.fovea"}, "The text is not JSON: it breaks at line 1, column 11. (in cut.fovea)");
}

TEST_F(Analyze, CountsMemoryAtABatchAndElementType)
{
    const Json json = Json::parse(run({"analyze", "net.fovea", "--batch", "8", "--element", "float16", "--json"}).out);
    EXPECT_EQ(json["memory"].dump(), R"({"batch":8,"element_type":"float16","training":188672,"inference":81920,"peak_layer":"stem",)"
                                     R"("parameters":27140,"complete":true})");
    EXPECT_NE(run({"analyze", "net.fovea", "--memory"}).out.find("      MACs       kept       live\n"), std::string::npos);
}

TEST_F(Analyze, RefusesABatchOrElementTypeThatIsNone)
{
    for (const auto& [option, value] : {std::pair{"--batch", "0"}, {"--batch", "many"}, {"--element", "float12"}}) {
        const Ran ran = run({"analyze", "net.fovea", option, value});
        EXPECT_EQ(ran.code, 2) << value;
        EXPECT_EQ(ran.out, "") << value;
        EXPECT_NE(ran.err.find(option), std::string::npos) << ran.err;
    }
}

}  // namespace
}  // namespace fovea::test
