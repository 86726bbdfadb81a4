#pragma once

#include "core/io/onnx/draft.h"

#include <map>
#include <string>

namespace fovea {

// The layout of each input that is not what its rank says, as Input's "layout" has it: by the dimensions that the first
// layer with two spatial axes slides over, followed back. An input that no such layer is reached from is "?" throughout.
std::map<std::string, std::string> imageLayouts(const Draft& draft);

}  // namespace fovea
