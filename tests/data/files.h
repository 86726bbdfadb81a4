// Files and small data sets for tests.
#pragma once

#include "core/base/files.h"
#include "core/data/dataset.h"
#include "core/data/decode.h"
#include "tests/document/folder.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace fovea::test {

inline std::filesystem::path fileNamed(const std::string& name)
{
    return std::filesystem::path(FOVEA_SOURCE_DIR) / "tests/data/files" / name;
}

inline std::string bytesOf(const std::string& name) { return readText(fileNamed(name), 1 << 20); }

inline std::span<const std::byte> asBytes(const std::string& text)
{
    return std::as_bytes(std::span(text.data(), text.size()));
}

inline Image decodeText(const std::string& text, std::int64_t leastSide = 0)
{
    return decodeImage(asBytes(text), leastSide);
}

inline void put(const std::filesystem::path& path, const std::string& bytes)
{
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
}

// What `read` says where it refuses; empty where it does not.
template <typename Read>
std::string refusal(Read read)
{
    try {
        read();
    } catch (const Error& error) {
        return error.message();
    }
    return {};
}

}  // namespace fovea::test
