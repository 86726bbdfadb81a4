#include "app/cli/renderer.h"

#include "core/base/error.h"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

extern char** environ;

namespace fovea::cli {

namespace {

constexpr const char* kStudio = "fovea-studio";

[[noreturn]] void fail(const std::string& what, int code)
{
    throw Error(ErrorCode::Internal, "Cannot start " + what + ": " + std::strerror(code) + ".");
}

// Pictures need no display; without this Qt would look for one and fail on a server.
std::vector<std::string> environment()
{
    std::vector<std::string> out;
    for (char** entry = environ; *entry; ++entry) out.emplace_back(*entry);
    if (!std::getenv("QT_QPA_PLATFORM")) out.emplace_back("QT_QPA_PLATFORM=offscreen");
    return out;
}

std::vector<char*> pointers(std::vector<std::string>& words)
{
    std::vector<char*> out;
    for (std::string& word : words) out.push_back(word.data());
    out.push_back(nullptr);
    return out;
}

std::string readAll(int descriptor)
{
    // Only the end matters; a child that floods its standard error must not fill our memory.
    constexpr std::size_t kKept = 64u << 10;
    std::string text;
    std::array<char, 4096> buffer;
    for (;;) {
        const ssize_t count = ::read(descriptor, buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return text;
        text.append(buffer.data(), static_cast<std::size_t>(count));
        if (text.size() > 2 * kKept) text.erase(0, text.size() - kKept);
    }
}

std::string lastLine(const std::string& text)
{
    const std::size_t end = text.find_last_not_of("\r\n ");
    if (end == std::string::npos) return {};
    const std::size_t start = text.find_last_of('\n', end);
    const std::string line = text.substr(start == std::string::npos ? 0 : start + 1, end - (start == std::string::npos ? 0 : start + 1) + 1);
    const std::string prefix = std::string(kStudio) + ": ";
    return line.starts_with(prefix) ? line.substr(prefix.size()) : line;
}

}  // namespace

ChildResult runChild(const std::filesystem::path& program, const std::vector<std::string>& words)
{
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) fail(program.string(), errno);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
    std::vector<std::string> all{program.string()}, variables = environment();
    all.insert(all.end(), words.begin(), words.end());
    pid_t child = 0;
    const int code = ::posix_spawn(&child, program.c_str(), &actions, nullptr, pointers(all).data(), pointers(variables).data());
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    if (code != 0) {
        ::close(ends[0]);
        fail(program.string(), code);
    }
    ChildResult result;
    result.sentence = lastLine(readAll(ends[0]));
    ::close(ends[0]);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    result.exitCode = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    result.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    return result;
}

}  // namespace fovea::cli
