// Fovea's other programs, which the command line starts as children.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace fovea::cli {

// The program in `folder`, else in the folders of `pathList` (colon-separated, as PATH); nullopt: nowhere.
std::optional<std::filesystem::path> findProgram(const std::string& name, const std::filesystem::path& folder,
                                                 const std::string& pathList);

// The same beside this program and on PATH.
std::optional<std::filesystem::path> findProgram(const std::string& name);

// The program that FOVEA_ENGINE names, else fovea-engine as above. Error(Usage) where it names none.
std::optional<std::filesystem::path> findEngine();

// The folder of the running program.
std::filesystem::path ownFolder();

}  // namespace fovea::cli
