#include "core/base/files.h"

#include "core/base/error.h"

#include <cctype>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fovea {

namespace {

constexpr const char* kTemporaryEnding = ".fovea-XXXXXX";  // as mkstemp takes it

[[noreturn]] void fail(const std::string& doing, const std::filesystem::path& path, int code)
{
    throw Error(ErrorCode::File, "Cannot " + doing + " '" + path.string() + "': " + std::strerror(code) + ".");
}

// Of a regular file; the caller closes it.
int openToRead(const std::filesystem::path& path, std::uint64_t& size)
{
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) fail("open", path, errno);
    struct stat info {};
    if (::fstat(descriptor, &info) != 0) {
        const int code = errno;
        ::close(descriptor);
        fail("read", path, code);
    }
    if (!S_ISREG(info.st_mode)) {
        ::close(descriptor);
        throw Error(ErrorCode::File, "Cannot read '" + path.string() + "': it is not a regular file.");
    }
    size = static_cast<std::uint64_t>(info.st_size);
    return descriptor;
}

}  // namespace

std::shared_ptr<const MappedFile> MappedFile::open(const std::filesystem::path& path)
{
    std::uint64_t size = 0;
    const int descriptor = openToRead(path, size);
    std::shared_ptr<MappedFile> file(new MappedFile);
    file->m_path = path;
    file->m_size = static_cast<std::size_t>(size);
    if (file->m_size > 0) {
        void* data = ::mmap(nullptr, file->m_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
        if (data == MAP_FAILED) {
            const int code = errno;
            file->m_size = 0;
            ::close(descriptor);
            fail("map", path, code);
        }
        file->m_data = static_cast<const std::byte*>(data);
    }
    ::close(descriptor);
    return file;
}

MappedFile::~MappedFile()
{
    if (m_data) ::munmap(const_cast<std::byte*>(m_data), m_size);
}

std::shared_ptr<const PieceFile> PieceFile::open(const std::filesystem::path& path)
{
    std::shared_ptr<PieceFile> file(new PieceFile);
    file->m_path = path;
    file->m_descriptor = openToRead(path, file->m_size);
    return file;
}

PieceFile::~PieceFile()
{
    if (m_descriptor >= 0) ::close(m_descriptor);
}

void PieceFile::read(std::uint64_t offset, std::span<std::byte> out) const
{
    while (!out.empty()) {
        const ssize_t count = ::pread(m_descriptor, out.data(), out.size(), static_cast<off_t>(offset));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) fail("read", m_path, errno);
        if (count == 0)
            throw Error(ErrorCode::File, "Cannot read '" + m_path.string() + "': it has become shorter.");
        offset += static_cast<std::uint64_t>(count);
        out = out.subspan(static_cast<std::size_t>(count));
    }
}

AtomicFile::AtomicFile(std::filesystem::path destination) : m_destination(std::move(destination))
{
    std::string pattern = m_destination.string() + kTemporaryEnding;
    m_descriptor = ::mkstemp(pattern.data());
    if (m_descriptor < 0) fail("write beside", m_destination, errno);
    m_temporary = pattern;
    // mkstemp makes files private; a saved model is as readable as the user's other files.
    const mode_t mask = ::umask(0);
    ::umask(mask);
    ::fchmod(m_descriptor, 0666 & ~mask);
}

AtomicFile::~AtomicFile()
{
    if (m_descriptor < 0) return;
    ::close(m_descriptor);
    ::unlink(m_temporary.c_str());
}

std::filesystem::path AtomicFile::destinationOf(const std::filesystem::path& temporary)
{
    const std::string name = temporary.string();
    const std::string_view ending = kTemporaryEnding;
    const std::size_t fixed = ending.find('X');
    if (name.size() <= ending.size()) return {};
    const std::size_t from = name.size() - ending.size();
    if (name.compare(from, fixed, ending.substr(0, fixed)) != 0) return {};
    for (std::size_t i = from + fixed; i < name.size(); ++i)
        if (!std::isalnum(static_cast<unsigned char>(name[i]))) return {};
    return name.substr(0, from);
}

void AtomicFile::write(std::span<const std::byte> bytes)
{
    while (!bytes.empty()) {
        const ssize_t written = ::write(m_descriptor, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) fail("write", m_destination, errno);
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
}

void AtomicFile::write(std::string_view text) { write(std::as_bytes(std::span(text.data(), text.size()))); }

void AtomicFile::commit()
{
    if (::fsync(m_descriptor) != 0) fail("flush", m_destination, errno);
    if (::rename(m_temporary.c_str(), m_destination.c_str()) != 0) fail("replace", m_destination, errno);
    ::close(m_descriptor);
    m_descriptor = -1;
    // The rename itself must reach the disk, or a power cut could bring the old name back empty.
    const std::filesystem::path folder = m_destination.has_parent_path() ? m_destination.parent_path() : ".";
    if (const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); descriptor >= 0) {
        ::fsync(descriptor);
        ::close(descriptor);
    }
}

std::string readText(const std::filesystem::path& path, std::size_t maxBytes)
{
    const auto file = MappedFile::open(path);
    if (file->bytes().size() > maxBytes)
        throw Error(ErrorCode::Limit, "'" + path.string() + "' has " + std::to_string(file->bytes().size()) +
                                          " bytes; at most " + std::to_string(maxBytes) + " are read.");
    return std::string(reinterpret_cast<const char*>(file->bytes().data()), file->bytes().size());
}

void writeAtomically(const std::filesystem::path& path, std::string_view text)
{
    AtomicFile file(path);
    file.write(text);
    file.commit();
}

}  // namespace fovea
