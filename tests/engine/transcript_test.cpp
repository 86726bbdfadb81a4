#include "tests/document/folder.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

// The real program against tests/engine/transcripts: "> " is a line that is sent, "< " the line that must come back,
// in which "..." stands for anything. Other lines are comments.
namespace fovea {
namespace {

std::vector<std::string> linesOf(const std::filesystem::path& path)
{
    std::ifstream file(path);
    std::vector<std::string> out;
    for (std::string line; std::getline(file, line);) out.push_back(line);
    return out;
}

bool matches(const std::string& pattern, const std::string& line)
{
    constexpr std::string_view kAnything = "...";
    std::size_t from = 0, at = 0;
    for (bool first = true;; first = false) {
        const std::size_t end = pattern.find(kAnything, from);
        const std::string part = pattern.substr(from, end == std::string::npos ? end : end - from);
        const std::size_t found =
            end == std::string::npos && !first
                ? (line.size() < at + part.size() ? std::string::npos : line.find(part, line.size() - part.size()))
                : line.find(part, at);
        if (found == std::string::npos || (first && found != 0)) return false;
        at = found + part.size();
        if (end == std::string::npos) return at == line.size();
        from = end + kAnything.size();
    }
}

class Transcripts : public ::testing::TestWithParam<std::string> {};

TEST_P(Transcripts, AreAnsweredAsWritten)
{
    test::Folder folder;
    std::vector<std::string> expected;
    {
        std::ofstream requests(folder / "in");
        for (const std::string& line :
             linesOf(std::filesystem::path(FOVEA_SOURCE_DIR) / "tests/engine/transcripts" / (GetParam() + ".txt"))) {
            if (line.starts_with("> ")) requests << line.substr(2) << "\n";
            if (line.starts_with("< ")) expected.push_back(line.substr(2));
        }
    }
    const std::string command = std::string("'") + FOVEA_ENGINE + "' < '" + (folder / "in").string() + "' > '" +
                                (folder / "out").string() + "'";
    EXPECT_EQ(std::system(command.c_str()), 0);
    const std::vector<std::string> replies = linesOf(folder / "out");
    ASSERT_EQ(replies.size(), expected.size());
    ASSERT_FALSE(expected.empty());
    for (std::size_t i = 0; i < expected.size(); ++i)
        EXPECT_TRUE(matches(expected[i], replies[i])) << "expected " << expected[i] << "\nbut got  " << replies[i];
}

INSTANTIATE_TEST_SUITE_P(Engine, Transcripts, ::testing::Values("session", "refusals"),
                         [](const auto& info) { return info.param; });

TEST(TranscriptPatterns, MatchWholeLinesOnly)
{
    EXPECT_TRUE(matches("ab...cd", "abXYcd"));
    EXPECT_TRUE(matches("abcd", "abcd"));
    EXPECT_FALSE(matches("ab...cd", "abXYcdE"));
    EXPECT_FALSE(matches("abc", "abcd"));
    EXPECT_FALSE(matches("b...", "ab"));
    EXPECT_FALSE(matches("abc...bc", "abc"));
}

}  // namespace
}  // namespace fovea
