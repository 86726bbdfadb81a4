// What `fovea refine` says about limits, both ways: words into a request, and a limit that was too tight into words.
#pragma once

#include "app/cli/command.h"
#include "core/refine/plan.h"

namespace fovea::cli {

// The options that requestFrom() reads, for Arguments.
std::vector<OptionSpec> limitOptions();
PlanRequest requestFrom(const Arguments& arguments, const Opened& opened, const Report& before);

// "--max-macs"
const char* optionOf(Loosening::Limit limit);
// " Loosen --max-macs from 1.00 G to at least 1234567890 (1.24x of now)."; empty where there is none.
std::string loosenText(const std::vector<Loosening>& loosen, const Report& before, const MemoryOptions& memory);

}  // namespace fovea::cli
