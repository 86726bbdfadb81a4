// The studio's renderer as a child process: it owns the only drawing code, and the command line stays free
// of Qt.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace fovea::cli {

struct ChildResult {
    int exitCode = 0;      // -1: ended by `signal`
    int signal = 0;
    std::string sentence;  // last line of its standard error
};

// Runs a program without a shell and waits for it. Throws Error(Internal) where it cannot be started.
ChildResult runChild(const std::filesystem::path& program, const std::vector<std::string>& words);

}  // namespace fovea::cli
