// The planner on real networks.
#include "core/zoo/zoo.h"
#include "tests/refine/edit_text.h"
#include "tests/support/text_graph.h"

#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <thread>

namespace fovea::test {
namespace {

const Plan* planTitled(const std::vector<Plan>& plans, const std::string& title)
{
    for (const Plan& plan : plans)
        if (plan.title == title) return &plan;
    return nullptr;
}

bool sameNetwork(const Graph& a, const Graph& b)
{
    if (a.nodes().size() != b.nodes().size() || a.outputs() != b.outputs()) return false;
    for (std::size_t i = 0; i < a.nodes().size(); ++i)
        if (!a.nodes()[i]->sameAs(*b.nodes()[i])) return false;
    return true;
}

std::vector<int> counts(const Summary& summary) { return {summary.verdicts.begin(), summary.verdicts.end()}; }

TEST(Shortcuts, stridesOfShortcutsWithoutParametersAreRelaxedAndEveryTensorStays)
{
    const auto plans = propose(buildZoo("resnet20,size=16"));
    const Plan* plan =
        planTitled(plans, "Stride of 'layer2.0.conv1' from 2 to 1; step of 'layer2.0.shortcut.slice' from 2 to 1");
    ASSERT_NE(plan, nullptr);
    EXPECT_EQ(firstError(analyze(plan->graph)), nullptr);
    EXPECT_TRUE(plan->weights.rows.empty()) << "every tensor is copied";
}

class Networks : public testing::TestWithParam<const char*> {};

TEST_P(Networks, everyPlanIsValidDescribedExactlyPredictedRightAndBeatenByNone)
{
    const Graph graph = buildZoo(GetParam());
    const std::vector<Plan> plans = propose(graph);
    ASSERT_FALSE(plans.empty());
    EXPECT_LE(plans.size(), 12u);
    std::set<std::string> ids;
    for (const Plan& plan : plans) {
        SCOPED_TRACE(plan.title);
        EXPECT_TRUE(ids.insert(plan.id).second);
        if (!addsLayers(plan.edits)) {
            EXPECT_TRUE(sameNetwork(applied(graph, plan.edits), plan.graph)) << editText(plan.edits);
        }
        const Report fresh = analyze(plan.graph);
        EXPECT_EQ(plan.after.iMin, fresh.summary.iMin);
        EXPECT_EQ(plan.after.macs, fresh.summary.macs);
        EXPECT_EQ(plan.after.parameters, fresh.summary.parameters);
        EXPECT_EQ(counts(plan.after), counts(fresh.summary));
        for (const Issue& issue : fresh.issues) EXPECT_NE(issue.severity, Severity::Error) << issue.message;
        EXPECT_EQ(fresh.outputs, analyze(graph).outputs);
        EXPECT_GT(plan.weights.total(Transfer::Copied).tensors, 0);
        if (!addsLayers(plan.edits)) {
            EXPECT_EQ(plan.weights.total(Transfer::Fresh).tensors, 0);
        }
    }
}

TEST_P(Networks, plansAreTheSameInEveryRun)
{
    const Graph graph = buildZoo(GetParam());
    const std::vector<Plan> first = propose(graph), second = propose(graph);
    ASSERT_EQ(first.size(), second.size());
    for (std::size_t i = 0; i < first.size(); ++i) EXPECT_EQ(first[i].id, second[i].id);
}

INSTANTIATE_TEST_SUITE_P(Refine, Networks,
                         testing::Values("example", "resnet18,size=32", "resnet50,size=32", "resnet152,size=16x64",
                                         "vgg11,size=64", "vgg16,size=32", "vgg19", "vgg13_bn,size=96"));

TEST(SmallImages, aResidualNetworkBuiltForPhotographsCanBeMadeFullyProductiveAtThirtyTwo)
{
    const std::vector<Plan> plans = propose(buildZoo("resnet18,size=32"));
    const Plan& best = plans.front();
    EXPECT_EQ(best.before.count(Verdict::Unproductive), 3);
    EXPECT_EQ(best.before.iMin->h, 139);
    EXPECT_EQ(best.title, "Pooling 'maxpool' removed; stride of 'layer3.0' and 'layer4.0' from 2 to 1");
    EXPECT_EQ(best.after.count(Verdict::Unproductive), 0);
    EXPECT_EQ(best.after.count(Verdict::Critical), 0);
    EXPECT_EQ(best.after.iMin->h, 23);
    EXPECT_EQ(best.after.parameters, 11'689'512);
}

TEST(SmallImages, relaxingTheStemIsAlwaysOffered)
{
    for (const Want want : {Want::Accuracy, Want::Balance, Want::Efficiency}) {
        PlanRequest request;
        request.want = want;
        const auto plans = propose(buildZoo("resnet18,size=32"), request);
        const Plan* stem = planTitled(plans, "Stride of 'conv1' from 2 to 1");
        ASSERT_NE(stem, nullptr);
        EXPECT_EQ(stem->id, "9b92b22427b5");
        EXPECT_EQ(stem->after.iMin->h, 73);
        EXPECT_EQ(stem->after.count(Verdict::Unproductive), 1);
        EXPECT_EQ(stem->reason, "Every field behind it grows more slowly: the smallest fully used side falls from 139 "
                                "to 73 px at a side of 32 px; "
                                "2 of 3 unproductive layers become critical; 4 of 6 critical layers become productive "
                                "(3.96 times the MACs, no parameter changes).");
    }
}

TEST(SmallImages, plansAreOrderedAsWanted)
{
    PlanRequest request;
    request.want = Want::Efficiency;
    const auto cheap = propose(buildZoo("resnet18,size=32"), request);
    const auto accurate = propose(buildZoo("resnet18,size=32"));
    // Another side is an alternative to all that was asked for, so it stands last.
    EXPECT_EQ(cheap.back().title, "Side from 32 to 160");
    EXPECT_EQ(accurate.back().title, "Side from 32 to 160");
    for (std::size_t i = 1; i + 1 < cheap.size(); ++i) EXPECT_LE(cheap[i - 1].after.macs, cheap[i].after.macs);
    for (std::size_t i = 1; i + 1 < accurate.size(); ++i)
        EXPECT_LE(accurate[i - 1].after.count(Verdict::Unproductive), accurate[i].after.count(Verdict::Unproductive));
    EXPECT_LT(cheap.front().after.macs, accurate.front().after.macs);
}

TEST(ChainOfPoolings, movingOnePoolingLaterBringsTheFieldBelowTheSide)
{
    const auto plans = propose(buildZoo("vgg19"));
    const Plan* moved = planTitled(plans, "Pooling 'features.27' moved from 'features.26' to behind 'features.33'");
    ASSERT_NE(moved, nullptr);
    EXPECT_EQ(moved->before.iMin->h, 268);
    EXPECT_EQ(moved->after.iMin->h, 220);
    EXPECT_EQ(moved->after.parameters, 143'667'240);
    EXPECT_EQ(moved->after.count(Verdict::Unproductive), 0);
    EXPECT_EQ(moved->weights.total(Transfer::Copied).parameters, 143'667'240);
}

TEST(WellSuited, aDeepResidualNetworkAtItsOwnSideNeedsNothing) { EXPECT_TRUE(propose(buildZoo("resnet50")).empty()); }

TEST(Cancelling, aSearchThatRunsStopsSoonAfterItIsTold)
{
    std::atomic<bool> cancel = false;
    PlanRequest request;
    request.cancel = &cancel;
    const Graph graph = buildZoo("resnet152,size=32");
    std::thread teller([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        cancel = true;
    });
    const auto plans = propose(graph, request);
    teller.join();
    EXPECT_TRUE(plans.empty());
}

}  // namespace
}  // namespace fovea::test
