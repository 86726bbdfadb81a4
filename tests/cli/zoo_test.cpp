#include "tests/cli/cli_run.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace fovea::test {
namespace {

using Json = nlohmann::ordered_json;
using Zoo = CliTest;

TEST_F(Zoo, ListsEveryNetworkWithTheKeysOfTheContract)
{
    const Ran ran = run({"zoo", "list", "--json"});
    ASSERT_EQ(ran.code, 0) << ran.err;
    const Json json = Json::parse(ran.out);
    ASSERT_EQ(json.size(), 1u);
    const auto& networks = json["networks"];
    const auto network = std::find_if(networks.begin(), networks.end(), [](const Json& entry) { return entry["name"] == "resnet50"; });
    ASSERT_NE(network, networks.end());
    EXPECT_EQ(network->dump(), R"({"name":"resnet50","family":"ResNet","year":2015,"paper":"arXiv 1512.03385","size":224,)"
                               R"("parameters":25557032,"macs":4089184256,"i_min":[75,75],"i_max":[427,427]})");
    EXPECT_GE(networks.size(), 10u);
}

TEST_F(Zoo, PrintsOneNetworkALine)
{
    const std::string out = run({"zoo", "list"}).out;
    EXPECT_TRUE(out.starts_with("name ")) << out;
    EXPECT_NE(out.find("25.56 M"), std::string::npos);
    EXPECT_EQ(static_cast<std::size_t>(std::count(out.begin(), out.end(), '\n')),
              Json::parse(run({"zoo", "list", "--json"}).out)["networks"].size() + 1);
}

TEST_F(Zoo, RefusesOtherWords)
{
    expectRefused({"zoo"}, "'list' is missing. See 'fovea zoo --help'.");
    expectRefused({"zoo", "show"}, "'fovea zoo' knows 'list', but got 'show'. See 'fovea zoo --help'.");
}

TEST_F(Zoo, NamesTheNearestNetworks)
{
    const Ran ran = run({"analyze", "zoo:resnt18"});
    EXPECT_EQ(ran.code, 2);
    EXPECT_EQ(ran.out, "");
    EXPECT_NE(ran.err.find("'resnet18'"), std::string::npos) << ran.err;
}

}  // namespace
}  // namespace fovea::test
