#include "core/base/error.h"
#include "core/data/codecs.h"
#include "core/data/dataset.h"
#include "tests/data/files.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <zlib.h>

namespace fovea {
namespace {

using test::bytesOf;
using test::Folder;
using test::put;
using test::refusal;
namespace fs = std::filesystem;

std::vector<std::string> namesIn(const Dataset& data, const fs::path& root)
{
    std::vector<std::string> out;
    for (std::int64_t i = 0; i < data.size(); ++i)
        out.push_back(std::to_string(data.label(i)) + " " + fs::path(data.nameOf(i)).lexically_relative(root).string());
    return out;
}

using Names = std::vector<std::string>;

TEST(FolderData, HasAClassForEveryFolderWithImagesSortedByName)
{
    const Folder folder;
    put(folder / "zebra/b.PNG", bytesOf("rgb.png"));
    put(folder / "zebra/deep/er/a.jpeg", bytesOf("rgb.jpg"));
    put(folder / "ant/c.bmp", bytesOf("rgb24.bmp"));
    put(folder / "ant/notes.txt", "no image");
    put(folder / "ant/.hidden.png", "no image");
    put(folder / "empty/readme.md", "");
    const DataParts parts = openData(folder.path().string(), {0, 0});
    EXPECT_EQ(parts.train->classes(), (Names{"ant", "zebra"}));
    EXPECT_EQ(namesIn(*parts.train, folder.path()), (Names{"0 ant/c.bmp", "1 zebra/b.PNG", "1 zebra/deep/er/a.jpeg"}));
    EXPECT_EQ(parts.validation->size(), 0);
    EXPECT_EQ(parts.description, "images in class folders: 3 images to train on, 0 to validate, 2 classes; every class "
                                 "split with seed 0; 2 other files left out; no images in 'empty'");
    EXPECT_EQ(parts.train->image(0, 0).width, 14);
}

TEST(FolderData, NamesPicturesOfOtherFormats)
{
    const Folder folder;
    put(folder / "ant/c.bmp", bytesOf("rgb24.bmp"));
    for (const char* name : {"ant/a.webp", "ant/b.WEBP", "ant/c.gif", "bee/d.tiff", "bee/notes.txt"}) put(folder / name, "");
    EXPECT_EQ(openData(folder.path().string(), {0, 0}).description,
              "images in class folders: 1 image to train on, 0 to validate, 1 class; every class split with seed 0; 5 other files left out, among "
              "them 1 GIF, 1 TIFF and 2 WebP pictures: Fovea reads JPEG, PNG and BMP, so convert them; no images in 'bee'");
    fs::remove(folder / "ant/c.bmp");
    const std::string refused = refusal([&] { openData(folder.path().string(), {0, 0}); });
    EXPECT_EQ(refused, "'" + folder.path().string() + "' has 1 GIF, 1 TIFF and 2 WebP pictures, but Fovea reads JPEG, PNG and BMP: convert them, into a folder for each class.");
}

TEST(FolderData, FollowsLinksButNotInCircles)
{
    const Folder folder;
    put(folder / "a/1.png", bytesOf("rgb.png"));
    fs::create_directory_symlink(folder.path(), folder / "a/up");
    fs::create_directory_symlink(folder / "a", folder / "a/self");
    fs::create_directory_symlink(folder / "a", folder / "b");
    EXPECT_EQ(namesIn(*openData(folder.path().string(), {0, 0}).train, folder.path()),
              (Names{"0 a/1.png", "1 b/1.png"}));
}

TEST(FolderData, ThatIsSplitAlreadyStaysSplit)
{
    for (const char* held : {"val", "valid", "validation", "test"}) {
        const Folder folder;
        for (const char* name : {"cat", "dog"})
            put(folder / ("train/" + std::string(name) + "/1.png"), bytesOf("rgb.png"));
        put(folder / (std::string(held) + "/dog/2.png"), bytesOf("rgb.png"));
        const DataParts parts = openData(folder.path().string(), {});
        EXPECT_EQ(namesIn(*parts.train, folder.path()), (Names{"0 train/cat/1.png", "1 train/dog/1.png"}));
        EXPECT_EQ(namesIn(*parts.validation, folder.path()), (Names{"1 " + std::string(held) + "/dog/2.png"}));
    }
}

TEST(FolderData, MayHaveAClassCalledTrain)
{
    const Folder folder;
    for (const char* name : {"bus", "car", "train"}) put(folder / (std::string(name) + "/1.png"), bytesOf("rgb.png"));
    fs::create_directory(folder / "train/empty");
    EXPECT_EQ(namesIn(*openData(folder.path().string(), {0, 0}).train, folder.path()),
              (Names{"0 bus/1.png", "1 car/1.png", "2 train/1.png"}));
}

TEST(FolderData, RefusesAClassThatIsOnlyValidated)
{
    const Folder folder;
    put(folder / "train/cat/1.png", bytesOf("rgb.png"));
    put(folder / "val/dog/1.png", bytesOf("rgb.png"));
    EXPECT_TRUE(refusal([&] {
                    openData(folder.path().string(), {});
                }).ends_with("val/dog' is a class that the training images do not have."));
}

TEST(FolderData, SplitsEveryClassByTheSeedAlone)
{
    const Folder folder;
    for (int i = 0; i < 10; ++i) put(folder / ("a/" + std::to_string(i) + ".png"), "x");
    for (int i = 0; i < 5; ++i) put(folder / ("b/" + std::to_string(i) + ".png"), "x");
    put(folder / "c/1.png", "x");
    const auto split = [&](std::uint64_t seed) { return openData(folder.path().string(), {0.2, seed}); };
    const DataParts parts = split(1), same = split(1), other = split(2);
    const Names train = namesIn(*parts.train, folder.path()), held = namesIn(*parts.validation, folder.path());
    EXPECT_EQ(train.size(), 13u);
    EXPECT_EQ(held.size(), 3u);
    EXPECT_EQ(held[0][0], '0');
    EXPECT_EQ(held[2][0], '1');
    std::set<std::string> all(train.begin(), train.end());
    all.insert(held.begin(), held.end());
    EXPECT_EQ(all.size(), 16u);
    EXPECT_EQ(namesIn(*same.validation, folder.path()), held);
    EXPECT_NE(namesIn(*other.validation, folder.path()), held);
}

TEST(Data, SaysWhatItLookedForAndWhatIsThere)
{
    const Folder folder;
    put(folder / "a/readme.txt", "");
    put(folder / "b.png", "");
    const std::string why = refusal([&] { openData(folder.path().string(), {}); });
    EXPECT_TRUE(why.ends_with("such as train-images-idx3-ubyte; it has 1 folder and 1 file.")) << why;
    EXPECT_TRUE(refusal([&] {
                    openData((folder / "none").string(), {});
                }).ends_with("none' does not exist; a folder of images or 'patterns' was expected."));
    EXPECT_TRUE(refusal([&] {
                    openData((folder / "b.png").string(), {});
                }).ends_with("b.png' is a file; a folder of images or 'patterns' was expected."));
    EXPECT_EQ(refusal([&] {
                  openData(folder.path().string(), {1.0, 0});
              }),
              "The share for validation must be at least 0 and below 1, but is 1.000000.");
}

std::string cifarRecord(std::initializer_list<int> labels, int value)
{
    std::string out;
    for (const int label : labels) out.push_back(static_cast<char>(label));
    for (int c = 0; c < 3; ++c) out += std::string(1024, static_cast<char>(value + c));
    out[labels.size() + 1] = 99;  // the second pixel's red
    return out;
}

TEST(CifarData, ReadsTheTenClassesWithTheirNames)
{
    const Folder folder;
    put(folder / "cifar-10-batches-bin/data_batch_1.bin", cifarRecord({3}, 10) + cifarRecord({9}, 20));
    put(folder / "cifar-10-batches-bin/data_batch_2.bin", cifarRecord({200}, 30));
    put(folder / "cifar-10-batches-bin/test_batch.bin", cifarRecord({0}, 40));
    put(folder / "cifar-10-batches-bin/batches.meta.txt", "airplane\nautomobile\r\n\nbird\n");
    const DataParts parts = openData(folder.path().string(), {});
    EXPECT_EQ(parts.train->size(), 3);
    EXPECT_EQ(parts.validation->size(), 1);
    EXPECT_EQ(parts.train->classes(), (Names{"airplane", "automobile", "bird", "3", "4", "5", "6", "7", "8", "9"}));
    EXPECT_EQ(parts.train->label(1), 9);
    EXPECT_EQ(parts.train->nameOf(2), "data_batch_2.bin, image 0");
    const Image image = parts.train->image(1, 0);
    EXPECT_EQ(std::vector<std::uint8_t>(image.pixels.begin(), image.pixels.begin() + 6),
              (std::vector<std::uint8_t>{20, 21, 22, 99, 21, 22}));
    EXPECT_EQ(refusal([&] { parts.train->image(2, 0); }), "The image has the label 200, but there are 10 classes.");
}

// Training goes on for hours; a mapping of the file would end the program here.
TEST(CifarData, ThatIsCutWhileItIsReadIsAnError)
{
    const Folder folder;
    const auto path = folder / "data_batch_1.bin";
    put(path, cifarRecord({3}, 10) + cifarRecord({9}, 20));
    const DataParts parts = openData(folder.path().string(), {.validation = 0});
    std::filesystem::resize_file(path, 4000);
    EXPECT_EQ(parts.train->image(0, 0).pixels.size(), 3072u);
    EXPECT_EQ(refusal([&] { parts.train->image(1, 0); }),
              "Cannot read '" + path.string() + "': it has become shorter.");
    EXPECT_EQ(parts.train->label(1), 9);
}

TEST(CifarData, ReadsTheFineClassesOfTheHundred)
{
    const Folder folder;
    put(folder / "train.bin", cifarRecord({19, 77}, 10));
    put(folder / "test.bin", cifarRecord({1, 2}, 10));
    const DataParts parts = openData(folder.path().string(), {});
    EXPECT_EQ(parts.train->classes().size(), 100u);
    EXPECT_EQ(parts.train->label(0), 77);
    put(folder / "train.bin", cifarRecord({19, 77}, 10) + "x");
    EXPECT_TRUE(refusal([&] {
                    openData(folder.path().string(), {});
                }).ends_with("train.bin' has 3075 bytes, which are not whole images of 3074 as CIFAR-100 has them."));
}

std::string bigEndian(std::uint32_t value)
{
    std::string out;
    for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
    return out;
}

std::string idxImages(std::uint32_t count)
{
    std::string out = bigEndian(0x803) + bigEndian(count) + bigEndian(2) + bigEndian(3);
    for (std::uint32_t i = 0; i < count * 6; ++i) out.push_back(static_cast<char>(i));
    return out;
}

std::string idxLabels(std::uint32_t count)
{
    std::string out = bigEndian(0x801) + bigEndian(count);
    for (std::uint32_t i = 0; i < count; ++i) out.push_back(static_cast<char>(i % 3));
    return out;
}

std::string gzipped(const std::string& text)
{
    std::string out(text.size() + 1000, '\0');
    z_stream stream{};
    deflateInit2(&stream, 9, Z_DEFLATED, 31, 9, Z_DEFAULT_STRATEGY);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

TEST(IdxData, ReadsPlainAndCompressedFiles)
{
    const Folder folder;
    put(folder / "train-images-idx3-ubyte", idxImages(6));
    put(folder / "train-labels-idx1-ubyte.gz", gzipped(idxLabels(6)));
    put(folder / "t10k-images-idx3-ubyte.gz", gzipped(idxImages(2)));
    put(folder / "t10k-labels-idx1-ubyte", idxLabels(2));
    const DataParts parts = openData(folder.path().string(), {});
    EXPECT_EQ(parts.train->size(), 6);
    EXPECT_EQ(parts.validation->size(), 2);
    EXPECT_EQ(parts.train->classes(), (Names{"0", "1", "2"}));
    EXPECT_EQ(parts.validation->classes(), parts.train->classes());
    const Image image = parts.validation->image(1, 0);
    EXPECT_EQ(image.height, 2);
    EXPECT_EQ(image.width, 3);
    EXPECT_EQ(image.channels, 1);
    EXPECT_EQ(image.pixels, (std::vector<std::uint8_t>{6, 7, 8, 9, 10, 11}));
    EXPECT_EQ(parts.train->nameOf(4), "train-images-idx3-ubyte, image 4");
}

TEST(IdxData, ThatIsCutWhileItIsReadIsAnError)
{
    const Folder folder;
    const auto path = folder / "train-images-idx3-ubyte";
    put(path, idxImages(6));
    put(folder / "train-labels-idx1-ubyte", idxLabels(6));
    const DataParts parts = openData(folder.path().string(), {.validation = 0});
    std::filesystem::resize_file(path, 16 + 6 + 3);
    EXPECT_EQ(parts.train->image(0, 0).pixels, (std::vector<std::uint8_t>{0, 1, 2, 3, 4, 5}));
    EXPECT_EQ(refusal([&] { parts.train->image(1, 0); }),
              "Cannot read '" + path.string() + "': it has become shorter.");
}

TEST(IdxData, RefusesFilesWhoseSizesAreWrong)
{
    const Folder folder;
    const auto why = [&](const std::string& images, const std::string& labels) {
        put(folder / "train-images-idx3-ubyte", images);
        put(folder / "train-labels-idx1-ubyte", labels);
        return refusal([&] { openData(folder.path().string(), {}); });
    };
    EXPECT_EQ(why(idxImages(6), idxLabels(5)), "'train-images-idx3-ubyte' has 6 images, but its labels are 5.");
    EXPECT_EQ(why(idxImages(6) + "x", idxLabels(6)),
              "The file should have 52 bytes for the sizes it states, but has more.");
    EXPECT_EQ(why(bigEndian(0x803) + bigEndian(~0u) + bigEndian(~0u) + bigEndian(~0u), idxLabels(6)),
              "The file says that its size 1 is 4294967295.");
    EXPECT_EQ(why(idxLabels(6), idxLabels(6)), "The file is no IDX file of bytes with 3 sizes.");
    const std::string whole = idxImages(2);
    for (std::size_t length = 0; length < whole.size(); ++length)
        EXPECT_FALSE(why(whole.substr(0, length), idxLabels(2)).empty()) << length;
}

TEST(IdxData, ACompressedFileThatEndsTooEarlyOrHoldsTooMuchIsRefused)
{
    const Folder folder;
    put(folder / "train-labels-idx1-ubyte", idxLabels(2));
    const std::string whole = gzipped(idxImages(2));
    const auto why = [&](const std::string& images) {
        put(folder / "train-images-idx3-ubyte.gz", images);
        return refusal([&] { openData(folder.path().string(), {}); });
    };
    EXPECT_EQ(why(whole), "");
    for (std::size_t length = 0; length + 8 < whole.size(); ++length)
        EXPECT_FALSE(why(whole.substr(0, length)).empty()) << length;
    EXPECT_EQ(why(gzipped(idxImages(2) + std::string(1 << 20, '\0'))),
              "The file should have 28 bytes for the sizes it states, but has more.");
    std::mt19937 random(1);
    for (int round = 0; round < 500; ++round) {
        std::string bytes = whole;
        bytes[random() % bytes.size()] = static_cast<char>(random());
        const std::string said = why(bytes);
        EXPECT_TRUE(said.empty() || said.ends_with(".")) << said;
    }
}

TEST(Gzip, ReadsMembersOneBehindAnotherUpToTheBytesAskedFor)
{
    const std::string two = gzipped("abc") + gzipped("defg");
    const auto all = gunzip(test::asBytes(two), 100);
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(all.data()), all.size()), "abcdefg");
    EXPECT_EQ(gunzip(test::asBytes(two), 5).size(), 5u);
}

}  // namespace
}  // namespace fovea
