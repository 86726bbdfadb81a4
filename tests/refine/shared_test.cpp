// Layers that are called several times: what is changed in one call is changed in all, and what stands side by side
// stays alike.
#include "core/ops/shared_layers.h"
#include "core/refine/plan.h"
#include "tests/refine/edit_text.h"
#include "tests/support/text_graph.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace fovea::test {
namespace {

using Names = std::vector<std::string>;

// Binds the tensors of these layers to those of the first of them.
void share(Graph& graph, const Names& calls)
{
    for (const std::string& call : calls)
        graph.update(layer(graph, call).id, [&](Node& node) {
            for (const char* role : {"weight", "bias"}) node.tensors.push_back({role, calls[0] + "." + role});
        });
}

Names namesOf(const Graph& graph, const std::vector<NodeId>& ids)
{
    Names out;
    for (const NodeId id : ids) out.push_back(graph.at(id).name);
    return out;
}

// What a port computes from an image that is called x wherever it comes from, names of layers aside.
std::string formula(const Graph& graph, const Port& port)
{
    const Node& node = graph.at(port.node);
    std::string out = node.kind == "Input" ? "x" : node.kind;
    for (const auto& [name, value] : node.attrs.entries()) out += " " + name + "=" + toText(value);
    for (const TensorBinding& binding : node.tensors) out += " " + binding.tensor;
    if (node.kind != "Input" && opFor(node.kind).params && node.tensors.empty()) out += " of " + node.name;
    for (const Port& input : node.inputs) out += " (" + formula(graph, input) + ")";
    return out;
}

const char* const kSiamese =
    "input:left 3x64x64 > conv:a1 k=5 s=2 p=2 c=8 > relu > maxpool:p1 k=2 > conv:b1 k=3 p=1 c=8 > relu >"
    "maxpool:q1 k=2 > conv:c1 k=3 s=2 p=1 c=8 > relu:r1 > conv:d1 k=3 p=1 c=8 > gap > flatten:e1;"
    "input:right 3x64x64 > conv:a2 k=5 s=2 p=2 c=8 > relu > maxpool:p2 k=2 > conv:b2 k=3 p=1 c=8 > relu >"
    "maxpool:q2 k=2 > conv:c2 k=3 s=2 p=1 c=8 > relu:r2 > conv:d2 k=3 p=1 c=8 > gap > flatten:e2;"
    "@e1 > sub:difference @e2 > abs > linear:score c=1";

Graph siamese(std::int64_t side)
{
    Graph graph = graphOf(kSiamese);
    for (const char* name : {"a", "b", "c", "d"}) share(graph, {name + std::string("1"), name + std::string("2")});
    for (const char* input : {"left", "right"})
        graph.update(layer(graph, input).id, [&](Node& node) { node.attrs.set("shape", Ints{1, 3, side, side}); });
    return graph;
}

void expectTowersAlike(const Graph& graph, const std::string& what)
{
    const Node& meet = layer(graph, "difference");
    EXPECT_EQ(formula(graph, meet.inputs[0]), formula(graph, meet.inputs[1])) << what;
}

TEST(SharedLayers, areThoseOfOneKindThatReadOneKernel)
{
    const Graph graph = siamese(32);
    const auto layers = sharedLayers(graph);
    ASSERT_EQ(layers.size(), 4u);
    EXPECT_EQ(namesOf(graph, layers[0]), (Names{"a1", "a2"}));
    EXPECT_EQ(namesOf(graph, callsOf(graph, layer(graph, "d2").id)), (Names{"d1", "d2"}));
    EXPECT_EQ(namesOf(graph, callsOf(graph, layer(graph, "score").id)), (Names{"score"}));
    EXPECT_TRUE(sharedLayers(graphOf(kSiamese)).empty());
}

TEST(SharedLayers, areToldOnceEach)
{
    Names said;
    for (const Issue& issue : analyze(siamese(32)).issues)
        if (issue.code == "weights-shared") said.push_back(issue.layer + ": " + issue.message);
    ASSERT_EQ(said.size(), 4u);
    EXPECT_EQ(said[0], "a1: This layer is called 2 times with the same weights: as a1, a2.");
}

// Both where fields are too large and where they are too small, for each is mended by other moves.
TEST(SharedLayers, everyPlanAndEveryMoveLeavesTowersAlike)
{
    for (const std::int64_t side : {16, 32, 256}) {
        const Graph graph = siamese(side);
        int plans = 0, moves = 0;
        for (const Want want : {Want::Accuracy, Want::Balance, Want::Efficiency}) {
            PlanRequest request;
            request.want = want;
            request.minParameters = 0;
            request.maxParameters = 1'000'000;
            for (const Plan& plan : propose(graph, request)) {
                if (isSideChange(plan.edits)) continue;
                expectTowersAlike(plan.graph, plan.title);
                ++plans;
            }
        }
        for (const Plan& move : listMoves(graph)) {
            if (isSideChange(move.edits)) continue;
            expectTowersAlike(move.graph, move.title);
            ++moves;
        }
        EXPECT_GT(plans, 3) << side;
        EXPECT_GT(moves, 3) << side;
    }
}

TEST(SharedLayers, aStrideIsRelaxedInEveryCall)
{
    Names found;
    for (const Plan& move : listMoves(siamese(32))) found.push_back(editText(move.edits));
    std::string text;
    for (const std::string& edits : found) text += edits + "\n";
    for (const char* edits : {"set a1.stride 2x2 1x1; set a2.stride 2x2 1x1", "remove p1; remove p2",
                              "move p1 relu r1; move p2 relu_2 r2"})
        EXPECT_NE(std::find(found.begin(), found.end(), edits), found.end()) << edits << " is none of\n" << text;
}

TEST(SharedLayers, areNamedOnceInATitle)
{
    Names titles;
    for (const Plan& move : listMoves(siamese(32))) titles.push_back(move.title);
    EXPECT_NE(std::find(titles.begin(), titles.end(), "Stride of 'a1' from 2 to 1"), titles.end());
}

TEST(SharedLayers, anEditOfOneCallIsAnEditOfAllThatWereLikeIt)
{
    Graph graph = siamese(32);
    graph.update(layer(graph, "b2").id, [](Node& node) { node.attrs.set("dilation", Ints{2, 2}); });
    setInCalls(graph, layer(graph, "a2").id, "stride", Ints{1, 1});
    setInCalls(graph, layer(graph, "b1").id, "dilation", Ints{3, 3});
    EXPECT_EQ(layer(graph, "a1").attrs.at("stride", 0, 0), 1);
    EXPECT_EQ(layer(graph, "a2").attrs.at("stride", 0, 0), 1);
    EXPECT_EQ(layer(graph, "b1").attrs.at("dilation", 0, 0), 3);
    EXPECT_EQ(layer(graph, "b2").attrs.at("dilation", 0, 0), 2);
}

TEST(SharedLayers, whatMustStayInOneCallStaysInAll)
{
    PlanRequest request;
    request.keep = {"a2", "q2"};
    for (const Plan& move : listMoves(siamese(32), request))
        for (const Edit& edit : move.edits) EXPECT_TRUE(edit.layer[0] != 'a' && edit.layer[0] != 'q') << move.title;
}

// Of calls one behind another, the last may go: the others stay what they are. A setting is that of all.
TEST(SharedLayers, callsOneBehindAnotherAreSetTogetherAndCutAlone)
{
    Graph graph = graphOf("input 3x16x16 > conv:stem k=3 s=2 p=1 c=8 > conv:first k=5 p=2 c=8 > relu >"
                          "conv:second k=5 p=2 c=8 > relu > conv:third k=5 p=2 c=8 > relu > gap > flatten > linear c=4");
    share(graph, {"first", "second", "third"});
    PlanRequest request;
    request.minParameters = 0;
    bool isCut = false, isShrunk = false;
    for (const Plan& move : listMoves(graph, request)) {
        int kernels = 0;
        for (const Edit& edit : move.edits) {
            kernels += edit.attribute == "kernel_size" && edit.layer != "stem";
            isCut = isCut || (edit.op == Edit::Op::Remove && edit.layer == "third");
        }
        EXPECT_TRUE(kernels == 0 || kernels == 3) << move.title;
        isShrunk = isShrunk || kernels == 3;
    }
    EXPECT_TRUE(isCut);
    EXPECT_TRUE(isShrunk);
}

// Branches that read one kernel at several dilations would no longer be what they are if one of them changed.
TEST(SharedLayers, callsThatDifferInASettingKeepIt)
{
    Graph graph = graphOf("input 3x16x16 > conv:stem k=3 s=2 p=1 c=8; @stem > conv:near k=5 p=2 c=8;"
                          "@stem > conv:far k=5 d=2 p=4 c=8; @near > add @far > gap > flatten > linear c=4");
    share(graph, {"near", "far"});
    bool isShrunk = false;
    for (const Plan& move : listMoves(graph)) {
        const std::string edits = editText(move.edits);
        EXPECT_EQ(edits.find("dilation"), std::string::npos) << edits;
        const bool near = edits.find("near.kernel_size 5x5 3x3") != std::string::npos;
        EXPECT_EQ(near, edits.find("far.kernel_size 5x5 3x3") != std::string::npos) << edits;
        isShrunk = isShrunk || near;
    }
    EXPECT_TRUE(isShrunk);
}

}  // namespace
}  // namespace fovea::test
