#include "app/engine/channel.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace fovea::engine {

Channel Channel::ofProcess()
{
    std::signal(SIGPIPE, SIG_IGN);  // a write to nobody is seen where it happens
    const int out = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    if (out < 0 || ::dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
        throw Error(ErrorCode::Internal,
                    std::string("Cannot set standard output aside: ") + std::strerror(errno) + ".");
    return Channel(STDIN_FILENO, out);
}

std::optional<Channel::Line> Channel::read()
{
    Line line;
    std::array<char, 65536> buffer;
    for (;;) {
        const std::size_t end = m_pending.find('\n');
        const bool fits = line.text.size() + std::min(end, m_pending.size()) <= m_maxLine;
        if (!fits) line.tooLong = true;
        if (line.tooLong) line.text.clear();
        else line.text.append(m_pending, 0, end);
        if (end != std::string::npos) {
            m_pending.erase(0, end + 1);
            return line;
        }
        m_pending.clear();
        const ssize_t count = ::read(m_in, buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return line.text.empty() && !line.tooLong ? std::nullopt : std::optional(line);
        m_pending.assign(buffer.data(), static_cast<std::size_t>(count));
    }
}

bool Channel::write(std::string_view line)
{
    std::string text(line);
    text += '\n';
    for (std::size_t at = 0; at < text.size();) {
        const ssize_t count = ::write(m_out, text.data() + at, text.size() - at);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        at += static_cast<std::size_t>(count);
    }
    return true;
}

}  // namespace fovea::engine
