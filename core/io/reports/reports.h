// Reports and plans as JSON (fovea.analysis/1, fovea.plans/1) and as text tables.
#pragma once

#include "core/analysis/memory.h"
#include "core/analysis/report.h"
#include "core/refine/plan.h"

#include <string>
#include <vector>

namespace fovea {

// `perLayer` adds columns with the memory of each layer.
std::string analysisTable(const Report& report, const MemoryReport& memory, const std::string& model, bool perLayer = false);
std::string plansTable(const Report& before, const std::vector<Plan>& plans);
std::string summaryLine(const Summary& summary);

// One network at one of several sides.
struct AtSide {
    Report report;
    MemoryReport memory;
};
// One line per side: verdict counts, MACs and memory, so that a user can pick a resolution.
std::string sidesTable(const std::vector<AtSide>& sides, const std::string& model);
// "warning size-assumed (conv1): ..." with the hint below it, one block per finding; empty where there is none.
std::string findingsText(const std::vector<Issue>& issues);
// "copied 60 (11.69 M), padded 1 (9.41 k)": what becomes of the tensors; actions with none are left out.
std::string transferLine(const TransferPlan& plan);

// The same with a line for each tensor that is not copied, "    fc.weight: new, 10x512"; at most `most` of them.
std::string transferText(const TransferPlan& plan, std::size_t most = 20);

// "25.56 M", "4.09 G", "980"; three significant decimals as users of such tools read them.
std::string shortCount(std::int64_t count);
// "12.3 ms", "4.56 us", "1.20 s": three digits.
std::string shortTime(double seconds);
// "44.59 MiB", "1.00 KiB", "12 B".
std::string shortBytes(std::int64_t bytes);
// "[224, 224]" as "224", "224x192" where the axes differ, "-" where there is none.
std::string sideText(const std::optional<PerAxis<std::int64_t>>& side);

}  // namespace fovea
