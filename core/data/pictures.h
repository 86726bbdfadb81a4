// Formats of pictures that Fovea does not read. Private to this room.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

namespace fovea {

// "WebP", "GIF", "AVIF"; empty: it is none of those that are known. By what the file holds.
std::string pictureFormat(std::span<const std::byte> bytes);
// The same by a file's ending.
std::string pictureFormat(const std::filesystem::path& path);

}  // namespace fovea
