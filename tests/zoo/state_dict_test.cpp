// Tensor names and dimensions against lists written from torchvision by list_state_dict.py.
#include "core/ops/registry.h"
#include "core/zoo/zoo.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>

namespace fovea {
namespace {

std::set<std::string> expectedTensors(const std::string& network)
{
    std::ifstream file(std::string(FOVEA_SOURCE_DIR) + "/tests/zoo/state_dict/" + network + ".txt");
    EXPECT_TRUE(file.is_open()) << network;
    std::set<std::string> out;
    for (std::string line; std::getline(file, line);) out.insert(line);
    return out;
}

std::set<std::string> tensorsOf(const Graph& graph)
{
    std::set<std::string> out;
    std::vector<Issue> issues;
    const Prepared prepared = prepare(graph);
    const std::vector<Value> values = inferShapes(prepared, issues);
    for (const Prepared::Entry& entry : prepared.entries) {
        std::vector<Value> in;
        for (std::uint32_t i = 0; i < entry.inputCount; ++i)
            in.push_back(values[static_cast<std::size_t>(prepared.sources[entry.firstInput + i])]);
        for (const NamedParam& param :
             paramsOf(*entry.node, in, std::span(values).subspan(entry.firstOutput, entry.outputCount)))
            out.insert(param.tensor + " " + toText(AttrValue(param.spec.dims)));
    }
    return out;
}

class StateDict : public testing::TestWithParam<const char*> {};

TEST_P(StateDict, hasTheKeysAndDimensionsOfTorchvision)
{
    EXPECT_EQ(tensorsOf(buildZoo(GetParam())), expectedTensors(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Zoo, StateDict, testing::Values("resnet18", "resnet50", "vgg11_bn", "vgg19"));

}  // namespace
}  // namespace fovea
