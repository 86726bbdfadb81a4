// Small networks that hold one layer kind each, as texts for graphOf().
#pragma once

#include "core/ops/op_def.h"

#include <string>
#include <vector>

namespace fovea::test {

// Every way to set the kind that needs code of its own; empty for kinds whose settings have no text form.
std::vector<std::string> networksOf(const OpDef& op);

}  // namespace fovea::test
