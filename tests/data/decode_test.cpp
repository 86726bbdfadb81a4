#include "core/base/error.h"
#include "core/data/decode.h"
#include "tests/data/files.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>

namespace fovea {
namespace {

using test::bytesOf;
using test::decodeText;
using test::fileNamed;
using test::refusal;

struct Expected {
    std::string name;
    Image image;
};

std::vector<Expected> expectedFiles()
{
    std::ifstream in(fileNamed("expected.txt"));
    std::vector<Expected> out;
    Expected file;
    std::string hex;
    while (in >> file.name >> file.image.height >> file.image.width >> file.image.channels >> hex) {
        file.image.pixels.clear();
        for (std::size_t i = 0; i < hex.size(); i += 2)
            file.image.pixels.push_back(static_cast<std::uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
        out.push_back(file);
    }
    return out;
}

int largestDifference(const Image& a, const Image& b)
{
    int out = 0;
    for (std::size_t i = 0; i < a.pixels.size(); ++i) out = std::max(out, std::abs(a.pixels[i] - b.pixels[i]));
    return out;
}

TEST(Decode, GivesThePixelsThatPillowGives)
{
    const auto files = expectedFiles();
    ASSERT_EQ(files.size(), 27u);
    for (const Expected& file : files) {
        const Image image = decodeText(bytesOf(file.name));
        ASSERT_EQ(image.height, file.image.height) << file.name;
        ASSERT_EQ(image.width, file.image.width) << file.name;
        ASSERT_EQ(image.channels, file.image.channels) << file.name;
        ASSERT_EQ(image.pixels.size(), file.image.pixels.size()) << file.name;
        // Pillow rounds its way from CMYK twice.
        EXPECT_LE(largestDifference(image, file.image), file.name == "cmyk.jpg" ? 1 : 0) << file.name;
    }
}

TEST(Decode, GoesByWhatAFileHoldsAndSaysWhatItStartsWith)
{
    EXPECT_EQ(refusal([] { decodeText(""); }), "The file is empty; an image was expected.");
    EXPECT_EQ(refusal([] { decodeText("GARBAGE."); }),
              "The file is neither JPEG, PNG nor BMP: it starts with the bytes 47 41 52 42.");
    EXPECT_EQ(refusal([] { decodeText("\xff"); }),
              "The file is neither JPEG, PNG nor BMP: it starts with the bytes ff.");
}

TEST(Decode, NamesAPictureOfAnotherFormat)
{
    using namespace std::string_literals;
    const std::pair<std::string, std::string> pictures[] = {
        {"RIFF\x24\0\0\0WEBPVP8 "s, "WebP"}, {"GIF89a\1\0"s, "GIF"},
        {"II*\0\x08\0\0\0"s, "TIFF"},        {"MM\0*\0\0\0\x08"s, "TIFF"},
        {"\0\0\0\x20" "ftypavif"s, "AVIF"},  {"\0\0\0\x18" "ftypheic\0\0\0\0mif1"s, "HEIC"},
        {"\xff\x0a\x10\x20"s, "JPEG XL"}};
    for (const auto& [bytes, format] : pictures)
        EXPECT_EQ(refusal([&] { decodeText(bytes); }), "It is a " + format + " picture; Fovea reads JPEG, PNG and BMP: convert it.");
    EXPECT_EQ(refusal([] { decodeText("RIFF\x24\0\0\0WAVEfmt "s); }), "The file is neither JPEG, PNG nor BMP: it starts with the bytes 52 49 46 46.");
}

TEST(Decode, HalvesAJpegAsLongAsNoSideBecomesTooSmall)
{
    const std::string jpeg = bytesOf("rgb.jpg");  // 11 x 14
    EXPECT_EQ(decodeText(jpeg, 6).height, 11);
    EXPECT_EQ(decodeText(jpeg, 5).height, 6);
    EXPECT_EQ(decodeText(jpeg, 5).width, 7);
    EXPECT_EQ(decodeText(jpeg, 2).height, 3);
    EXPECT_EQ(decodeText(jpeg, 1).height, 2);
    EXPECT_EQ(decodeText(bytesOf("rgb.png"), 1).height, 11);
}

TEST(Decode, RefusesSizesThatNoImageHasBeforeItAllocates)
{
    std::string bmp = bytesOf("rgb24.bmp");
    const std::int32_t huge = 0x7fffffff;
    std::memcpy(bmp.data() + 18, &huge, 4);
    EXPECT_TRUE(refusal([&] {
                    decodeText(bmp);
                }).starts_with("The image is said to be 2147483647 x 11 pixels; sides of up to 65535"));
    const std::int32_t lowest = std::numeric_limits<std::int32_t>::min();
    std::memcpy(bmp.data() + 22, &lowest, 4);
    EXPECT_TRUE(
        refusal([&] { decodeText(bmp); }).starts_with("The image is said to be 2147483647 x 2147483648 pixels;"));
    std::string flat = bytesOf("rgb24.bmp");
    const std::int32_t none = 0;
    std::memcpy(flat.data() + 18, &none, 4);
    EXPECT_EQ(refusal([&] { decodeText(flat); }), "The image is said to be 0 x 11 pixels.");
    std::string tall = bytesOf("rgb24.bmp");
    const std::int32_t high = 20000;
    std::memcpy(tall.data() + 22, &high, 4);
    EXPECT_EQ(refusal([&] { decodeText(tall); }),
              "The BMP image cannot be read: it needs 880000 bytes of pixels, but the file has 538 in all.");
}

TEST(Decode, AFileThatEndsTooEarlyIsBrokenAtEveryLength)
{
    for (const Expected& file : expectedFiles()) {
        const std::string whole = bytesOf(file.name);
        // A few bytes at the end (JPEG's and PNG's last mark) say nothing about pixels.
        const std::size_t needed = whole.size() - (file.name.ends_with(".bmp") ? 3 : 14);
        for (std::size_t length = 0; length < whole.size(); ++length) {
            const std::string cut = whole.substr(0, length);
            const std::string why = refusal([&] { decodeText(cut); });
            if (length < needed) {
                EXPECT_FALSE(why.empty()) << file.name << " cut to " << length << " of " << whole.size();
            }
        }
    }
}

TEST(Decode, AJpegThatEndsInItsHeaderIsSaidToBeDamaged)
{
    const std::string whole = bytesOf("rgb.jpg");
    for (std::size_t length = 3; length < 160; ++length)
        EXPECT_TRUE(refusal([&] { decodeText(whole.substr(0, length)); }).starts_with("The JPEG image is damaged: ")) << length;
}

// Decoders live as long as their thread.
TEST(Decode, ABrokenImageLeavesTheNextOneWhole)
{
    const std::string whole = bytesOf("rgb.jpg");
    const Image wanted = decodeText(whole);
    const auto expectWhole = [&](const std::string& after) {
        Image next;
        EXPECT_EQ(refusal([&] { next = decodeText(whole); }), "") << after;
        EXPECT_EQ(next.pixels, wanted.pixels) << after;
    };
    for (const Expected& file : expectedFiles()) {
        if (!file.name.ends_with(".jpg")) continue;
        const std::string bytes = bytesOf(file.name);
        for (std::size_t length = 0; length < bytes.size(); ++length) {
            refusal([&] { decodeText(bytes.substr(0, length)); });
            expectWhole(file.name + " cut to " + std::to_string(length));
        }
        std::mt19937 random(2);
        for (int round = 0; round < 200; ++round) {
            std::string changed = bytes;
            for (int i = 0; i < 1 + round % 4; ++i) changed[random() % changed.size()] = static_cast<char>(random());
            refusal([&] { decodeText(changed, round % 2 ? 3 : 0); });
            expectWhole(file.name + " changed, round " + std::to_string(round));
        }
    }
}

// Under the sanitizers this finds reads and writes outside.
TEST(Decode, NeverCrashesWhateverBytesChange)
{
    std::mt19937 random(1);
    for (const Expected& file : expectedFiles()) {
        const std::string whole = bytesOf(file.name);
        for (int round = 0; round < 300; ++round) {
            std::string bytes = whole;
            for (int i = 0; i < 1 + round % 4; ++i) bytes[random() % bytes.size()] = static_cast<char>(random());
            const std::string why = refusal([&] {
                const Image image = decodeText(bytes, round % 2 ? 3 : 0);
                ASSERT_EQ(static_cast<std::int64_t>(image.pixels.size()), image.height * image.width * image.channels);
            });
            EXPECT_TRUE(why.empty() || why.ends_with(".")) << why;
        }
    }
}

}  // namespace
}  // namespace fovea
