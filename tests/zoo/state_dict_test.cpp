// Tensor names, dimensions and parameter counts against lists written from torchvision by list_state_dict.py.
#include "core/ops/registry.h"
#include "core/zoo/zoo.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

namespace fovea {
namespace {

std::filesystem::path listFolder()
{
    if (const char* folder = std::getenv("FOVEA_TEST_STATE_DICTS")) return folder;
    return std::filesystem::path(FOVEA_SOURCE_DIR) / "build" / "state_dicts";
}

std::set<std::string> networksThatTorchvisionLacks()
{
    return {"example",  "lenet5",       "mobilenet_v1", "nasnet_a_mobile", "resnet20",
            "resnet56", "resnet50_slim_v1", "unet",     "xception"};
}

// "key dims" of every tensor, and "parameters N".
std::set<std::string> linesOf(const Graph& graph)
{
    std::set<std::string> out;
    std::vector<Issue> issues;
    std::int64_t trainable = 0;
    const Prepared prepared = prepare(graph);
    const std::vector<Value> values = inferShapes(prepared, issues);
    for (const Prepared::Entry& entry : prepared.entries) {
        std::vector<Value> in;
        for (std::uint32_t i = 0; i < entry.inputCount; ++i)
            in.push_back(values[static_cast<std::size_t>(prepared.sources[entry.firstInput + i])]);
        for (const NamedParam& param :
             paramsOf(*entry.node, in, std::span(values).subspan(entry.firstOutput, entry.outputCount))) {
            out.insert(param.tensor + " " + toText(AttrValue(param.spec.dims)));
            std::int64_t elements = param.spec.trainable;
            for (const std::int64_t dim : param.spec.dims) elements *= dim;
            trainable += elements;
        }
    }
    out.insert("parameters " + std::to_string(trainable));
    return out;
}

class StateDict : public testing::TestWithParam<std::string> {
protected:
    std::set<std::string> expected() const
    {
        std::ifstream file(listFolder() / (GetParam() + ".txt"));
        std::set<std::string> out;
        for (std::string line; std::getline(file, line);) out.insert(line);
        return out;
    }
};

TEST_P(StateDict, hasTheKeysDimensionsAndParametersOfTorchvision)
{
    if (!std::filesystem::exists(listFolder()))
        GTEST_SKIP() << "There is no " << listFolder() << "; make it with tests/zoo/list_state_dict.py --out FOLDER and set "
                     << "FOVEA_TEST_STATE_DICTS to it.";
    const std::set<std::string> lines = expected();
    ASSERT_GT(lines.size(), 1u) << "There is no list of " << GetParam() << " in " << listFolder();
    EXPECT_EQ(linesOf(buildZoo(GetParam())), lines);
}

std::vector<std::string> networks()
{
    std::vector<std::string> out{"mobilenet_v2,width=0.35,classes=10", "mobilenet_v3_large,width=0.75"};
    for (const ZooEntry& entry : zooEntries())
        if (!networksThatTorchvisionLacks().contains(entry.name)) out.push_back(entry.name);
    return out;
}

std::string testName(const testing::TestParamInfo<std::string>& info)
{
    std::string out = info.param;
    for (char& letter : out)
        if (!std::isalnum(static_cast<unsigned char>(letter))) letter = '_';
    return out;
}

INSTANTIATE_TEST_SUITE_P(Zoo, StateDict, testing::ValuesIn(networks()), testName);

}  // namespace
}  // namespace fovea
