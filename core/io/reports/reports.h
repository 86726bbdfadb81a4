// Reports and plans as JSON (fovea.analysis/1, fovea.plans/1) and as text tables.
#pragma once

#include "core/analysis/report.h"
#include "core/refine/plan.h"

#include <string>
#include <vector>

namespace fovea {

std::string analysisJson(const Graph& graph, const Report& report, const std::string& model);
std::string analysisTable(const Report& report, const std::string& model);
std::string plansJson(const Report& before, const std::vector<Plan>& plans);
std::string plansTable(const Report& before, const std::vector<Plan>& plans);
std::string summaryLine(const Summary& summary);

// One line per report: the side, verdict counts and MACs. For one network at several sides.
std::string sidesTable(const std::vector<Report>& reports, const std::string& model);
// "warning size-assumed (conv1): ..." with the hint below it, one block per finding; empty where there is none.
std::string findingsText(const std::vector<Issue>& issues);
// "copied 60 (11.69 M), padded 1 (9.41 k)": what becomes of the tensors; actions with none are left out.
std::string transferLine(const TransferPlan& plan);

// "25.56 M", "4.09 G", "980"; three significant decimals as users of such tools read them.
std::string shortCount(std::int64_t count);
// "[224, 224]" as "224", "224x192" where the axes differ, "-" where there is none.
std::string sideText(const std::optional<PerAxis<std::int64_t>>& side);

}  // namespace fovea
