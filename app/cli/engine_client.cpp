#include "app/cli/engine_client.h"

#include "core/io/engine/rpc.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace fovea::cli {

namespace {

[[noreturn]] void fail(const std::string& what, int code)
{
    throw Error(ErrorCode::Internal, "Cannot start " + what + ": " + std::strerror(code) + ".");
}

ErrorCode codeOf(const std::string& kind)
{
    for (const ErrorCode code : {ErrorCode::File, ErrorCode::Format, ErrorCode::Usage, ErrorCode::Limit})
        if (kind == toString(code)) return code;
    return ErrorCode::Internal;
}

volatile std::sig_atomic_t g_interrupted = 0;

// While it lives, the first interrupt is noticed instead of ending the program.
class InterruptWatch {
public:
    InterruptWatch()
    {
        struct sigaction action = {};
        action.sa_handler = [](int) { g_interrupted = 1; };
        action.sa_flags = static_cast<int>(SA_RESETHAND);
        g_interrupted = 0;
        ::sigaction(SIGINT, &action, &m_before);
    }
    ~InterruptWatch() { ::sigaction(SIGINT, &m_before, nullptr); }
    InterruptWatch(const InterruptWatch&) = delete;
    InterruptWatch& operator=(const InterruptWatch&) = delete;

private:
    struct sigaction m_before = {};
};

}  // namespace

EngineClient::EngineClient(const std::filesystem::path& program)
{
    // One socket for both directions: writing to an engine that died is an error, not a signal.
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) fail(program.string(), errno);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    // What libraries print is of interest only where the engine dies.
    m_said.reset(std::tmpfile());
    if (m_said) ::fcntl(::fileno(m_said.get()), F_SETFD, FD_CLOEXEC);
    if (m_said) ::posix_spawn_file_actions_adddup2(&actions, ::fileno(m_said.get()), STDERR_FILENO);
    else ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    // A group of its own: Ctrl+C reaches this program alone, which asks the engine to stop in order.
    posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    std::string name = program.string();
    std::array<char*, 2> words{name.data(), nullptr};
    const int code = ::posix_spawn(&m_child, program.c_str(), &actions, &attributes, words.data(), environ);
    ::posix_spawnattr_destroy(&attributes);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    m_socket = ends[0];
    if (code != 0) {
        ::close(m_socket);
        fail(program.string(), code);
    }
    try {
        m_hello = ask<HelloReply>(HelloRequest{});
    } catch (...) {
        ::close(m_socket);
        if (m_child > 0) ::waitpid(m_child, nullptr, 0);
        throw;
    }
}

EngineClient::~EngineClient()
{
    ::close(m_socket);  // it ends when nobody listens
    if (m_child > 0)
        while (::waitpid(m_child, nullptr, 0) < 0 && errno == EINTR) {
        }
}

Json EngineClient::call(const char* method, const Json& params, const Heard& heard)
{
    const std::int64_t id = m_nextId++;
    std::optional<InterruptWatch> interrupts;
    if (heard) interrupts.emplace();
    send(requestLine(id, method, params) + "\n");
    for (;;) {
        const std::string line = receive(heard != nullptr);
        if (line.empty()) died(method);
        const Json root = parseJson(line);
        if (root.is_object() && root.contains("method")) {
            const RpcRequest told = requestFrom(line);
            if (heard) heard(told.method, told.params);
            continue;
        }
        const RpcReply reply = replyFrom(line);
        if (reply.id != Json(id) && reply.error.empty())
            throw Error(ErrorCode::Internal,
                        "fovea-engine answered another request than '" + std::string(method) + "'.");
        if (!reply.error.empty()) throw Error(codeOf(reply.kind), reply.error);
        return reply.result;
    }
}

void EngineClient::send(const std::string& line)
{
    for (std::size_t at = 0; at < line.size();) {
        const ssize_t count = ::send(m_socket, line.data() + at, line.size() - at, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return;  // the missing reply says it
        at += static_cast<std::size_t>(count);
    }
}

std::string EngineClient::receive(bool tellStop)
{
    std::array<char, 65536> buffer;
    for (;;) {
        if (const std::size_t end = m_pending.find('\n'); end != std::string::npos) {
            std::string line = m_pending.substr(0, end);
            m_pending.erase(0, end + 1);
            return line;
        }
        const ssize_t count = ::read(m_socket, buffer.data(), buffer.size());
        if (tellStop && g_interrupted) {
            g_interrupted = 0;
            send(requestLine(nullptr, kStopMethod, Json::object()) + "\n");
        }
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0 || m_pending.size() > kMaxMessage) return {};
        m_pending.append(buffer.data(), static_cast<std::size_t>(count));
    }
}

void EngineClient::died(const char* method)
{
    ::shutdown(m_socket, SHUT_RDWR);  // it may still be writing a reply that is too long
    int status = 0;
    while (::waitpid(m_child, &status, 0) < 0 && errno == EINTR) {
    }
    m_child = -1;
    const std::string how = WIFSIGNALED(status) ? "was ended by signal " + std::to_string(WTERMSIG(status))
                                                : "ended with code " + std::to_string(WEXITSTATUS(status));
    const std::string said = lastSaid();
    throw Error(ErrorCode::Internal, "fovea-engine " + how + " instead of answering '" + method + "'." +
                                         (said.empty() ? "" : " Its last words: " + said));
}

std::string EngineClient::lastSaid() const
{
    constexpr long kMost = 500;
    if (!m_said || std::fseek(m_said.get(), 0, SEEK_END) != 0) return {};
    std::fseek(m_said.get(), std::max(0L, std::ftell(m_said.get()) - kMost), SEEK_SET);
    std::string text(kMost, '\0');
    text.resize(std::fread(text.data(), 1, text.size(), m_said.get()));
    text.erase(text.find_last_not_of(" \n\r\t") + 1);
    return text.substr(text.find_last_of('\n') + 1);
}

}  // namespace fovea::cli
