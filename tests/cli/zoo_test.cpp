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
    EXPECT_EQ(networks.size(), 76u);
}

TEST_F(Zoo, PrintsOneNetworkALine)
{
    const std::string out = run({"zoo", "list"}).out;
    EXPECT_TRUE(out.starts_with("name ")) << out;
    EXPECT_NE(out.find("25.56 M"), std::string::npos);
    EXPECT_EQ(static_cast<std::size_t>(std::count(out.begin(), out.end(), '\n')),
              Json::parse(run({"zoo", "list", "--json"}).out)["networks"].size() + 1);
}

TEST_F(Zoo, ShowsWhatCanBeSetInANetworksName)
{
    const Ran ran = run({"zoo", "show", "resnet18"});
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(ran.out, "resnet18: ResNet, 2015, arXiv 1512.03385\n"
                       "Residual blocks of two 3x3 convolutions.\n"
                       "11.69 M parameters, 1.81 G MACs at 224; i_min 139, i_max 435\n"
                       "\n"
                       "key            default  meaning\n"
                       "size           224      side of the input, or HEIGHTxWIDTH\n"
                       "classes        1000     channels of the output\n"
                       "channels       3        channels of the input\n"
                       "width          1        factor on the channels of every layer\n"
                       "depth          1        factor on the blocks of every stage, rounded up\n"
                       "output_stride  32       8, 16 or 32: later strides become dilation\n");
}

TEST_F(Zoo, ShowsANetworkAsItsSettingsMakeIt)
{
    const Json json = Json::parse(run({"zoo", "show", "zoo:resnet18,size=64x96,classes=10,width=0.5", "--json"}).out);
    EXPECT_EQ(json["parameters"], 2801450);
    EXPECT_EQ(json["settings"][3].dump(), R"({"key":"width","default":"1","meaning":"factor on the channels of every layer"})");
    const std::string table = run({"zoo", "show", "resnet18,size=64x96"}).out;
    EXPECT_NE(table.find(" MACs at 64x96; "), std::string::npos) << table;
}

TEST_F(Zoo, RefusesOtherWords)
{
    expectRefused({"zoo"}, "'list' or 'show' is missing. See 'fovea zoo --help'.");
    expectRefused({"zoo", "show"}, "NAME is missing. See 'fovea zoo --help'.");
    expectRefused({"zoo", "tell"}, "'fovea zoo' knows 'list' and 'show', but got 'tell'. See 'fovea zoo --help'.");
    expectRefused({"zoo", "list", "show"}, "'fovea zoo' knows 'list' and 'show', but got 'list'. See 'fovea zoo --help'.");
    expectRefused({"zoo", "show", "resnet18,depht=2"},
                  "'resnet18' has no parameter 'depht'; did you mean 'depth', 'size' or 'width'?");
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
