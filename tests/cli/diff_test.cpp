#include "tests/cli/cli_run.h"

#include <nlohmann/json.hpp>

namespace fovea::test {
namespace {

using Json = nlohmann::ordered_json;

class Diff : public CliTest {
protected:
    static std::vector<std::string> changes(const std::string& before, const std::string& after)
    {
        save("a.fovea", before);
        save("b.fovea", after);
        std::vector<std::string> out;
        const Json json = Json::parse(run({"diff", "a.fovea", "b.fovea", "--json"}).out);
        for (const Json& change : json["changes"]) {
            std::string text = change["op"].get<std::string>();
            for (const char* key : {"layer", "attribute", "from", "to", "after"})
                if (!change[key].is_null()) text += " " + change[key].get<std::string>();
            out.push_back(text);
        }
        return out;
    }
};

using Texts = std::vector<std::string>;

const std::string kChain = "input 3x32x32 > conv:a k=3 p=1 c=4 > maxpool:p k=2 > conv:b k=3 p=1 c=4 > conv:c k=3 p=1 c=4 > gap:g";

TEST_F(Diff, TwoEqualNetworksDifferInNothing)
{
    save("net.fovea", kNet);
    EXPECT_TRUE(run({"diff", "net.fovea", "net.fovea"}).out.starts_with("No layer differs.\n\nbefore: side 32, i_min "));
    EXPECT_EQ(changes(kChain, kChain), Texts{});
}

TEST_F(Diff, ASettingIsShownWithItsOldAndItsNewValue)
{
    EXPECT_EQ(changes(kChain, "input 3x32x32 > conv:a k=5 p=2 c=4 > maxpool:p k=2 > conv:b k=3 p=1 c=4 > conv:c k=3 s=2 p=1 c=4 > gap:g"),
              (Texts{"set a kernel_size 3x3 5x5", "set a padding 1x1x1x1 2x2x2x2", "set c stride 1x1 2x2"}));
}

TEST_F(Diff, AMovedLayerIsOneChangeAndNotOneForEachNeighbour)
{
    EXPECT_EQ(changes(kChain, "input 3x32x32 > conv:a k=3 p=1 c=4 > conv:b k=3 p=1 c=4 > maxpool:p k=2 > conv:c k=3 p=1 c=4 > gap:g"),
              (Texts{"move p a b b"}));
}

TEST_F(Diff, AnInputThatReadsAnotherLayerIsNamedWhicheverItIs)
{
    const std::string start = "input 3x8x8 > conv:a k=3 p=1 c=4 > conv:b k=3 p=1 c=4 > conv:c k=3 p=1 c=4 > add:s @";
    EXPECT_EQ(changes(start + "a", start + "b"), (Texts{"move s a b b"}));
}

TEST_F(Diff, AnotherOutputIsSaidSo)
{
    Graph graph = graphOf(kChain);
    save("a.fovea", kChain);
    graph.setOutputs({{"out", Port{graph.findByName("c")->id, 0}}});
    std::ofstream("b.fovea") << documentText(graph);
    EXPECT_NE(run({"diff", "a.fovea", "b.fovea"}).out.find("set      outputs from g to c\n"), std::string::npos);
    const Json json = Json::parse(run({"diff", "a.fovea", "b.fovea", "--json"}).out);
    EXPECT_EQ(json["outputs"], (Json{{"from", {"g"}}, {"to", {"c"}}}));
    EXPECT_TRUE(json["preprocessing"].is_null());
}

TEST_F(Diff, AddedAndRemovedLayersLeaveTheirNeighboursUnmentioned)
{
    const std::string shorter = "input 3x32x32 > conv:a k=3 p=1 c=4 > conv:b k=3 p=1 c=4 > conv:c k=3 p=1 c=4 > gap:g";
    EXPECT_EQ(changes(kChain, shorter), (Texts{"remove p"}));
    EXPECT_EQ(changes(shorter, kChain), (Texts{"add p MaxPool2d(kernel_size=2x2, stride=2x2) a"}));
}

TEST_F(Diff, ALayerOfAnotherKindUnderTheSameNameIsRemovedAndAdded)
{
    EXPECT_EQ(changes(kChain, "input 3x32x32 > conv:a k=3 p=1 c=4 > avgpool:p k=2 > conv:b k=3 p=1 c=4 > conv:c k=3 p=1 c=4 > gap:g"),
              (Texts{"remove p", "add p AvgPool2d(kernel_size=2x2, stride=2x2) a"}));
}

TEST_F(Diff, AChangedPreprocessingIsShownInTheText)
{
    Graph graph = graphOf(kChain);
    std::ofstream("a.fovea") << documentText(graph);
    graph.setPreprocessing(Preprocessing{256, ChannelOrder::Bgr, {0.5}, {0.25}});
    std::ofstream("b.fovea") << documentText(graph);
    EXPECT_TRUE(run({"diff", "a.fovea", "b.fovea"})
                    .out.starts_with("No layer differs.\nset      preprocessing from none to "
                                     "{\"resize\":256,\"order\":\"bgr\",\"mean\":[0.5],\"deviation\":[0.25]}\n\n"));
}

TEST_F(Diff, HoldsBothSummariesAndTheSchema)
{
    save("net.fovea", kNet);
    const Json json = Json::parse(run({"diff", "net.fovea", "zoo:resnet18", "--json"}).out);
    EXPECT_EQ(json["schema"], "fovea.diff/1");
    EXPECT_EQ(json["before"], Json::parse(run({"analyze", "net.fovea", "--json"}).out)["summary"]);
    EXPECT_EQ(json["after"]["i_min"].dump(), "[139,139]");
    EXPECT_EQ(json["after"]["parameters"], 11'689'512);
}

TEST_F(Diff, ShowsWhatARefinementDid)
{
    save("net.fovea", kNet);
    const Json plan = Json::parse(run({"refine", "net.fovea", "--auto", "-o", "better.fovea", "--json"}).out)["plans"][0];
    const Json json = Json::parse(run({"diff", "net.fovea", "better.fovea", "--json"}).out);
    EXPECT_EQ(json["before"], plan["before"]);
    EXPECT_EQ(json["after"], plan["after"]);
    EXPECT_EQ(json["changes"], plan["edits"]);
}

TEST_F(Diff, RefusesToCompareOneNetworkWithNothing)
{
    save("net.fovea", kNet);
    const Ran ran = run({"diff", "net.fovea"});
    EXPECT_EQ(ran.code, 2);
    EXPECT_EQ(ran.out, "");
    EXPECT_FALSE(ran.err.empty());
}

}  // namespace
}  // namespace fovea::test
