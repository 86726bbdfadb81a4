#include "app/cli/arguments.h"
#include "core/base/error.h"

#include <gtest/gtest.h>

namespace fovea::cli {
namespace {

TEST(Amounts, AreCountsWithDecimalUnits)
{
    EXPECT_EQ(parseAmount("600M", "--max-macs", 100), 600'000'000);
    EXPECT_EQ(parseAmount("4G", "--max-macs", 100), 4'000'000'000);
    EXPECT_EQ(parseAmount("2.5k", "--max-macs", 100), 2'500);
    EXPECT_EQ(parseAmount("4e9", "--max-macs", 100), 4'000'000'000);
    EXPECT_EQ(parseAmount("12", "--max-macs", 100), 12);
}

TEST(Amounts, AreMultiplesOfWhatTheNetworkHasNow)
{
    EXPECT_EQ(parseAmount("1.5x", "--max-macs", 1001), 1501);
    EXPECT_THROW(parseAmount("1.5x", "--max-memory", std::nullopt, true), Error);
}

TEST(Amounts, OfMemoryAreBytesInBinaryOrDecimalUnits)
{
    EXPECT_EQ(parseAmount("2GiB", "--max-memory", std::nullopt, true), 2'147'483'648);
    EXPECT_EQ(parseAmount("512MiB", "--max-memory", std::nullopt, true), 536'870'912);
    EXPECT_EQ(parseAmount("1GB", "--max-memory", std::nullopt, true), 1'000'000'000);
}

TEST(Amounts, ThatMeanNothingAreRefused)
{
    for (const char* text : {"", "G", "-3", "0", "4Q", "1,5x", "inf", "nan", "2GiB", "x", "3 G"}) EXPECT_THROW(parseAmount(text, "--max-macs", 100), Error) << text;
}

TEST(Sides, AreOneNumberOrHeightAndWidth)
{
    EXPECT_EQ(parseSide("224", "--size").w, 224);
    const Side side = parseSide("192x320", "--size");
    EXPECT_EQ(side.h, 192);
    EXPECT_EQ(side.w, 320);
    EXPECT_EQ(parseSides("32,64x48", "--sizes").size(), 2u);
}

TEST(Wholes, AreDigitsInARange)
{
    EXPECT_EQ(parseWhole("0", "--seed", 0, 9), 0);
    EXPECT_EQ(parseWhole("9", "--seed", 0, 9), 9);
    for (const char* text : {"", "10", "-1", "1.5", "1K", "2x", " 1", "1 ", "99999999999999999999"})
        EXPECT_THROW(parseWhole(text, "--seed", 0, 9), Error) << text;
}

TEST(Sides, ThatMeanNothingAreRefused)
{
    for (const char* text : {"", "x", "3x", "x3", "0", "-1", "1.5", "224x224x3", "1000001", "99999999999999999999", "64 "}) EXPECT_THROW(parseSide(text, "--size"), Error) << text;
    EXPECT_THROW(parseSides("32,,64", "--sizes"), Error);
}

}  // namespace
}  // namespace fovea::cli
