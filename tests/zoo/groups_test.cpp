// What an import makes of the weights' names alone, as PyTorch before 1.13 writes them, on networks whose modules are known.
#include "core/graph/names.h"
#include "core/io/onnx/names.h"
#include "core/ops/registry.h"
#include "core/zoo/zoo.h"
#include "tests/core/group_checks.h"

namespace fovea {
namespace {

struct Nameless {
    test::Lists inputs;
    std::vector<GroupClaim> claims;
    std::vector<std::string> groups;  // as the network has them
};

Nameless nameless(const Graph& graph)
{
    Nameless out;
    std::map<NodeId, std::size_t> places;
    for (const auto& node : graph.nodes()) places[node->id] = places.size();
    for (const auto& node : graph.nodes()) {
        std::vector<std::size_t> from;
        for (const Port& port : node->inputs)
            if (const auto place = places.find(port.node); place != places.end()) from.push_back(place->second);
        out.inputs.push_back(std::move(from));
        const OpDef& op = opFor(node->kind);
        GroupClaim claim;
        claim.closes = op.opClass == OpClass::Activation || op.opClass == OpClass::Merge;
        if (op.opClass == OpClass::Convolution || op.opClass == OpClass::Linear || op.opClass == OpClass::Normalization) {
            claim.owner = node->tensorName("weight");
            claim.module = parentPath(claim.owner);
        }
        out.claims.push_back(std::move(claim));
        out.groups.push_back(node->group);
    }
    return out;
}

TEST(ZooGroups, AreFoundFromTheNamesOfWeights)
{
    std::size_t layers = 0, same = 0;
    for (const ZooEntry& entry : zooEntries()) {
        SCOPED_TRACE(entry.name);
        const Nameless network = nameless(buildZoo(entry.name));
        const std::vector<std::string> found = connectedGroups(network.inputs, network.claims);
        test::expectParts(network.inputs, found);
        for (std::size_t i = 0; i < found.size(); ++i) same += found[i] == network.groups[i];
        layers += found.size();
    }
    EXPECT_GT(same * 100, layers * 75) << same << " of " << layers << " layers";
}

TEST(ZooGroups, OfTheNetworksThemselvesArePartsToo)
{
    for (const ZooEntry& entry : zooEntries()) {
        SCOPED_TRACE(entry.name);
        const Nameless network = nameless(buildZoo(entry.name));
        std::size_t deepest = 0;
        for (const std::string& group : network.groups) deepest = std::max(deepest, test::depthOf(group));
        for (std::size_t depth = 1; depth <= deepest; ++depth) EXPECT_FALSE(test::hasCycle(network.inputs, test::contracted(network.groups, depth))) << depth;
    }
}

}  // namespace
}  // namespace fovea
