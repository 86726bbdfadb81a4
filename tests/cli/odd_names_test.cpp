// Names of layers that hold what would break a line.
#include "tests/cli/cli_run.h"

#include <nlohmann/json.hpp>

namespace fovea::test {
namespace {

const char* const kOdd = "two\nlines\tand \x1b[31mred";
const char* const kShown = "two\\nlines\\tand \\x1b[31mred";

class OddNames : public CliTest {
protected:
    OddNames()
    {
        Graph graph = graphOf("input 3x32x32 > conv:stem k=7 s=2 p=3 c=8 > relu > maxpool:pool k=3 s=2 p=1 > conv:a k=5 p=2 c=8 > conv:b k=5 p=2 c=8 > conv:c k=2 s=3 c=8 > gap > flatten > linear c=10");
        for (const char* name : {"stem", "b", "c"}) graph.rename(graph.findByName(name)->id, std::string(name) + kOdd);
        std::ofstream("odd.fovea") << documentText(graph);
    }

    // No line but those of the layout, and nothing that steers a terminal.
    static void expectPlain(const std::vector<std::string>& args, const std::string& said)
    {
        const Ran ran = run(args);
        EXPECT_LE(ran.code, 1) << ran.err;
        EXPECT_NE(ran.out.find(said), std::string::npos) << ran.out;
        EXPECT_EQ(ran.out.find("two\n"), std::string::npos) << ran.out;
        for (const char letter : {'\t', '\x1b'}) EXPECT_EQ(ran.out.find(letter), std::string::npos) << ran.out;
    }
};

TEST_F(OddNames, AreShownAsEscapesInEveryText)
{
    const std::string shown(kShown);
    expectPlain({"analyze", "odd.fovea"}, "  stem" + shown);
    expectPlain({"analyze", "odd.fovea"}, "(c" + shown + ")");
    expectPlain({"refine", "odd.fovea"}, "'stem" + shown + "'");
    expectPlain({"refine", "odd.fovea", "--moves"}, "'stem" + shown + "'");
    save("plain.fovea", "input 3x32x32 > conv:stem k=7 s=2 p=3 c=8 > gap > flatten > linear c=10");
    expectPlain({"diff", "plain.fovea", "odd.fovea"}, shown);
    expectPlain({"field", "odd.fovea", "--layer", std::string("b") + kOdd}, "b" + shown + ", unit ");
}

TEST_F(OddNames, ErrorsShowThemOnOneLine)
{
    expectRefused({"field", "odd.fovea", "--layer", "no\nlayer"}, "The network has no layer called 'no\\nlayer'.");
}

TEST_F(OddNames, JsonKeepsThem)
{
    const auto json = nlohmann::json::parse(run({"analyze", "odd.fovea", "--json"}).out);
    EXPECT_EQ(json["layers"][0]["name"], std::string("stem") + kOdd);
}

}  // namespace
}  // namespace fovea::test
