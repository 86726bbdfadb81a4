// Reports and plans as JSON (fovea.analysis/1, fovea.plans/1) and as text tables.
#pragma once

#include "core/analysis/memory.h"
#include "core/analysis/report.h"
#include "core/base/numbers.h"
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
// "[224, 224]" as "224", "224x192" where the axes differ, "-" where there is none.
std::string sideText(const std::optional<PerAxis<std::int64_t>>& side);
// Where a field is smaller than the side: "31x11 px", or "11 px wide" where it covers the height.
std::string shortFieldText(const PerAxis<std::int64_t>& field, const PerAxis<std::int64_t>& side);

}  // namespace fovea
