#include "core/base/error.h"
#include "core/data/pattern_marks.h"
#include "core/data/patterns.h"
#include "tests/data/files.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <thread>

namespace fovea {
namespace {

using test::refusal;

TEST(Patterns, ReadsEveryKeyAndRefusesWhatIsOutOfRange)
{
    const PatternOptions options =
        parsePatterns("patterns:classes=4,size=64,pattern=40,mark=7,clutter=9,jitter=2,noise=0.3,place=corners,images="
                      "7,validation=3,seed=18446744073709551615");
    EXPECT_EQ(options, (PatternOptions{4, 64, 40, 7, 9, 2, 7, 3, PatternPlace::Corners, 0.3, ~std::uint64_t{0}}));
    EXPECT_EQ(parsePatterns("patterns"), PatternOptions{});
    EXPECT_EQ(parsePatterns("patterns:"), PatternOptions{});
    const auto why = [](const char* text) { return refusal([&] { parsePatterns(text); }); };
    EXPECT_EQ(why("patterns:classes=25"), "patterns: classes must be a number from 2 to 24, but is '25'.");
    EXPECT_EQ(why("patterns:noise=nan"), "patterns: noise must be a number from 0 to 1, but is 'nan'.");
    EXPECT_EQ(why("patterns:size=1e3"), "patterns: size must be a number from 16 to 1024, but is '1e3'.");
    EXPECT_EQ(why("patterns:place=left"), "patterns: place must be centre, anywhere or corners, but is 'left'.");
    EXPECT_EQ(why("patterns:pattern=40"), "patterns: pattern is 40, but the image's side is only 32.");
    EXPECT_EQ(why("patterns:pattern=10"), "patterns: pattern must be at least 11 for marks of 5 pixels, but is 10.");
    EXPECT_EQ(why("patterns:jitter=6"), "patterns: jitter must be at most the mark's 5 pixels, but is 6.");
    EXPECT_EQ(why("patterns:colour"), "patterns: 'colour' is not of the form key=value.");
    EXPECT_TRUE(why("patterns:colour=red").starts_with("patterns: there is no key 'colour'; there are classes, size,"));
}

TEST(Patterns, AreTheSameEveryTimeOnAnyThread)
{
    const DataParts a = openData("patterns:seed=3", {}), b = openData("patterns:seed=3", {}),
                    c = openData("patterns:seed=4", {});
    EXPECT_EQ(a.train->size(), 5000);
    EXPECT_EQ(a.validation->size(), 1000);
    std::vector<std::vector<std::uint8_t>> other(50);
    std::jthread([&] {
        for (std::int64_t i = 50; i-- > 0;) other[static_cast<std::size_t>(i)] = b.train->image(i, 0).pixels;
    }).join();
    for (std::int64_t i = 0; i < 50; ++i) {
        EXPECT_EQ(a.train->image(i, 0).pixels, other[static_cast<std::size_t>(i)]);
        EXPECT_NE(a.train->image(i, 0).pixels, c.train->image(i, 0).pixels);
        EXPECT_NE(a.train->image(i, 0).pixels, a.validation->image(i, 0).pixels);
    }
}

TEST(Patterns, EveryClassHasTheFourBarsInAnOrderOfItsOwn)
{
    std::set<std::array<int, 4>> orders;
    for (int label = 0; label < 24; ++label) {
        auto order = arrangement(label);
        orders.insert(order);
        std::sort(order.begin(), order.end());
        EXPECT_EQ(order, (std::array<int, 4>{0, 1, 2, 3}));
    }
    EXPECT_EQ(orders.size(), 24u);
    EXPECT_EQ(openData("patterns:classes=2", {}).train->classes(), (std::vector<std::string>{"-|/\\", "|/\\-"}));
}

TEST(Patterns, EveryBarIsEquallyBright)
{
    for (const std::int64_t mark : {3, 5, 8, 15}) {
        std::vector<float> sums;
        for (int orientation = 0; orientation < 4; ++orientation) {
            const auto shape = barShape(mark, orientation);
            sums.push_back(0);
            for (const float ink : shape) {
                sums.back() += ink;
                EXPECT_GE(ink, 0);
                EXPECT_LE(ink, 1.3F) << mark;
            }
        }
        for (const float sum : sums) EXPECT_NEAR(sum, sums[0], 1e-4 * sums[0]) << mark;
    }
}

// Without anything random the pattern spans exactly the pixels it is said to span.
TEST(Patterns, ThePatternHasTheStatedSizeAndPlace)
{
    const DataParts parts = openData("patterns:size=32,pattern=16,clutter=0,jitter=0,noise=0,place=centre", {});
    std::int64_t top = 32, left = 32, bottom = 0, right = 0;
    for (std::int64_t index = 0; index < 20; ++index) {
        const Image image = parts.train->image(index, 0);
        for (std::int64_t y = 0; y < 32; ++y)
            for (std::int64_t x = 0; x < 32; ++x) {
                if (image.pixels[static_cast<std::size_t>(y * 32 + x)] == image.pixels[0]) continue;
                top = std::min(top, y), bottom = std::max(bottom, y + 1);
                left = std::min(left, x), right = std::max(right, x + 1);
            }
    }
    EXPECT_EQ(top, 8);
    EXPECT_EQ(left, 8);
    EXPECT_EQ(bottom, 24);
    EXPECT_EQ(right, 24);
}

TEST(Patterns, ClutterKeepsItsDistanceFromTheMarks)
{
    const PatternOptions options = parsePatterns("patterns:clutter=20,jitter=0");
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        RandomStream stream(seed, {});
        const auto marks = marksOf(options, 0, stream);
        ASSERT_GE(marks.size(), 4u);
        for (std::size_t i = 4; i < marks.size(); ++i)
            for (std::size_t k = 0; k < i; ++k)
                EXPECT_TRUE(std::abs(marks[i].top - marks[k].top) > 5 || std::abs(marks[i].left - marks[k].left) > 5);
    }
}

// No look at single pixels or small neighbourhoods tells the classes apart.
TEST(Patterns, BrightnessAndEdgesAreTheSameForEveryClass)
{
    const DataParts parts = openData("patterns:images=8000,classes=8", {});
    struct Sums {
        double mean = 0, across = 0, along = 0, rising = 0, falling = 0;
    };
    std::vector<Sums> sums(8);
    for (std::int64_t index = 0; index < parts.train->size(); ++index) {
        const Image image = parts.train->image(index, 0);
        Sums& sum = sums[static_cast<std::size_t>(parts.train->label(index))];
        const auto at = [&](std::int64_t y, std::int64_t x) {
            return static_cast<double>(image.pixels[static_cast<std::size_t>(y * 32 + x)]) / 255;
        };
        for (std::int64_t y = 0; y < 31; ++y)
            for (std::int64_t x = 0; x < 31; ++x) {
                sum.mean += at(y, x) / 961e3;
                sum.across += std::abs(at(y, x) - at(y, x + 1)) / 961e3;
                sum.along += std::abs(at(y, x) - at(y + 1, x)) / 961e3;
                sum.rising += std::abs(at(y + 1, x) - at(y, x + 1)) / 961e3;
                sum.falling += std::abs(at(y, x) - at(y + 1, x + 1)) / 961e3;
            }
    }
    for (const Sums& sum : sums) {
        EXPECT_NEAR(sum.mean, sums[0].mean, 0.01);
        EXPECT_NEAR(sum.across, sums[0].across, 0.001);
        EXPECT_NEAR(sum.along, sums[0].along, 0.001);
        EXPECT_NEAR(sum.rising, sums[0].rising, 0.001);
        EXPECT_NEAR(sum.falling, sums[0].falling, 0.001);
    }
}

}  // namespace
}  // namespace fovea
