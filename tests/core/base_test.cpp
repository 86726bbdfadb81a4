#include "core/base/checked.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/hash.h"
#include "core/base/rational.h"
#include "core/base/spelling.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <limits>
#include <unistd.h>

namespace fovea {
namespace {

TEST(Checked, ArithmeticThatDoesNotFitSaysSo)
{
    EXPECT_EQ(checkedMul(3, 4), 12);
    EXPECT_FALSE(checkedMul(std::numeric_limits<std::int64_t>::max(), 2));
    EXPECT_FALSE(checkedAdd(std::numeric_limits<std::int64_t>::max(), 1));
    EXPECT_EQ(saturatingMul(kSaturated, kSaturated), kSaturated);
    EXPECT_EQ(saturatingAdd(-kSaturated, -5), -kSaturated);
}

TEST(Checked, DivisionRoundsTowardsTheNamedSide)
{
    EXPECT_EQ(floorDiv(-1, 2), -1);
    EXPECT_EQ(floorDiv(7, 2), 3);
    EXPECT_EQ(ceilDiv(-1, 2), 0);
    EXPECT_EQ(ceilDiv(7, 2), 4);
}

TEST(Rational, IsKeptInLowestTerms)
{
    EXPECT_EQ(Rational(6, 4).text(), "3/2");
    EXPECT_EQ((Rational(1, 2) * Rational(4)).text(), "2");
    EXPECT_EQ((Rational(1, 2) + Rational(1, 3)).text(), "5/6");
    EXPECT_EQ(Rational(-3, 2).floor(), -2);
    EXPECT_EQ(Rational(-3, 2).ceil(), -1);
    EXPECT_LT(Rational(1, 3), Rational(1, 2));
}

TEST(Error, NamesItsFramesFromTheInsideOut)
{
    Error error(ErrorCode::Format, "It is broken.");
    error.within("node 'a'").within("model.onnx");
    EXPECT_STREQ(error.what(), "It is broken. (in node 'a' in model.onnx)");
    EXPECT_EQ(error.frames().size(), 2u);
}

class Files : public ::testing::Test {
protected:
    void SetUp() override
    {
        m_folder = std::filesystem::temp_directory_path() / ("fovea-files-" + std::to_string(::getpid()));
        std::filesystem::create_directories(m_folder);
    }
    void TearDown() override { std::filesystem::remove_all(m_folder); }
    std::filesystem::path m_folder;
};

TEST_F(Files, AnAtomicFileThatIsNotCommittedLeavesTheOldOneAndNothingBeside)
{
    const auto path = m_folder / "a.txt";
    writeAtomically(path, "old");
    {
        AtomicFile file(path);
        file.write("new");
    }
    EXPECT_EQ(readText(path, 100), "old");
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(m_folder), {}), 1);
    writeAtomically(path, "new");
    EXPECT_EQ(readText(path, 100), "new");
}

TEST_F(Files, AFileThatIsTooLongIsRefusedWithBothSizes)
{
    writeAtomically(m_folder / "b.txt", "12345");
    try {
        readText(m_folder / "b.txt", 4);
        FAIL() << "it was read";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Limit);
        EXPECT_NE(error.message().find("has 5 bytes; at most 4"), std::string::npos);
    }
}

TEST_F(Files, AMissingFileAndAFolderAreErrorsThatNameThePath)
{
    EXPECT_THROW(MappedFile::open(m_folder / "none"), Error);
    EXPECT_THROW(MappedFile::open(m_folder), Error);
    EXPECT_THROW(writeAtomically(m_folder / "no" / "folder", "x"), Error);
}

// Values of the reference implementation (xxhsum -H1).
TEST(Hash, EqualsXxHashAtEveryKindOfLength)
{
    EXPECT_EQ(xxh64("", 0), 0xef46db3751d8e999u);
    EXPECT_EQ(xxh64("a", 0), 0xd24ec4f1a98c6e5bu);
    EXPECT_EQ(xxh64("layer1.0.conv1.weight", 7), 0xee56adc3b23c127du);
    EXPECT_EQ(xxh64("features.denseblock3.denselayer24.norm1.running_mean", 1), 0xf7ddf64cb8318571u);
}

TEST(Suggestion, IsMadeForASlipAndNotForAnotherWord)
{
    EXPECT_EQ(suggestion("--sise", {"--json", "--size"}), " Did you mean '--size'?");
    EXPECT_EQ(suggestion("--colour", {"--json", "--size"}), "");
}

}  // namespace
}  // namespace fovea
