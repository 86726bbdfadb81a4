#include "core/base/numbers.h"

#include <cmath>
#include <cstdio>
#include <iterator>

namespace fovea {

std::string shortCount(std::int64_t count)
{
    const char* const units[] = {"", "k", "M", "G", "T", "P"};
    double value = static_cast<double>(count);
    std::size_t unit = 0;
    // 999,995 would print as 1000.00 k.
    while (unit + 1 < std::size(units) && std::abs(value) >= (unit == 0 ? 1000.0 : 999.995)) {
        value /= 1000.0;
        ++unit;
    }
    if (unit == 0) return std::to_string(count);
    char text[48];
    std::snprintf(text, sizeof text, "%.2f %s", value, units[unit]);
    return text;
}

std::string shortBytes(std::int64_t bytes)
{
    const char* const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    double value = static_cast<double>(bytes);
    std::size_t unit = 0;
    // 1023.995 KiB would print as 1024.00 KiB.
    while (unit + 1 < std::size(units) && std::abs(value) >= (unit == 0 ? 1024.0 : 1023.995)) {
        value /= 1024.0;
        ++unit;
    }
    if (unit == 0) return std::to_string(bytes) + " B";
    char text[48];
    std::snprintf(text, sizeof text, "%.2f %s", value, units[unit]);
    return text;
}

std::string shortTime(double seconds)
{
    const double scaled = seconds >= 0.9995 ? seconds : seconds >= 0.9995e-3 ? seconds * 1e3 : seconds * 1e6;
    const char* const unit = seconds >= 0.9995 ? "s" : seconds >= 0.9995e-3 ? "ms" : "us";
    char text[48];
    std::snprintf(text, sizeof text, "%.*f %s", scaled < 9.995 ? 2 : scaled < 99.95 ? 1 : 0, scaled, unit);
    return text;
}

}  // namespace fovea
