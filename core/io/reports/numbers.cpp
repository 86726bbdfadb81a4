#include "core/io/reports/reports.h"

namespace fovea {

std::string sideText(const std::optional<PerAxis<std::int64_t>>& side)
{
    if (!side) return "-";
    if (side->h == side->w) return std::to_string(side->h);
    return std::to_string(side->h) + "x" + std::to_string(side->w);
}

std::string shortFieldText(const PerAxis<std::int64_t>& field, const PerAxis<std::int64_t>& side)
{
    const bool low = field.h < side.h, narrow = field.w < side.w;
    if (low == narrow) return sideText(field) + " px";
    return low ? std::to_string(field.h) + " px high" : std::to_string(field.w) + " px wide";
}

}  // namespace fovea
