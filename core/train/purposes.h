// First number of a random stream's place, so that no two uses draw the same numbers. Private to this room; the data
// room has its own.
#pragma once

#include <cstdint>

namespace fovea {

inline constexpr std::uint64_t kMixPurpose = 1001, kDropPurpose = 1002, kProbePurpose = 1003, kNoisePurpose = 1004,
                               kPartPurpose = 1005, kNormsPurpose = 1006;

}  // namespace fovea
