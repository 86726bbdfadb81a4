#include "core/recipe/run_lock.h"

#include "core/base/error.h"
#include "core/base/files.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <sys/file.h>
#include <thread>
#include <unistd.h>

namespace fovea {

namespace {

void removeHalfWritten(const RunFolder& folder)
{
    std::error_code ignored;
    const std::vector<std::filesystem::path> own{folder.info(),    folder.graph(), folder.recipe(),
                                                 folder.metrics(), folder.last(),  folder.best()};
    for (const auto& entry : std::filesystem::directory_iterator(folder.root, ignored)) {
        const std::filesystem::path wanted = AtomicFile::destinationOf(entry.path());
        if (std::find(own.begin(), own.end(), wanted) != own.end() || isStateFile(wanted))
            std::filesystem::remove(entry.path(), ignored);
    }
}

}  // namespace

RunLock::RunLock(const RunFolder& folder, double seconds)
{
    using namespace std::chrono_literals;
    m_descriptor = ::open(folder.root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    int failed = 0;
    while ((failed = ::flock(m_descriptor, LOCK_EX | LOCK_NB)) != 0 && errno == EWOULDBLOCK) {
        if (std::chrono::steady_clock::now() >= until) {
            ::close(m_descriptor);
            throw Error(ErrorCode::File, "Another process trains into '" + folder.root.string() +
                                             "': stop it first, or name another folder.");
        }
        std::this_thread::sleep_for(50ms);
    }
    if (failed == 0) removeHalfWritten(folder);  // another process's would still be renamed
}

bool RunLock::isHeld(const RunFolder& folder)
{
    const int descriptor = ::open(folder.root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return false;
    const bool held = ::flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    ::close(descriptor);
    return held;
}

RunLock::~RunLock()
{
    if (m_descriptor >= 0) ::close(m_descriptor);
}

}  // namespace fovea
