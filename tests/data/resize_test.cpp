#include "core/data/resize.h"

#include <gtest/gtest.h>

namespace fovea {
namespace {

using Pixels = std::vector<std::uint8_t>;

Image picture(std::int64_t height, std::int64_t width, std::int64_t channels)
{
    Image out{height, width, channels, {}};
    for (std::int64_t y = 0; y < height; ++y)
        for (std::int64_t x = 0; x < width; ++x)
            for (std::int64_t c = 0; c < channels; ++c)
                out.pixels.push_back(static_cast<std::uint8_t>((x * 31 + y * 17 + c * 50 + x * y * 3) % 256));
    return out;
}

// The numbers are those of Pillow 9.4, Image.resize(..., Image.BILINEAR).
TEST(Resize, ReducesAsPillowDoes)
{
    EXPECT_EQ(resized(picture(9, 13, 1), 4, 5).pixels, (Pixels{50,  126, 170, 107, 124, 91,  170, 106, 134, 148,
                                                               136, 141, 115, 155, 112, 164, 114, 142, 103, 156}));
    EXPECT_EQ(resized(picture(6, 7, 3), 2, 3).pixels,
              (Pixels{51, 101, 151, 126, 162, 179, 166, 133, 106, 100, 150, 186, 166, 147, 108, 107, 82, 125}));
    EXPECT_EQ(resized(picture(60, 100, 1), 2, 3).pixels, (Pixels{129, 129, 128, 129, 128, 129}));
}

TEST(Resize, EnlargesAsPillowDoes)
{
    EXPECT_EQ(resized(picture(3, 4, 1), 5, 7).pixels,
              (Pixels{0,  11,  29,  47, 64, 82, 93, 7,   18,  37,  55, 73, 92, 103, 17,  29,  49, 68,
                      87, 107, 119, 27, 40, 60, 81, 101, 122, 135, 34, 47, 68, 90,  111, 132, 145}));
}

TEST(Resize, TakesAPartAsIfItHadBeenCutOutBefore)
{
    ResizeScratch scratch;
    Pixels out;
    resizeWindow(picture(9, 13, 1), {1, 2, 7, 9}, 3, 4, {0, 0, 3, 4}, scratch, out);
    EXPECT_EQ(out, (Pixels{135, 169, 101, 111, 175, 119, 120, 172, 154, 100, 162, 102}));
}

TEST(Resize, AWindowIsThatPartOfTheWholeAndBlackOutside)
{
    const Image image = picture(23, 31, 3), whole = resized(image, 12, 10);
    ResizeScratch scratch;
    Pixels out;
    for (const auto& [top, left] : {std::pair{3, 2}, {-2, -3}, {8, 7}, {20, 20}, {-9, 0}}) {
        resizeWindow(image, {0, 0, 23, 31}, 12, 10, {top, left, 6, 5}, scratch, out);
        std::size_t at = 0;
        for (std::int64_t y = top; y < top + 6; ++y)
            for (std::int64_t x = left; x < left + 5; ++x)
                for (std::int64_t c = 0; c < 3; ++c) {
                    const bool inside = y >= 0 && y < 12 && x >= 0 && x < 10;
                    ASSERT_EQ(out[at++], inside ? whole.pixels[static_cast<std::size_t>((y * 10 + x) * 3 + c)] : 0)
                        << top << "," << left;
                }
    }
}

TEST(Resize, ToTheSameSizeChangesNothing)
{
    const Image image = picture(8, 9, 3);
    EXPECT_EQ(resized(image, 8, 9).pixels, image.pixels);
}

TEST(Resize, OneSideAloneLeavesTheOther)
{
    Image rows{2, 3, 1, {10, 20, 30, 110, 120, 130}};
    EXPECT_EQ(resized(rows, 1, 3).pixels, (Pixels{60, 70, 80}));
}

}  // namespace
}  // namespace fovea
