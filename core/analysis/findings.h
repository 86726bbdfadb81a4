#pragma once

#include "core/analysis/report.h"

namespace fovea {

// What the report shows, said as findings with what to do about it.
void addFindings(const Graph& graph, Report& report);

}  // namespace fovea
