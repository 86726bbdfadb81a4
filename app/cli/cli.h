// The command line as a library, so that tests run it without a process.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace fovea {

// Runs `fovea ARGS...` and returns the exit code: 0 done, 1 the check asked for fails, 2 bad input or usage,
// 3 internal. On 2 and 3 nothing is written to `out` and one sentence to `err`.
int runCli(const std::vector<std::string>& args, std::ostream& out, std::ostream& err);

}  // namespace fovea
