// The name that a document's weights get from their content.
#pragma once

#include "core/io/safetensors/safetensors.h"

#include <string>

namespace fovea {

// XXH3 (128 bits, 32 hexadecimal digits) of the file that the layout describes.
std::string hashOf(const SafetensorsLayout& layout);

}  // namespace fovea
