#include "core/data/dataset.h"

#include "core/base/error.h"

#include <filesystem>

namespace fovea {

DataParts openData(const std::string& source, const SplitOptions&)
{
    std::error_code ignored;
    if (!std::filesystem::exists(source, ignored))
        throw Error(ErrorCode::File, "'" + source + "' does not exist; a folder of images was expected.");
    throw Error(ErrorCode::Format, "'" + source + "' holds no data that this version reads.");
}

}  // namespace fovea
