#include "tests/document/folder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <optional>
#include <regex>
#include <spawn.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

// The real program against tests/engine/transcripts: "> " is a line that is sent, "< " the line that must come back
// before the next one is sent, in which "..." stands for anything and $FOLDER for a folder of the test's. Notifications
// that are not written down are passed over. Other lines are comments.
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

// The engine with both ends of its pipes.
class Engine {
public:
    Engine()
    {
        std::array<int, 2> in{}, out{};
        EXPECT_EQ(::pipe2(in.data(), O_CLOEXEC) | ::pipe2(out.data(), O_CLOEXEC), 0);
        posix_spawn_file_actions_t actions;
        ::posix_spawn_file_actions_init(&actions);
        ::posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
        ::posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
        std::string name = FOVEA_ENGINE;
        const std::array<char*, 2> words{name.data(), nullptr};
        EXPECT_EQ(::posix_spawn(&m_child, FOVEA_ENGINE, &actions, nullptr, words.data(), environ), 0);
        ::posix_spawn_file_actions_destroy(&actions);
        ::close(in[0]);
        ::close(out[1]);
        ::signal(SIGPIPE, SIG_IGN);  // it may end before it has read everything
        m_in = in[1];
        m_out = ::fdopen(out[0], "r");
    }
    ~Engine() { std::fclose(m_out); }
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    void send(const std::string& line)
    {
        const std::string text = line + "\n";
        if (::write(m_in, text.data(), text.size()) < 0) {
            EXPECT_EQ(errno, EPIPE);
        }
    }

    // nullopt: it has ended.
    std::optional<std::string> line()
    {
        std::string out;
        for (int c = std::fgetc(m_out); c != '\n'; c = std::fgetc(m_out)) {
            if (c == EOF) return std::nullopt;
            out += static_cast<char>(c);
        }
        return out;
    }

    // Its exit status, once its input has ended.
    int end()
    {
        ::close(m_in);
        int status = -1;
        EXPECT_EQ(::waitpid(m_child, &status, 0), m_child);
        return status;
    }

private:
    pid_t m_child = -1;
    int m_in = -1;
    std::FILE* m_out = nullptr;
};

bool isNotification(const std::string& line) { return line.starts_with("{\"jsonrpc\":\"2.0\",\"method\":"); }

class Transcripts : public ::testing::TestWithParam<std::string> {};

TEST_P(Transcripts, AreAnsweredAsWritten)
{
    test::Folder folder;
    Engine engine;
    int answered = 0;
    for (const std::string& written :
         linesOf(std::filesystem::path(FOVEA_SOURCE_DIR) / "tests/engine/transcripts" / (GetParam() + ".txt"))) {
        const std::string text = std::regex_replace(written.substr(std::min<std::size_t>(written.size(), 2)),
                                                    std::regex("\\$FOLDER"), folder.path().string());
        if (written.starts_with("> ")) engine.send(text);
        if (!written.starts_with("< ")) continue;
        auto line = engine.line();
        while (line && isNotification(*line) && !matches(text, *line)) line = engine.line();
        ASSERT_TRUE(line) << "expected " << text << "\nbut the engine ended";
        ASSERT_TRUE(matches(text, *line)) << "expected " << text << "\nbut got  " << *line;
        ++answered;
    }
    EXPECT_GT(answered, 0);
    EXPECT_EQ(engine.end(), 0);
    EXPECT_EQ(engine.line(), std::nullopt);
    if (GetParam() == "hostile_jobs") {
        EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
    }
}

INSTANTIATE_TEST_SUITE_P(Engine, Transcripts, ::testing::Values("session", "refusals", "jobs", "hostile_jobs"),
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
