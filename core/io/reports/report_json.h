// The same JSON as reports.h, as objects, for those who add keys of their own.
#pragma once

#include "core/analysis/memory.h"
#include "core/analysis/report.h"
#include "core/refine/plan.h"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace fovea {

using ReportJson = nlohmann::ordered_json;

ReportJson analysisObject(const Report& report, const MemoryReport& memory, const std::string& model);
ReportJson plansObject(const Report& before, const std::vector<Plan>& plans);
ReportJson summaryObject(const Summary& summary, const Report* report);  // border layer's name from the report
ReportJson issueObject(const Issue& issue);
ReportJson sideObject(const std::optional<PerAxis<std::int64_t>>& side);  // [h, w] or null

// Text with one-space indentation and a final newline; bytes that are not UTF-8 are replaced.
std::string jsonText(const ReportJson& json);

}  // namespace fovea
