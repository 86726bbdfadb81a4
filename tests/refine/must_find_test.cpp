// What the authors of arXiv 2211.14487 did by hand, network by network: the planner finds at least as good
// without knowing any of them. MACs are those of the authors' variants, from their public training code.
#include "core/zoo/zoo.h"
#include "tests/refine/edit_text.h"

#include <gtest/gtest.h>

namespace fovea::test {
namespace {

struct Known {
    const char* network;
    double mostMacs;  // of the authors' variant; 0: they have none at this side
};

std::ostream& operator<<(std::ostream& out, const Known& known) { return out << known.network; }

bool reaches(const Plan& plan, const Report& before)
{
    const auto& least = plan.after.iMin;
    return least && least->h <= before.side.h && least->w <= before.side.w &&
           plan.after.count(Verdict::Unproductive) == 0 && plan.after.count(Verdict::Partial) == 0;
}

// Every tensor goes over as it is.
bool keepsParameters(const Plan& plan)
{
    return plan.after.parameters == plan.before.parameters &&
           plan.weights.total(Transfer::Copied).parameters == plan.before.parameters;
}

const Plan* planWith(const std::vector<Plan>& plans, const std::string& edits)
{
    for (const Plan& plan : plans)
        if (editText(plan.edits) == edits) return &plan;
    return nullptr;
}

bool changesSide(const Plan& plan) { return plan.edits.front().attribute == "shape"; }

class TooLargeFields : public testing::TestWithParam<Known> {};

TEST_P(TooLargeFields, thePlanThatStandsFirstIsNoDearerThanTheAuthorsVariantAndKeepsEveryParameter)
{
    const Graph graph = buildZoo(GetParam().network);
    const Report before = analyze(graph);
    EXPECT_GT(before.summary.iMin->h, before.side.h);
    const std::vector<Plan> plans = propose(graph);
    ASSERT_FALSE(plans.empty());
    const Plan& first = plans.front();
    EXPECT_TRUE(reaches(first, before)) << first.title;
    EXPECT_TRUE(keepsParameters(first)) << first.title;
    EXPECT_FALSE(changesSide(first));
    if (GetParam().mostMacs > 0) {
        EXPECT_LE(static_cast<double>(first.after.macs), GetParam().mostMacs) << first.title;
    }
}

INSTANTIATE_TEST_SUITE_P(
    Refine, TooLargeFields,
    testing::Values(Known{"vgg19,size=224", 51.55e9}, Known{"mobilenet_v1,size=224", 1351.5e6},
                    Known{"mobilenet_v3_small,size=224", 166.5e6}, Known{"mobilenet_v3_large,size=224", 355.5e6},
                    Known{"mnasnet0_5,size=224", 217.5e6}, Known{"mnasnet0_75,size=224", 0},
                    Known{"mnasnet1_0,size=224", 689.5e6}, Known{"mnasnet1_3,size=224", 1125.5e6},
                    Known{"nasnet_a_mobile,size=225", 2261.5e6}, Known{"efficientnet_b0,size=224", 894.5e6},
                    Known{"efficientnet_b1,size=240", 1582.5e6}, Known{"efficientnet_b2,size=260", 2344.5e6},
                    Known{"efficientnet_b3,size=224", 0}, Known{"efficientnet_b4,size=224", 0},
                    Known{"efficientnet_b5,size=224", 0}, Known{"efficientnet_b6,size=224", 0},
                    Known{"efficientnet_b7,size=224", 0}));

class WellSuitedNetworks : public testing::TestWithParam<const char*> {};

TEST_P(WellSuitedNetworks, areToldThatNothingNeedsToBeDone)
{
    const Graph graph = buildZoo(GetParam());
    const Report report = analyze(graph);
    EXPECT_LE(report.summary.iMin->h, report.side.h);
    EXPECT_FALSE(needsRefinement(report));
    EXPECT_TRUE(propose(graph).empty());
}

INSTANTIATE_TEST_SUITE_P(Refine, WellSuitedNetworks,
                         testing::Values("resnet50,size=224", "efficientnet_b3,size=300", "efficientnet_b4,size=380",
                                         "efficientnet_b5,size=456", "efficientnet_b6,size=528",
                                         "efficientnet_b7,size=600"));

TEST(PatchStem, isRelaxedToHalfItsStrideAndKeepsItsKernelAndEveryParameter)
{
    const Graph graph = buildZoo("convnext_tiny,size=192");
    const std::vector<Plan> plans = propose(graph);
    const Plan* stem = planWith(plans, "set features.0.0.padding 0x0x0x0 1x1x1x1; set features.0.0.stride 4x4 2x2");
    ASSERT_NE(stem, nullptr);
    EXPECT_TRUE(reaches(*stem, analyze(graph)));
    EXPECT_TRUE(keepsParameters(*stem));
    EXPECT_EQ(stem->before.iMin->h, 224);
    EXPECT_EQ(stem->after.iMin->h, 114);
    EXPECT_LE(plans.front().after.macs, stem->after.macs);
}

TEST(TooSmallField, ofAChainOfPoolingsBecomesLargerAtLowerCost)
{
    const Graph graph = buildZoo("vgg11,size=224");
    const std::vector<Plan> plans = propose(graph);
    ASSERT_FALSE(plans.empty());
    const Plan& first = plans.front();
    EXPECT_EQ(first.before.iMax->h, 150);
    EXPECT_GE(first.after.iMax->h, 190);
    EXPECT_LE(first.after.iMin->h, 224);
    EXPECT_LE(static_cast<double>(first.after.macs), 4.15e9);
    EXPECT_TRUE(keepsParameters(first));
}

class SmallSides : public testing::TestWithParam<const char*> {};

TEST_P(SmallSides, areOfferedTheStemForSmallImages)
{
    const std::vector<Plan> plans = propose(buildZoo(GetParam()));
    const Plan* stem = planWith(plans, "set conv1.kernel_size 7x7 3x3; set conv1.padding 3x3x3x3 1x1x1x1; "
                                       "set conv1.stride 2x2 1x1; remove maxpool");
    ASSERT_NE(stem, nullptr);
    EXPECT_EQ(stem->after.iMin->h, 35);
    EXPECT_EQ(stem->title,
              "Stem 'conv1' for small images: kernel from 7 to 3, stride from 2 to 1; pooling 'maxpool' removed");
    EXPECT_EQ(stem->weights.total(Transfer::Sliced).tensors, 1);
    EXPECT_EQ(stem->weights.total(Transfer::Fresh).tensors, 0);
}

INSTANTIATE_TEST_SUITE_P(Refine, SmallSides, testing::Values("resnet18,size=32", "resnet18,size=16"));

}  // namespace
}  // namespace fovea::test
