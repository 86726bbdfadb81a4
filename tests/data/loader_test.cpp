#include "core/base/error.h"
#include "core/data/loader.h"
#include "tests/data/files.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <set>
#include <thread>

namespace fovea {
namespace {

using test::bytesOf;
using test::Folder;
using test::put;
using test::refusal;

// Images of one pixel's value each; some are broken.
class MadeUp : public Dataset {
public:
    explicit MadeUp(std::int64_t size, std::set<std::int64_t> broken = {}, std::int64_t channels = 3)
        : m_size(size), m_channels(channels), m_broken(std::move(broken))
    {
        m_classes = {"even", "odd"};
    }
    std::int64_t size() const override { return m_size; }
    int label(std::int64_t index) const override { return static_cast<int>(index % 2); }
    std::string nameOf(std::int64_t index) const override { return "image " + std::to_string(index); }
    Image image(std::int64_t index, std::int64_t) const override
    {
        ++reads;
        if (m_broken.contains(index)) throw Error(ErrorCode::Format, "It is broken.");
        Image out{6, 8, m_channels, {}};
        for (std::int64_t i = 0; i < 48 * m_channels; ++i)
            out.pixels.push_back(static_cast<std::uint8_t>(index * 7 + i * 3));
        return out;
    }
    mutable std::atomic<int> reads = 0;

private:
    std::int64_t m_size, m_channels;
    std::set<std::int64_t> m_broken;
};

LoadOptions smallOptions(int workers = 2)
{
    LoadOptions options{3, 4, 5, 4};
    options.workers = workers;
    return options;
}

LoadOptions augmented(int workers)
{
    LoadOptions options = smallOptions(workers);
    options.shuffle = true;
    options.seed = 11;
    options.augmentation = {0.5, {0.3, 1}, {0.75, 4.0 / 3}, 0};
    return options;
}

std::vector<float> floatsOf(const Tensor& tensor)
{
    std::vector<float> out(tensor.bytes.size() / sizeof(float));
    std::memcpy(out.data(), tensor.bytes.data(), tensor.bytes.size());
    return out;
}

struct Epoch {
    std::vector<float> images;
    std::vector<std::int64_t> labels, indices, sizes;
    bool operator==(const Epoch&) const = default;
};

Epoch rest(Loader& loader)
{
    Epoch out;
    while (const auto batch = loader.next()) {
        const auto images = floatsOf(batch->images);
        out.images.insert(out.images.end(), images.begin(), images.end());
        out.labels.insert(out.labels.end(), batch->labels.begin(), batch->labels.end());
        out.indices.insert(out.indices.end(), batch->indices.begin(), batch->indices.end());
        out.sizes.push_back(batch->images.dims[0]);
    }
    return out;
}

Epoch epochOf(const DatasetPtr& data, const LoadOptions& options, std::int64_t epoch, std::int64_t first = 0)
{
    Loader loader(data, options);
    loader.start(epoch, first);
    return rest(loader);
}

TEST(Loader, GivesTheSameBytesAtAnyNumberOfWorkers)
{
    const auto data = std::make_shared<MadeUp>(37, std::set<std::int64_t>{3, 4, 20});
    const Epoch one = epochOf(data, augmented(1), 5);
    EXPECT_EQ(one.indices.size(), 37u);
    EXPECT_EQ(epochOf(data, augmented(2), 5), one);
    EXPECT_EQ(epochOf(data, augmented(7), 5), one);
    EXPECT_NE(epochOf(data, augmented(2), 6), one);
}

// Decoders of files keep something from one image to the next.
TEST(Loader, DamagedFilesChangeNothingElseAtAnyNumberOfWorkers)
{
    Folder folder;
    const std::string whole = bytesOf("rgb.jpg"), other = bytesOf("progressive.jpg");
    for (int i = 0; i < 24; ++i) {
        const std::string name = (i % 2 ? "a/" : "b/") + std::to_string(i) + ".jpg";
        const std::string& bytes = i % 3 ? whole : other;
        put(folder / name, i % 5 == 0 ? bytes.substr(0, 20 + static_cast<std::size_t>(i) * 8) : bytes);
    }
    const DatasetPtr data = openData(folder.path().string(), {.validation = 0.1}).train;
    std::size_t broken = 0;
    const auto epoch = [&](int workers) {
        Loader loader(data, augmented(workers));
        loader.start(3);
        Epoch seen = rest(loader);
        broken = loader.broken().size();
        return seen;
    };
    const Epoch one = epoch(1);
    EXPECT_GE(broken, 3u);
    const std::size_t wanted = broken;
    for (const int workers : {1, 2, 3, 7}) {
        EXPECT_EQ(epoch(workers), one) << workers;
        EXPECT_EQ(broken, wanted) << workers;
    }
}

TEST(Loader, GoesOnFromTheMiddleOfAnEpochAsIfItHadNotStopped)
{
    const auto data = std::make_shared<MadeUp>(37);
    const Epoch whole = epochOf(data, augmented(3), 2), later = epochOf(data, augmented(3), 2, 4);
    ASSERT_EQ(later.indices.size(), 37u - 16u);
    EXPECT_TRUE(std::equal(later.indices.begin(), later.indices.end(), whole.indices.begin() + 16));
    EXPECT_TRUE(std::equal(later.images.begin(), later.images.end(), whole.images.begin() + 16 * 60));
    EXPECT_TRUE(epochOf(data, augmented(3), 2, 10).indices.empty());
}

TEST(Loader, StartsAnewWhereItIsTold)
{
    const auto data = std::make_shared<MadeUp>(37);
    Loader loader(data, augmented(3));
    loader.start(0);
    loader.next();
    loader.start(2, 4);
    EXPECT_EQ(rest(loader), epochOf(data, augmented(1), 2, 4));
    EXPECT_EQ(loader.next(), std::nullopt);
}

TEST(Loader, ShufflesEveryEpochIntoAnotherPermutation)
{
    const auto data = std::make_shared<MadeUp>(37);
    std::set<std::vector<std::int64_t>> orders;
    for (std::int64_t epoch = 0; epoch < 5; ++epoch) {
        std::vector<std::int64_t> indices = epochOf(data, augmented(2), epoch).indices;
        orders.insert(indices);
        std::sort(indices.begin(), indices.end());
        for (std::int64_t i = 0; i < 37; ++i) EXPECT_EQ(indices[static_cast<std::size_t>(i)], i);
    }
    EXPECT_EQ(orders.size(), 5u);
}

TEST(Loader, EvaluationSeesEveryImageInTheDatasOrder)
{
    const Epoch epoch = epochOf(std::make_shared<MadeUp>(10), smallOptions(), 0);
    EXPECT_EQ(epoch.indices, (std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
    EXPECT_EQ(epoch.labels, (std::vector<std::int64_t>{0, 1, 0, 1, 0, 1, 0, 1, 0, 1}));
    EXPECT_EQ(epoch.sizes, (std::vector<std::int64_t>{4, 4, 2}));
}

TEST(Loader, AnIncompleteLastBatchIsLeftOutUnlessItIsTheOnlyOne)
{
    LoadOptions options = smallOptions();
    options.dropLast = true;
    EXPECT_EQ(epochOf(std::make_shared<MadeUp>(10), options, 0).sizes, (std::vector<std::int64_t>{4, 4}));
    EXPECT_EQ(epochOf(std::make_shared<MadeUp>(3), options, 0).sizes, (std::vector<std::int64_t>{3}));
    EXPECT_EQ(Loader(std::make_shared<MadeUp>(10), options).batchesPerEpoch(), 2);
    EXPECT_EQ(Loader(std::make_shared<MadeUp>(0), options).batchesPerEpoch(), 0);
    EXPECT_EQ(epochOf(std::make_shared<MadeUp>(0), options, 0).sizes.size(), 0u);
}

TEST(Loader, ABrokenImageIsNamedOnceAndCountsForNothingInEvaluation)
{
    const auto data = std::make_shared<MadeUp>(12, std::set<std::int64_t>{2, 4, 5, 6, 7, 11});
    Loader loader(data, smallOptions(3));
    for (int epoch = 0; epoch < 3; ++epoch) {
        loader.start(epoch);
        const Epoch seen = rest(loader);
        EXPECT_EQ(seen.indices, (std::vector<std::int64_t>{0, 1, 3, 8, 9, 10}));
        EXPECT_EQ(seen.labels, (std::vector<std::int64_t>{0, 1, 1, 0, 1, 0}));
        EXPECT_EQ(seen.sizes, (std::vector<std::int64_t>{3, 3}));  // of the second batch nothing is whole
        // Every image's pixels are those that it has by itself.
        const std::size_t elements = seen.images.size() / 6;
        for (std::size_t i = 0; i < 6; ++i) {
            Loader one(partOfDataset(data, {seen.indices[i]}), smallOptions(1));
            one.start(0);
            const Epoch alone = rest(one);
            EXPECT_TRUE(std::equal(alone.images.begin(), alone.images.end(),
                                   seen.images.begin() + static_cast<std::ptrdiff_t>(i * elements)));
        }
    }
    EXPECT_EQ(loader.broken().size(), 6u);
}

TEST(Loader, WhileTrainingTheNextWholeImageTakesABrokenOnesPlace)
{
    const auto data = std::make_shared<MadeUp>(8, std::set<std::int64_t>{2, 3, 7});
    LoadOptions options = smallOptions(3);
    options.shuffle = true;
    Loader loader(data, options);
    loader.start(0);
    const Epoch seen = rest(loader);
    EXPECT_EQ(seen.sizes, (std::vector<std::int64_t>{4, 4}));
    EXPECT_EQ(std::set<std::int64_t>(seen.indices.begin(), seen.indices.end()),
              (std::set<std::int64_t>{0, 1, 4, 5, 6}));
    loader.start(0);
    EXPECT_EQ(rest(loader).indices, seen.indices);
    const auto broken = loader.broken();
    ASSERT_EQ(broken.size(), 3u);
    EXPECT_EQ(broken[0].name, "image 2");
    EXPECT_EQ(broken[0].why, "It is broken.");
    EXPECT_EQ(broken[2].name, "image 7");
}

TEST(Loader, SaysSoWhereNoImageCanBeRead)
{
    Loader loader(std::make_shared<MadeUp>(3, std::set<std::int64_t>{0, 1, 2}), smallOptions());
    loader.start(0);
    EXPECT_EQ(refusal([&] { loader.next(); }),
              "None of the 3 images can be read; the first is 'image 0': It is broken.");
    EXPECT_EQ(loader.broken().size(), 3u);
}

TEST(Loader, NormalisesEveryChannelInTheOrderThatTheNetworkReads)
{
    LoadOptions options{3, 6, 8, 1};
    options.preprocessing.mean = {0.1, 0.2, 0.3};
    options.preprocessing.deviation = {0.5, 0.25, 2};
    const auto data = std::make_shared<MadeUp>(1);
    const std::vector<float> rgb = epochOf(data, options, 0).images;
    // The first pixel is 0, 3, 6, the second 9, 12, 15.
    EXPECT_FLOAT_EQ(rgb[0], static_cast<float>((0 / 255.0 - 0.1) / 0.5));
    EXPECT_FLOAT_EQ(rgb[1], static_cast<float>((9 / 255.0 - 0.1) / 0.5));
    EXPECT_FLOAT_EQ(rgb[48], static_cast<float>((3 / 255.0 - 0.2) / 0.25));
    EXPECT_FLOAT_EQ(rgb[97], static_cast<float>((15 / 255.0 - 0.3) / 2));
    options.preprocessing.order = ChannelOrder::Bgr;
    const std::vector<float> bgr = epochOf(data, options, 0).images;
    EXPECT_FLOAT_EQ(bgr[0], static_cast<float>((6 / 255.0 - 0.1) / 0.5));
    EXPECT_FLOAT_EQ(bgr[96], static_cast<float>((0 / 255.0 - 0.3) / 2));
}

TEST(Loader, MirrorsAnImageAndCutsPaddedOnes)
{
    LoadOptions options{3, 6, 8, 1};
    const auto data = std::make_shared<MadeUp>(1);
    const std::vector<float> plain = epochOf(data, options, 0).images;
    options.augmentation.hflip = 1;
    const std::vector<float> mirrored = epochOf(data, options, 0).images;
    for (std::size_t row = 0; row < 18; ++row)
        for (std::size_t x = 0; x < 8; ++x) ASSERT_EQ(mirrored[row * 8 + x], plain[row * 8 + 7 - x]);
    options.augmentation = {};
    options.augmentation.pad = 2;
    int moved = 0;
    for (std::int64_t epoch = 0; epoch < 10; ++epoch) {
        const std::vector<float> padded = epochOf(data, options, epoch).images;
        moved += padded != plain;
        EXPECT_EQ(padded.size(), plain.size());
    }
    EXPECT_GE(moved, 7);
}

TEST(Loader, TurnsGreyIntoColourAndColourIntoGrey)
{
    LoadOptions options{3, 6, 8, 1};
    const std::vector<float> colour =
        epochOf(std::make_shared<MadeUp>(1, std::set<std::int64_t>{}, 1), options, 0).images;
    for (std::size_t i = 0; i < 48; ++i) {
        EXPECT_EQ(colour[i], colour[i + 48]);
        EXPECT_EQ(colour[i], colour[i + 96]);
    }
    options.channels = 1;
    const std::vector<float> grey = epochOf(std::make_shared<MadeUp>(1), options, 0).images;
    ASSERT_EQ(grey.size(), 48u);
    EXPECT_FLOAT_EQ(grey[1], 11 / 255.0F);  // of 9, 12, 15: 11.44 by ITU-R 601
}

TEST(Loader, RefusesWhatNoImageCanBecome)
{
    const auto why = [](auto change) {
        LoadOptions options = smallOptions();
        change(options);
        return refusal([&] { Loader(std::make_shared<MadeUp>(1), options); });
    };
    EXPECT_EQ(why([](LoadOptions& o) { o.channels = 4; }), "The network reads 4 channels; images have 1 or 3.");
    EXPECT_EQ(why([](LoadOptions& o) { o.height = 0; }),
              "The network's input has a side of 0 pixels; 1 to 32768 can be fed.");
    EXPECT_EQ(why([](LoadOptions& o) { o.batch = 0; }), "The batch size must be at least 1, but is 0.");
    EXPECT_EQ(why([](LoadOptions& o) { o.workers = -1; }), "The number of workers must be at least 0, but is -1.");
    EXPECT_EQ(why([](LoadOptions& o) {
                  o.preprocessing.mean = {0, 0};
              }),
              "The preprocessing has 2 numbers as mean, but the network reads 3 channels.");
    EXPECT_EQ(why([](LoadOptions& o) { o.preprocessing.deviation = {0}; }),
              "The preprocessing divides by 0 or by no number.");
    EXPECT_EQ(why([](LoadOptions& o) {
                  o.augmentation.scale = {0, 1};
              }),
              "A random crop takes a share of the image above 0 and up to 1, the smaller one first.");
}

TEST(Loader, EndsWhileItsWorkersAreBusy)
{
    for (int round = 0; round < 20; ++round) {
        Loader loader(openData("patterns", {}).train, augmented(4));
        loader.start(round);
        if (round % 2) loader.next();
    }
}

TEST(Loader, ABatchOutlivesItsLoader)
{
    std::optional<Batch> batch;
    {
        Loader loader(std::make_shared<MadeUp>(8), smallOptions());
        loader.start(0);
        batch = loader.next();
    }
    EXPECT_EQ(floatsOf(batch->images).size(), 240u);
}

TEST(Loader, ReadsNoFurtherAheadThanAFewBatches)
{
    const auto data = std::make_shared<MadeUp>(1000);
    Loader loader(data, smallOptions(2));
    loader.start(0);
    loader.next();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_LE(data->reads, 4 * 4);
}

TEST(Statistics, AreThoseOfTheChannels)
{
    class Two : public MadeUp {
    public:
        Two() : MadeUp(3, {1}) {}
        Image image(std::int64_t index, std::int64_t least) const override
        {
            if (index == 1) return MadeUp::image(index, least);
            return index == 0 ? Image{1, 2, 3, {0, 51, 255, 102, 51, 255}} : Image{1, 1, 1, {255}};
        }
    };
    const ChannelStatistics statistics = channelStatistics(Two(), 10, 0);
    EXPECT_EQ(statistics.images, 2);
    ASSERT_EQ(statistics.mean.size(), 3u);
    EXPECT_NEAR(statistics.mean[0], 0.6, 1e-12);  // of 0.2 and 1
    EXPECT_NEAR(statistics.mean[1], 0.6, 1e-12);
    EXPECT_NEAR(statistics.mean[2], 1, 1e-12);
    EXPECT_NEAR(statistics.deviation[0], std::sqrt(0.54 - 0.36), 1e-12);  // of squares 0.08 and 1
    EXPECT_NEAR(statistics.deviation[2], 0, 1e-6);
    EXPECT_EQ(channelStatistics(Two(), 1, 0).images, 1);
}

}  // namespace
}  // namespace fovea
