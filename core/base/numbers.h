// Numbers as users of such tools read them.
#pragma once

#include <cstdint>
#include <string>

namespace fovea {

// "25.56 M", "4.09 G", "980"; three significant decimals.
std::string shortCount(std::int64_t count);
// "12.3 ms", "4.56 us", "1.20 s": three digits.
std::string shortTime(double seconds);
// "44.59 MiB", "1.00 KiB", "12 B".
std::string shortBytes(std::int64_t bytes);

}  // namespace fovea
