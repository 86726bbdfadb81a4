#include "core/io/reports/report_json.h"
#include "core/io/reports/reports.h"
#include "core/io/reports/table.h"

#include <gtest/gtest.h>

namespace fovea {
namespace {

TEST(ShortCount, ReadsAsUsersOfSuchToolsExpect)
{
    EXPECT_EQ(shortCount(0), "0");
    EXPECT_EQ(shortCount(980), "980");
    EXPECT_EQ(shortCount(1'000), "1.00 k");
    EXPECT_EQ(shortCount(25'557'032), "25.56 M");
    EXPECT_EQ(shortCount(4'089'184'256), "4.09 G");
    EXPECT_EQ(shortCount(999'994), "999.99 k");
    EXPECT_EQ(shortCount(999'996), "1.00 M");
    EXPECT_EQ(shortCount(1'000'000'000'000'000), "1.00 P");
}

TEST(SideText, NamesBothAxesOnlyWhereTheyDiffer)
{
    using Side = PerAxis<std::int64_t>;
    EXPECT_EQ(sideText(Side{224, 224}), "224");
    EXPECT_EQ(sideText(Side{224, 192}), "224x192");
    EXPECT_EQ(sideText(std::nullopt), "-");
}

TEST(TextTable, AlignsByCharactersAndLeavesNoTrailingSpace)
{
    TextTable table({{"name"}, {"n", true}, {"note"}});
    table.add({"größe", "7", ""});
    table.add({"a", "1234", "x"});
    EXPECT_EQ(table.text(),
              "name      n  note\n"
              "größe     7\n"
              "a      1234  x\n");
}

TEST(JsonText, KeepsAShapeOnOneLineAndReplacesBytesThatAreNoText)
{
    const ReportJson json{{"shape", {1, nullptr, 3}}, {"list", ReportJson::array({ReportJson{{"a", "\xff"}}})}, {"none", ReportJson::object()}};
    EXPECT_EQ(jsonText(json), "{\n \"shape\": [1,null,3],\n \"list\": [\n  {\n   \"a\": \"\xef\xbf\xbd\"\n  }\n ],\n \"none\": {}\n}\n");
}

TEST(TransferLine, LeavesOutWhatDoesNotHappen)
{
    TransferPlan plan;
    EXPECT_EQ(transferLine(plan), "none");
    plan.totals[static_cast<int>(Transfer::Copied)] = {60, 11'689'512};
    plan.totals[static_cast<int>(Transfer::Padded)] = {1, 9'408};
    EXPECT_EQ(transferLine(plan), "copied 60 (11.69 M), padded 1 (9.41 k)");
}

}  // namespace
}  // namespace fovea
