#include "core/io/reports/reports.h"

namespace fovea {

std::string sideText(const std::optional<PerAxis<std::int64_t>>& side)
{
    if (!side) return "-";
    if (side->h == side->w) return std::to_string(side->h);
    return std::to_string(side->h) + "x" + std::to_string(side->w);
}

}  // namespace fovea
