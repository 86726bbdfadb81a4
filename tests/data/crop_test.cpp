#include "core/data/crop.h"

#include <gtest/gtest.h>

namespace fovea {
namespace {

Frame frameFor(const LoadOptions& options, std::int64_t height, std::int64_t width, std::uint64_t seed = 0)
{
    RandomStream stream(seed, {});
    const FramePlan plan = planFrame(options, stream);
    return frameOf(options, plan, height, width, stream);
}

TEST(Crop, WithoutAResizeTheWholeImageBecomesTheInput)
{
    const Frame frame = frameFor(LoadOptions{3, 24, 32}, 100, 50);
    EXPECT_EQ(frame.source, (PixelWindow{0, 0, 100, 50}));
    EXPECT_EQ(frame.wanted, (PixelWindow{0, 0, 24, 32}));
    EXPECT_EQ(frame.height, 24);
    EXPECT_EQ(frame.width, 32);
}

// torchvision: Resize(256), CenterCrop(224).
TEST(Crop, EvaluationCutsTheMiddleOfTheResizedImage)
{
    LoadOptions options;
    options.preprocessing.resize = 256;
    const Frame frame = frameFor(options, 375, 500);
    EXPECT_EQ(frame.height, 256);
    EXPECT_EQ(frame.width, 341);
    EXPECT_EQ(frame.wanted, (PixelWindow{16, 58, 224, 224}));
    EXPECT_EQ(frameFor(options, 500, 375).wanted, (PixelWindow{58, 16, 224, 224}));
}

TEST(Crop, AnInputLargerThanTheResizedImageIsSurroundedByBlack)
{
    LoadOptions options;
    options.preprocessing.resize = 100;
    EXPECT_EQ(frameFor(options, 400, 400).wanted, (PixelWindow{-62, -62, 224, 224}));
}

TEST(Crop, ARandomPartStaysInsideWithTheShareAndRatioThatWereAskedFor)
{
    LoadOptions options;
    options.augmentation.scale = {0.2, 0.6};
    options.augmentation.ratio = {0.75, 4.0 / 3};
    double least = 1, most = 0;
    for (std::uint64_t seed = 0; seed < 500; ++seed) {
        const PixelWindow part = frameFor(options, 300, 400, seed).source;
        ASSERT_GE(part.top, 0);
        ASSERT_GE(part.left, 0);
        ASSERT_LE(part.top + part.height, 300);
        ASSERT_LE(part.left + part.width, 400);
        const double share = static_cast<double>(part.height * part.width) / 120000;
        const double ratio = static_cast<double>(part.width) / static_cast<double>(part.height);
        ASSERT_GT(ratio, 0.74);
        ASSERT_LT(ratio, 1.35);
        least = std::min(least, share);
        most = std::max(most, share);
    }
    EXPECT_NEAR(least, 0.2, 0.02);
    EXPECT_NEAR(most, 0.6, 0.02);
}

TEST(Crop, WhereNoRatioFitsTheLargestMiddlePartIsTaken)
{
    LoadOptions options;
    options.augmentation.scale = {1, 1};
    options.augmentation.ratio = {0.5, 1};
    EXPECT_EQ(frameFor(options, 100, 400).source, (PixelWindow{0, 150, 100, 100}));
}

TEST(Crop, PaddingShiftsTheWindowByUpToAsMuchOnEverySide)
{
    LoadOptions options{3, 32, 32};
    options.augmentation.pad = 4;
    std::int64_t low = 0, high = 0;
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        const Frame frame = frameFor(options, 32, 32, seed);
        low = std::min(low, frame.wanted.top);
        high = std::max(high, frame.wanted.top);
        EXPECT_EQ(frame.height, 32);
    }
    EXPECT_EQ(low, -4);
    EXPECT_EQ(high, 4);
}

TEST(Crop, ASmallShareAsksForAMoreDetailedImage)
{
    LoadOptions options;
    options.augmentation.scale = {0.25, 0.25};
    RandomStream stream(0, {});
    EXPECT_EQ(planFrame(options, stream).leastSide, 448);
}

}  // namespace
}  // namespace fovea
