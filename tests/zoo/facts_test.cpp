// What papers and other programs publish about the networks, against what Fovea computes for them.
#include "core/analysis/report.h"
#include "core/zoo/zoo.h"

#include <gtest/gtest.h>

#include <cmath>

namespace fovea {
namespace {

Summary summaryOf(const std::string& network) { return analyze(buildZoo(network)).summary; }

TEST(ZooFacts, networksThatTorchvisionLacksHaveTheirPublishedParameters)
{
    const std::pair<const char*, std::int64_t> kExpected[] = {
        // Figure 2 of LeCun et al. 1998 with full connections: 156 + 2,416 + 48,120 + 10,164 + 850.
        {"lenet5", 61'706},
        {"lenet5,size=28,padding=2", 61'706},
        // He et al. 2015, table 6: 0.27 M and 0.85 M; counted from section 4.2 with norms and option A.
        {"resnet20", 269'722},
        {"resnet56", 853'018},
        // The same layers as torchvision's resnet50; only strides and paddings differ.
        {"resnet50_slim_v1", 25'557'032},
        // keras.applications, trainable: MobileNet, NASNetMobile and Xception. MobileNet's 0.5 is 1.3 M in table 7.
        {"mobilenet_v1", 4'231'976},
        {"mobilenet_v1,width=0.5", 1'331'592},
        {"nasnet_a_mobile", 5'289'978},
        {"xception", 22'855'952},
        // Ronneberger et al. 2015, figure 1, one channel in and one out: 31,030,593 in public implementations.
        {"unet,channels=1,classes=1", 31'030'593},
        {"unet,padding=0,size=572,channels=1,classes=1", 31'030'593},
    };
    for (const auto& [network, parameters] : kExpected) EXPECT_EQ(summaryOf(network).parameters, parameters) << network;
}

// Araujo, Norris, Sim: "Computing Receptive Fields of Convolutional Neural Networks", Distill 2019, table of models.
TEST(ZooFacts, largestFieldsAreThoseOfDistillsTable)
{
    const std::pair<const char*, std::int64_t> kExpected[] = {
        {"alexnet", 195}, {"vgg16", 212}, {"inception_v3", 1311}, {"resnet50_slim_v1", 483}, {"mobilenet_v1", 315}};
    for (const auto& [network, field] : kExpected)
        EXPECT_EQ(summaryOf(network).iMax, (PerAxis<std::int64_t>{field, field})) << network;
}

// Richter et al., arXiv 2106.12307 and 2211.14487: the side below which field expansion is wasted.
TEST(ZooFacts, smallestUsefulSidesAreThoseOfThePapers)
{
    const std::pair<const char*, std::int64_t> kExpected[] = {
        {"vgg11", 150},
        {"vgg19", 268},
        {"resnet50", 75},
        {"mobilenet_v1", 315},
        {"mobilenet_v3_small", 303},
        {"mobilenet_v3_large", 263},
        {"mnasnet0_5", 283},
        {"mnasnet1_0", 283},
        {"mnasnet1_3", 283},
        {"nasnet_a_mobile", 327},
        {"efficientnet_b0", 299},
        {"efficientnet_b1", 299},
        {"efficientnet_b2", 299},
        {"convnext_tiny", 224},
    };
    for (const auto& [network, side] : kExpected)
        EXPECT_EQ(summaryOf(network).iMin, (PerAxis<std::int64_t>{side, side})) << network;
    EXPECT_EQ(summaryOf("resnet50").iMinRfa, (PerAxis<std::int64_t>{96, 96}));
}

// In millions at the network's own side. Programs count a little differently, hence the tolerance.
TEST(ZooFacts, multiplyAccumulatesAreThoseThatTheAuthorsPublish)
{
    const std::pair<const char*, double> kExpected[] = {
        {"mobilenet_v1", 569},                                   // arXiv 1704.04861
        {"mobilenet_v2", 300},                                   // arXiv 1801.04381
        {"mobilenet_v3_small", 56},                              // arXiv 1905.02244
        {"mobilenet_v3_large", 219}, {"nasnet_a_mobile", 564},   // arXiv 1707.07012
        {"shufflenet_v2_x1_0", 146},                             // arXiv 1807.11164
        {"shufflenet_v2_x2_0", 591}, {"efficientnet_b0", 390},   // arXiv 1905.11946
        {"efficientnet_b7", 37'000}, {"regnet_x_3_2gf", 3'200},  // arXiv 2003.13678: the names are the counts
        {"regnet_y_32gf", 32'300},   {"convnext_tiny", 4'500},   // arXiv 2201.03545
        {"resnet50_slim_v1", 3'485},                             // 6.97 G FLOPs in Distill's table
    };
    for (const auto& [network, millions] : kExpected)
        EXPECT_NEAR(static_cast<double>(summaryOf(network).macs) / 1e6 / millions, 1, 0.025) << network;
}

TEST(ZooFacts, everyNetworkIsWholeAtItsOwnSide)
{
    ASSERT_EQ(zooEntries().size(), 76u);
    for (const ZooEntry& entry : zooEntries()) {
        const Report report = analyze(buildZoo(entry.name));
        for (const Issue& issue : report.issues) {
            EXPECT_NE(issue.severity, Severity::Error) << entry.name << ": " << issue.message;
            EXPECT_NE(issue.code, "unreachable") << entry.name << ": " << issue.message;
            EXPECT_NE(issue.code, "dead-output") << entry.name << ": " << issue.message;
        }
        for (const auto& [name, shape] : report.outputs) EXPECT_TRUE(shape.isComplete()) << entry.name << " " << name;
        EXPECT_TRUE(report.summary.iMin.has_value()) << entry.name;
        EXPECT_EQ(report.side, (PerAxis<std::int64_t>{entry.size, entry.size})) << entry.name;
        EXPECT_GE(entry.year, 1998) << entry.name;
        EXPECT_TRUE(std::string(entry.paper).starts_with("arXiv ") || std::string(entry.paper).starts_with("doi "))
            << entry.name;
        EXPECT_TRUE(std::string(entry.note).ends_with(".")) << entry.name;
    }
}

}  // namespace
}  // namespace fovea
