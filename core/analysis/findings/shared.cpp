#include "core/analysis/findings/findings.h"
#include "core/graph/names.h"
#include "core/ops/shared_layers.h"

namespace fovea::findings {

void aboutShared(const Report& report, Issues& issues)
{
    for (const std::vector<NodeId>& calls : sharedLayers(report.graph)) {
        std::vector<std::string> names;
        for (const NodeId call : calls) names.push_back(moduleName(report.graph.at(call).name));
        const Node& first = report.graph.at(calls.front());
        issues.push_back({"weights-shared", Severity::Info, first.name, "",
                          "This layer is called " + std::to_string(calls.size()) + " times with the same weights: as " +
                              firstNames(names) + ".",
                          "A change of its settings is made to all of its calls or not at all."});
    }
}

}  // namespace fovea::findings
