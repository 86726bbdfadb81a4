// Moves that add layers: what they put where, and the authors' measured cases of arXiv 2211.14487 for them.
#include "core/zoo/zoo.h"
#include "tests/refine/edit_text.h"
#include "tests/support/text_graph.h"

#include <gtest/gtest.h>

namespace fovea::test {
namespace {

using Texts = std::vector<std::string>;

const Plan* titled(const std::vector<Plan>& plans, const std::string& start)
{
    for (const Plan& plan : plans)
        if (plan.title.starts_with(start)) return &plan;
    return nullptr;
}

class MeasuredCases : public testing::Test {
protected:
    static void SetUpTestSuite() { s_moves = listMoves(buildZoo("efficientnet_b0,size=224")); }
    static double share(const Plan& plan)
    {
        return static_cast<double>(plan.after.parameters) / static_cast<double>(plan.before.parameters);
    }
    inline static std::vector<Plan> s_moves;
};

TEST_F(MeasuredCases, aSkipAroundEveryBlockWithoutOne)
{
    const Plan* plan = titled(s_moves, "1x1 skip around 'features.1.0.block', 'features.2.0.block'");
    ASSERT_NE(plan, nullptr);
    EXPECT_EQ(plan->after.iMin->h, 131);
    EXPECT_NEAR(share(*plan), 1.018, 0.001);
    EXPECT_NEAR(static_cast<double>(plan->after.macs), 401e6, 0.5e6);
    EXPECT_EQ(plan->weights.total(Transfer::Copied).parameters, plan->before.parameters);
    EXPECT_EQ(plan->weights.total(Transfer::Padded).tensors, 28);  // norms that start at zero
    EXPECT_EQ(plan->weights.total(Transfer::Fresh).tensors, 7);
    EXPECT_EQ(plan->relieved.size(), 4u);
}

TEST_F(MeasuredCases, theTailCut)
{
    const Plan* plan = titled(s_moves, "59 layers cut");
    ASSERT_NE(plan, nullptr);
    EXPECT_EQ(plan->after.iMin->h, 171);
    EXPECT_LT(plan->after.macs, 280'000'000);
}

TEST_F(MeasuredCases, shorterAndWiderWithinTheOldNumberOfParameters)
{
    const Plan* plan = titled(
        s_moves, "Shorter and wider: 59 layers cut from 'features.6.1.block.0.0' on, 48 added, channels times 1.4");
    ASSERT_NE(plan, nullptr);
    EXPECT_LE(plan->after.iMin->h, 180);
    EXPECT_LE(share(*plan), 1.0);
    EXPECT_GE(share(*plan), 0.95);
    EXPECT_NEAR(static_cast<double>(plan->after.macs), 683e6, 10e6);
    EXPECT_EQ(plan->after.count(Verdict::Unproductive) + plan->after.count(Verdict::Critical), 0);
}

TEST_F(MeasuredCases, kernelsMovedForward)
{
    const Plan* plan = titled(s_moves, "Kernel of 'features.1.0.block.0.0', 'features.2.0.block.1.0' and "
                                       "'features.2.1.block.1.0' from 3 to 7; kernel of 'features.3.0.block.1.0'");
    ASSERT_NE(plan, nullptr);
    EXPECT_LE(plan->after.iMin->h, 219);
    EXPECT_NEAR(share(*plan), 0.99, 0.01);
    EXPECT_EQ(plan->weights.total(Transfer::Padded).tensors, 3);
    EXPECT_EQ(plan->weights.total(Transfer::Sliced).tensors, 9);
}

TEST(AddSkips, leadAroundTheBlockWithItsStrideAndTakeOverItsReaders)
{
    const Graph graph = graphOf("input 3x16x16 > conv:a k=3 p=1 c=4 > relu:ra;"
                                "@ra > conv:b k=3 p=1 c=4 > add:s @ra > relu:rs;"
                                "@rs > conv:c k=3 s=2 p=1 c=8 > relu:rc > conv:d k=3 p=1 c=8 > add:t @rc > gap:g");
    const auto found = listed(refine::addSkips, graph);
    ASSERT_EQ(editTexts(found), (Texts{"add skip.0  Conv2d(init=zeros, out_channels=8, stride=2x2); "
                                       "add skip.add skip.0 Add"}));
    const Graph& refined = found[0].graph;
    EXPECT_EQ(refined.at(layer(refined, "d").id).inputs[0].node, layer(refined, "skip.add").id);
    EXPECT_EQ(analyze(refined).find(layer(refined, "skip.add").id)->field.h.rfMin, 3);
    EXPECT_TRUE(listed(refine::addSkips, graph, {"c"}).empty());
}

TEST(AddSkips, areOfferedOnlyWhereThereAreSkips)
{
    EXPECT_TRUE(
        listed(refine::addSkips, graphOf("input 3x16x16 > conv k=3 p=1 c=4 > relu > conv k=3 s=2 p=1 c=8 > gap"))
            .empty());
}

const char* const kSmallField =
    "input 3x64x64 > conv:a k=3 p=1 c=4 > bn:n > relu:r > conv:b k=3 p=1 c=8 > bn:m > relu:q > gap:g";

TEST(AddPoolings, standBehindTheActivationOfEveryWindowButTheLast)
{
    EXPECT_EQ(editTexts(listed(refine::addPoolings, graphOf(kSmallField))),
              (Texts{"add pool  MaxPool2d(kernel_size=2x2, stride=2x2)"}));
    EXPECT_TRUE(
        listed(refine::addPoolings, graphOf("input 3x5x5 > conv k=3 p=1 c=4 > conv k=3 p=1 c=8 > gap")).empty());
}

TEST(AddStage, endsTheNetworkInItsOwnStyleAndStartsAsTheIdentity)
{
    const auto found = listed(refine::addStage, graphOf(kSmallField));
    ASSERT_EQ(found.size(), 1u);
    const Graph& graph = found[0].graph;
    const Report report = analyze(graph);
    EXPECT_EQ(report.summary.iMax->h, 11);
    EXPECT_EQ(layer(graph, "stage.0.0").attrs.getText("init"), "identity");
    EXPECT_EQ(layer(graph, "stage.0.1").kind, "BatchNorm2d");
    EXPECT_EQ(layer(graph, "stage.1.2").kind, "ReLU");
    EXPECT_EQ(graph.at(layer(graph, "g").id).inputs[0].node, layer(graph, "stage.1.2").id);
    EXPECT_EQ(report.find(layer(graph, "g").id)->in[0].shape.text(), "1x8x32x32");
}

TEST(Limits, noPlanAddsParametersUnlessTheLimitIsLoosened)
{
    const Graph graph = buildZoo("efficientnet_b0,size=224");
    PlanRequest request;
    for (const Plan& plan : propose(graph, request)) EXPECT_LE(plan.after.parameters, plan.before.parameters);
    request.maxParameters = 5'288'548 * 102 / 100;
    bool skips = false;
    for (const Plan& plan : propose(graph, request)) skips = skips || plan.title.find("skip") != std::string::npos;
    EXPECT_TRUE(skips);
}

TEST(Validity, aHeadThatBringsTheMapBackKeepsItsSide)
{
    const Graph graph = graphOf("input 3x16x16 > conv:a k=3 s=2 p=1 c=4 > conv:b k=3 s=2 p=1 c=4 > conv:c k=3 p=1 c=4 >"
                                "conv:d k=3 p=1 c=4 > convtranspose2d:up k=4 s=4 c=5");
    for (const Plan& plan : listMoves(graph))
        if (plan.edits.front().attribute != "shape") {
            EXPECT_EQ(analyze(plan.graph).outputs[0].second.text(), "1x5x16x16") << plan.title;
        }
}

TEST(Combine, makesOneMoveAfterTheOther)
{
    const Graph graph =
        graphOf("input 3x12x12 > conv:a k=3 p=1 c=4 > maxpool:p k=2 > conv:b k=3 p=1 c=4 > maxpool:q k=2 >"
                "conv:c k=3 p=1 c=4 > gap");
    const std::vector<Plan> moves = listMoves(graph);
    const Plan *p = titled(moves, "Pooling 'p' removed"), *q = titled(moves, "Pooling 'q' removed");
    ASSERT_NE(p, nullptr);
    ASSERT_NE(q, nullptr);
    const Plan both = combine(graph, {p->id, q->id});
    EXPECT_EQ(both.title, "Pooling 'p' and 'q' removed");
    EXPECT_EQ(both.after.iMin->h, 7);
    EXPECT_EQ(both.id, combine(graph, {q->id, p->id}).id);
    EXPECT_THROW(combine(graph, {p->id, p->id}), Error);
    EXPECT_THROW(combine(graph, {"none"}), Error);
}

}  // namespace
}  // namespace fovea::test
