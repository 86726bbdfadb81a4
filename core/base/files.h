// Files, read by mapping and written atomically. All functions throw Error(File) with the path and the
// system's reason.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace fovea {

// A read-only mapping of a whole file. Shared by everyone who points into it.
class MappedFile {
public:
    static std::shared_ptr<const MappedFile> open(const std::filesystem::path& path);
    ~MappedFile();
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;

    std::span<const std::byte> bytes() const { return {m_data, m_size}; }
    const std::filesystem::path& path() const { return m_path; }

private:
    MappedFile() = default;
    const std::byte* m_data = nullptr;
    std::size_t m_size = 0;
    std::filesystem::path m_path;
};

// A file that is read piece by piece for a long time, from several threads. What is mapped ends the program where
// another one cuts the file; here it is an Error(File).
class PieceFile {
public:
    static std::shared_ptr<const PieceFile> open(const std::filesystem::path& path);
    ~PieceFile();
    PieceFile(const PieceFile&) = delete;
    PieceFile& operator=(const PieceFile&) = delete;

    std::uint64_t size() const { return m_size; }  // when it was opened
    const std::filesystem::path& path() const { return m_path; }
    void read(std::uint64_t offset, std::span<std::byte> out) const;

private:
    PieceFile() = default;
    int m_descriptor = -1;
    std::uint64_t m_size = 0;
    std::filesystem::path m_path;
};

// Writes a file beside its destination, flushes it to the disk and renames it into place on commit();
// without commit() the destination is left as it was and the temporary file is removed.
class AtomicFile {
public:
    explicit AtomicFile(std::filesystem::path destination);
    ~AtomicFile();
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;

    void write(std::span<const std::byte> bytes);
    void write(std::string_view text);
    void commit();

    // Whose temporary file this is by its name, which a killed process leaves behind; empty where it is none.
    static std::filesystem::path destinationOf(const std::filesystem::path& temporary);

private:
    std::filesystem::path m_destination;
    std::filesystem::path m_temporary;
    int m_descriptor = -1;
};

std::string readText(const std::filesystem::path& path, std::size_t maxBytes);
void writeAtomically(const std::filesystem::path& path, std::string_view text);

}  // namespace fovea
