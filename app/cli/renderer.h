// The studio's renderer as a child process: it owns the only drawing code, and the command line stays free
// of Qt.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace fovea::cli {

// `fovea-studio` in `folder`, else in the folders of `pathList` (colon-separated, as PATH); nullopt: nowhere.
std::optional<std::filesystem::path> findStudio(const std::filesystem::path& folder, const std::string& pathList);

// The folder of the running program.
std::filesystem::path ownFolder();

struct ChildResult {
    int exitCode = 0;      // -1: ended by `signal`
    int signal = 0;
    std::string sentence;  // last line of its standard error
};

// Runs a program without a shell and waits for it. Throws Error(Internal) where it cannot be started.
ChildResult runChild(const std::filesystem::path& program, const std::vector<std::string>& words);

}  // namespace fovea::cli
