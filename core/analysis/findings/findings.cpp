#include "core/analysis/findings/findings.h"

namespace fovea {

void addFindings(Report& report)
{
    using namespace findings;
    for (const auto about : {aboutVerdicts, aboutWindows, aboutDilation, aboutChannels, aboutWiring, aboutShared, aboutOpaque, aboutInputs})
        about(report, report.issues);
}

}  // namespace fovea
