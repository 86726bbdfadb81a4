// The scripts of an exported job, from resources/export_job. Private to this room.
#pragma once

#include <string_view>

namespace fovea {

extern const std::string_view kTrainScript, kImagesScript;

}  // namespace fovea
