// The program behind main().
#pragma once

namespace fovea::studio {

// Exit codes: 0 done, 2 bad input or usage, 3 internal.
int runStudio(int argc, char** argv);

}  // namespace fovea::studio
