// Files that people give as a model and that are none which Fovea reads: named for what they are, by their content.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace fovea {

// One sentence: what the file or folder is, and the shortest way to get the network in. nullopt: nothing is known of it, or it
// may be a file that Fovea reads. Looks at the first and last bytes only, and throws nothing.
std::optional<std::string> foreignModel(const std::filesystem::path& path);

}  // namespace fovea
