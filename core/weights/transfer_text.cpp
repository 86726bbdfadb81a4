#include "core/base/numbers.h"
#include "core/base/printable.h"
#include "core/weights/weights.h"

#include <algorithm>

namespace fovea {

std::string transferLine(const TransferPlan& plan)
{
    std::string out;
    for (const Transfer transfer :
         {Transfer::Copied, Transfer::Sliced, Transfer::Padded, Transfer::Fresh, Transfer::Dropped}) {
        const TransferPlan::Total& total = plan.total(transfer);
        if (total.tensors == 0) continue;
        out += (out.empty() ? "" : ", ") + std::string(toString(transfer)) + " " + std::to_string(total.tensors) +
               " (" + shortCount(total.parameters) + ")";
    }
    return out.empty() ? "none" : out;
}

std::string transferText(const TransferPlan& plan, std::size_t most)
{
    std::string out = transferLine(plan);
    for (std::size_t i = 0; i < std::min(most, plan.rows.size()); ++i) {
        const TransferRow& row = plan.rows[i];
        const std::string sizes = row.from.empty() ? toText(row.to)
                                  : row.to.empty() ? toText(row.from)
                                                   : toText(row.from) + " to " + toText(row.to);
        out += "\n    " + printable(row.tensor) + ": " + toString(row.action) + ", " + sizes;
    }
    if (plan.rows.size() > most) out += "\n    and " + std::to_string(plan.rows.size() - most) + " more";
    return out;
}

}  // namespace fovea
